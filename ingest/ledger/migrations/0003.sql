-- A renewed lease counts nothing, and each product that moved is looked for once in its backfills.
CREATE OR REPLACE FUNCTION ledger.count_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH moved AS MATERIALIZED (
        SELECT id, a.engine, b.lane AS left_lane, b.state AS left_state, a.lane, a.state
        FROM before b JOIN after a USING (id)
        WHERE a.state <> b.state OR a.lane <> b.lane
    ), counted AS (
        SELECT '' AS backfill, engine, left_lane, left_state, lane, state, count(*) AS n
        FROM moved GROUP BY engine, left_lane, left_state, lane, state
        UNION ALL
        SELECT l.backfill, m.engine, m.left_lane, m.left_state, m.lane, m.state, count(*)
        FROM moved m CROSS JOIN LATERAL (
            -- An offset keeps the planner from reading all links in place of looking up a few.
            SELECT backfill FROM ledger.backfill_products WHERE product = m.id OFFSET 0
        ) l
        GROUP BY l.backfill, m.engine, m.left_lane, m.left_state, m.lane, m.state
    )
    INSERT INTO ledger.changes (backfill, engine, lane, state, n, finished)
        SELECT c.backfill, c.engine, s.lane, s.state, sum(s.n), sum(s.finished)
        FROM counted c CROSS JOIN LATERAL (VALUES
            (c.left_lane, c.left_state, -c.n, 0),
            (c.lane, c.state, c.n, CASE c.state WHEN 'done' THEN c.n ELSE 0 END)
        ) s (lane, state, n, finished)
        GROUP BY c.backfill, c.engine, s.lane, s.state HAVING sum(s.n) <> 0;
    RETURN NULL;
END $$;
