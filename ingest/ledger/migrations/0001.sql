-- The ledger: every product that was ever wanted, and how far it is.

CREATE TYPE ledger.lane AS ENUM ('stage', 'mask', 'publish');
CREATE TYPE ledger.state AS ENUM (
    'held', 'due', 'queued', 'running', 'done', 'failed', 'aborted'
);

CREATE TABLE ledger.products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    due timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease timestamptz,
    sensed timestamptz,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated timestamptz NOT NULL DEFAULT clock_timestamp(),
    bytes bigint,
    state ledger.state NOT NULL DEFAULT 'due',
    lane ledger.lane NOT NULL,
    -- The lane that it begins in, and begins in again when it is tried anew.
    entry ledger.lane NOT NULL,
    turn integer NOT NULL DEFAULT 0,
    priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 9),
    attempts smallint NOT NULL DEFAULT 0,
    engine text COLLATE "C" NOT NULL,
    product text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    level text COLLATE "C",
    tile text COLLATE "C",
    engine_version text COLLATE "C",
    staged text COLLATE "C",
    record text COLLATE "C",
    worker text COLLATE "C",
    error_kind text COLLATE "C",
    error text COLLATE "C",
    timings jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT products_once UNIQUE (product, engine)
) WITH (
    -- A renewed lease finds room on its own page, and touches no index.
    fillfactor = 85,
    -- Every product leaves some six dead rows on its way; a fifth of ten million is too many.
    autovacuum_vacuum_scale_factor = 0.005,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 1
);

-- By engine before time: neither delayed retries nor an engine that is stopped are walked over.
CREATE INDEX products_due ON ledger.products (lane, priority, engine, due, id)
    WHERE state = 'due';
-- Not by lease: that would make every renewal a new entry. These are few at any time.
CREATE INDEX products_busy ON ledger.products (lane, id) WHERE state IN ('queued', 'running');
CREATE INDEX products_failed ON ledger.products (id) WHERE state = 'failed';
CREATE INDEX products_tile ON ledger.products (tile, sensed);

CREATE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'product % cannot go from % to %', OLD.id, OLD.state, NEW.state;
END $$;

CREATE TRIGGER legal BEFORE UPDATE ON ledger.products FOR EACH ROW WHEN (
    OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('due', 'queued'), ('due', 'held'), ('due', 'aborted'),
        ('queued', 'running'), ('queued', 'due'), ('queued', 'held'), ('queued', 'aborted'),
        ('running', 'due'), ('running', 'held'), ('running', 'done'), ('running', 'failed'),
        ('running', 'aborted'),
        ('held', 'due'), ('held', 'aborted'),
        ('done', 'due'), ('done', 'held'),
        ('failed', 'due'), ('failed', 'held'),
        ('aborted', 'due'), ('aborted', 'held')
    )
) EXECUTE FUNCTION ledger.refuse();

CREATE TABLE ledger.backfills (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    engine text COLLATE "C" NOT NULL,
    spec jsonb NOT NULL,
    state text NOT NULL DEFAULT 'listing'
        CHECK (state IN ('listing', 'running', 'paused', 'aborted', 'done', 'failed')),
    -- Whether listing is over: a backfill that is paused before goes on with it when resumed.
    listed boolean NOT NULL DEFAULT false,
    priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 9),
    cursor text,
    found bigint NOT NULL DEFAULT 0,
    skipped jsonb NOT NULL DEFAULT '{}',
    created_by text NOT NULL,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated timestamptz NOT NULL DEFAULT clock_timestamp(),
    error text
);

-- No foreign keys: each link would lock its product and its backfill once more, and neither is
-- ever deleted.
CREATE TABLE ledger.backfill_products (
    backfill text COLLATE "C" NOT NULL,
    product bigint NOT NULL,
    PRIMARY KEY (backfill, product)
);
CREATE INDEX backfill_products_product ON ledger.backfill_products (product);

-- Where a product goes that is not to rest: it is held while all that still want it are paused.
-- Volatile: it looks anew after its caller has waited for the lock of the row.
CREATE FUNCTION ledger.ready(which bigint) RETURNS ledger.state LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    paused boolean;
BEGIN
    SELECT bool_and(b.state = 'paused') INTO paused
        FROM ledger.backfill_products l JOIN ledger.backfills b ON b.id = l.backfill
        WHERE l.product = which AND b.state IN ('listing', 'running', 'paused');
    RETURN CASE WHEN paused THEN 'held' ELSE 'due' END;
END $$;

-- How many products are in which state, by backfill ('' for all): counting millions takes
-- seconds. Every statement appends what it changed, so that none waits for another; now and then
-- the changes are folded into the tallies.
CREATE TABLE ledger.tallies (
    backfill text COLLATE "C" NOT NULL,
    engine text COLLATE "C" NOT NULL,
    lane ledger.lane NOT NULL,
    state ledger.state NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (backfill, engine, lane, state)
) WITH (fillfactor = 50);
CREATE TABLE ledger.changes (
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    n bigint NOT NULL,
    finished bigint NOT NULL,
    lane ledger.lane NOT NULL,
    state ledger.state NOT NULL,
    backfill text COLLATE "C" NOT NULL,
    engine text COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
-- Products done a minute, for the last hours.
CREATE TABLE ledger.pace (
    backfill text COLLATE "C" NOT NULL,
    minute timestamptz NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (backfill, minute)
) WITH (fillfactor = 50);

CREATE FUNCTION ledger.count_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.changes (backfill, engine, lane, state, n, finished)
        SELECT '', engine, lane, state, count(*), 0 FROM fresh GROUP BY engine, lane, state;
    RETURN NULL;
END $$;
CREATE TRIGGER count_new AFTER INSERT ON ledger.products
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger.count_new();

CREATE FUNCTION ledger.count_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.changes (backfill, engine, lane, state, n, finished)
        SELECT b.backfill, m.engine, m.lane, m.state, sum(m.n), sum(m.finished)
        FROM (
            SELECT id, engine, lane, state, -1 AS n, 0 AS finished FROM before
            UNION ALL
            SELECT id, engine, lane, state, 1, (state = 'done')::int FROM after
        ) m CROSS JOIN LATERAL (
            SELECT '' AS backfill
            UNION ALL
            SELECT l.backfill FROM ledger.backfill_products l WHERE l.product = m.id
        ) b
        GROUP BY b.backfill, m.engine, m.lane, m.state HAVING sum(m.n) <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER count_moved AFTER UPDATE ON ledger.products
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.count_moved();

-- Whoever links a product holds the lock of its row, so that its state stays meanwhile.
CREATE FUNCTION ledger.count_linked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.changes (backfill, engine, lane, state, n, finished)
        SELECT f.backfill, p.engine, p.lane, p.state, count(*), 0
        FROM fresh f JOIN ledger.products p ON p.id = f.product
        GROUP BY f.backfill, p.engine, p.lane, p.state;
    RETURN NULL;
END $$;
CREATE TRIGGER count_linked AFTER INSERT ON ledger.backfill_products
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger.count_linked();

CREATE FUNCTION ledger.fold() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('ledger.fold')) THEN
        RETURN;
    END IF;
    WITH gone AS (
        DELETE FROM ledger.changes RETURNING *
    ), paced AS (
        INSERT INTO ledger.pace AS p (backfill, minute, n)
            SELECT backfill, date_trunc('minute', at), sum(finished) FROM gone
            WHERE finished > 0 GROUP BY 1, 2
            ON CONFLICT (backfill, minute) DO UPDATE SET n = p.n + excluded.n
    )
    INSERT INTO ledger.tallies AS t (backfill, engine, lane, state, n)
        SELECT backfill, engine, lane, state, sum(n) FROM gone GROUP BY 1, 2, 3, 4
        ON CONFLICT (backfill, engine, lane, state) DO UPDATE SET n = t.n + excluded.n;
    DELETE FROM ledger.pace WHERE minute < clock_timestamp() - interval '3 hours';
END $$;

CREATE TABLE ledger.brakes (
    lane ledger.lane NOT NULL,
    engine text COLLATE "C" NOT NULL,
    failures_in_a_row integer NOT NULL DEFAULT 0,
    stopped timestamptz,
    reason text,
    -- When one product may be tried, to see whether the trouble is over.
    probe timestamptz,
    PRIMARY KEY (lane, engine)
);

-- Take what is due next: most urgent first, then longest due.
CREATE FUNCTION ledger.claim(wanted ledger.lane, most integer, probe_after interval)
RETURNS SETOF ledger.products LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    taken bigint[] := '{}';
    more bigint[];
    urgency smallint := -1;
    name text;
    free text[];
    halted text[];
    probed text[];
BEGIN
    SELECT coalesce(array_agg(b.engine), '{}') INTO halted FROM ledger.brakes b
        WHERE b.lane = wanted AND b.stopped IS NOT NULL;
    IF halted <> '{}' THEN
        SELECT coalesce(array_agg(p.engine), '{}') INTO probed FROM (
            SELECT b.engine FROM ledger.brakes b
            WHERE b.lane = wanted AND b.stopped IS NOT NULL AND b.probe <= moment
            FOR UPDATE SKIP LOCKED
        ) p;
    END IF;
    LOOP
        SELECT priority INTO urgency FROM ledger.products
            WHERE state = 'due' AND lane = wanted AND priority > urgency
            ORDER BY priority LIMIT 1;
        EXIT WHEN urgency IS NULL OR most <= 0;
        free := '{}';
        name := '';
        LOOP
            SELECT engine INTO name FROM ledger.products
                WHERE state = 'due' AND lane = wanted AND priority = urgency AND engine > name
                ORDER BY engine LIMIT 1;
            EXIT WHEN name IS NULL;
            IF name <> ALL (halted) THEN
                free := free || name;
            ELSIF name = ANY (probed) THEN
                SELECT array_agg(c.id) INTO more FROM (
                    SELECT id FROM ledger.products
                    WHERE state = 'due' AND lane = wanted AND priority = urgency
                        AND engine = name AND due <= moment
                    ORDER BY due, id LIMIT 1 FOR UPDATE SKIP LOCKED
                ) c;
                IF more IS NOT NULL THEN
                    UPDATE ledger.brakes b SET probe = moment + probe_after
                        WHERE b.lane = wanted AND b.engine = name;
                    probed := array_remove(probed, name);
                    taken := taken || more;
                    most := most - 1;
                END IF;
            END IF;
        END LOOP;
        SELECT coalesce(array_agg(c.id), '{}') INTO more FROM (
            SELECT d.id FROM unnest(free) AS f (engine) CROSS JOIN LATERAL (
                SELECT p.id, p.due FROM ledger.products p
                WHERE p.state = 'due' AND p.lane = wanted AND p.priority = urgency
                    AND p.engine = f.engine AND p.due <= moment
                ORDER BY p.due, p.id LIMIT greatest(most, 0) FOR UPDATE SKIP LOCKED
            ) d ORDER BY d.due, d.id LIMIT greatest(most, 0)
        ) c;
        taken := taken || more;
        most := most - cardinality(more);
    END LOOP;
    RETURN QUERY UPDATE ledger.products p
        SET state = 'queued', turn = p.turn + 1, lease = NULL, worker = NULL, updated = moment
        FROM unnest(taken) WITH ORDINALITY AS t (id, place)
        WHERE p.id = t.id RETURNING p.*;
END $$;

CREATE TABLE ledger.workers (
    name text COLLATE "C" PRIMARY KEY,
    lane ledger.lane NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    device text,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen timestamptz NOT NULL DEFAULT clock_timestamp(),
    product text,
    step text,
    done bigint,
    total bigint,
    scratch_free bigint
) WITH (fillfactor = 50);

CREATE TABLE ledger.tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    role text NOT NULL CHECK (role IN ('read', 'operate')),
    sha256 bytea NOT NULL UNIQUE,
    created timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires timestamptz,
    revoked timestamptz,
    last_used timestamptz
);

CREATE TABLE ledger.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
