-- A renewed lease counts nothing, and each product that moved is looked for once in its backfills.
CREATE OR REPLACE FUNCTION ledger.count_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH moved AS MATERIALIZED (
        -- Grouped, not joined: the plan of the first call is kept, and that of a call for one
        -- product would compare each of a thousand with every other.
        SELECT id, engine, max(left_lane) AS left_lane, max(left_state) AS left_state,
            max(lane) AS lane, max(state) AS state
        FROM (
            SELECT id, engine, lane AS left_lane, state AS left_state,
                NULL::ledger.lane AS lane, NULL::ledger.state AS state FROM before
            UNION ALL
            SELECT id, engine, NULL, NULL, lane, state FROM after
        ) both_sides
        GROUP BY id, engine
        HAVING max(left_state) <> max(state) OR max(left_lane) <> max(lane)
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
