"""Footprints: a slim row an Item beside pgstac, from which maps of continents are drawn.

pgstac keeps an Item as JSON of some kilobytes. To find the newest of each place among a million
takes seconds with those, and milliseconds with this table, which a trigger keeps as the Items are,
whoever writes into pgstac, in the same transaction.
"""

EXISTS = "SELECT to_regclass('nimbostac.footprints') IS NOT NULL"

_FACTS = """
SELECT item.collection, item.id, item.datetime,
    coalesce(properties->>'grid:code', ST_GeoHash(ST_Centroid(item.geometry), 4), ''),
    (properties->>'nimbostac:clear')::real,
    (properties->>'eo:cloud_cover')::real,
    CASE WHEN ST_NPoints(item.geometry) > 12
        THEN ST_SimplifyPreserveTopology(item.geometry, 0.01) ELSE item.geometry END
"""

# As its owner, so that whoever may write Items need not know of it.
_TABLE = """
CREATE SCHEMA IF NOT EXISTS nimbostac;

CREATE TABLE nimbostac.footprints (
    collection text NOT NULL,
    id text NOT NULL,
    datetime timestamptz NOT NULL,
    place text NOT NULL,
    clear real,
    cloud_cover real,
    outline geometry NOT NULL,
    PRIMARY KEY (collection, id)
);

-- Steps from place to place, and from the newest Item of each to older ones.
CREATE INDEX footprints_place ON nimbostac.footprints (collection, place, datetime DESC)
    INCLUDE (clear, cloud_cover);

<functions>

CREATE TRIGGER nimbostac_footprints AFTER INSERT OR UPDATE OR DELETE ON pgstac.items
    FOR EACH ROW EXECUTE FUNCTION nimbostac.keep_footprint();
CREATE TRIGGER nimbostac_footprints AFTER DELETE ON pgstac.collections
    FOR EACH ROW EXECUTE FUNCTION nimbostac.drop_footprints();

INSERT INTO nimbostac.footprints <facts> FROM pgstac.items item
    CROSS JOIN LATERAL (SELECT item.content->'properties' AS properties) once;

GRANT USAGE ON SCHEMA nimbostac TO pgstac_read;
GRANT SELECT ON nimbostac.footprints TO pgstac_read;
"""

FUNCTIONS = """
-- What PostGIS says of the cost of its functions has every row planned anew otherwise, which takes
-- longer than all else that is done here.
CREATE OR REPLACE FUNCTION nimbostac.keep_footprint() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    -- Taken once: an Item is unpacked anew each time that it is looked into.
    properties jsonb := NEW.content->'properties';
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM nimbostac.footprints WHERE collection = OLD.collection AND id = OLD.id;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN NULL;
    END IF;
    INSERT INTO nimbostac.footprints <facts>
    ON CONFLICT (collection, id) DO UPDATE SET datetime = excluded.datetime,
        place = excluded.place, clear = excluded.clear, cloud_cover = excluded.cloud_cover,
        outline = excluded.outline;
    RETURN NULL;
END $$;

-- pgstac drops the tables of a Collection's Items, which no trigger of theirs sees.
CREATE OR REPLACE FUNCTION nimbostac.drop_footprints() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM nimbostac.footprints WHERE collection = OLD.id;
    RETURN NULL;
END $$;
""".replace("<facts>", _FACTS.replace("item.", "NEW."))
"""What keeps the table; for every database, whichever version of it made the table."""

SCHEMA = _TABLE.replace("<facts>", _FACTS).replace("<functions>", FUNCTIONS)
"""Makes the table of the Items that there are, and what keeps it; for a database without it."""
