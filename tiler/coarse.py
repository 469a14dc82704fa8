"""Items of maps of continents: the first few of each place, as far as drawing them goes."""

from typing import Any

import orjson
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from ingest import footprints
from producer.layout import MASK
from tiler.clear.hydration import hydrated
from tiler.items import StoredAsset, StoredItem

_LAYERS = 4
"""First Items of each place that a map of a continent is made of; the rest lie beneath."""

# The place is in a slim table beside pgstac; to read it from an Item takes its whole JSON.
_KEPT = sql.SQL("JOIN nimbostac.footprints USING (collection, id)")
_OWN_PLACE = sql.SQL(
    ", coalesce(content->'properties'->>'grid:code', ST_GeoHash(ST_Centroid(geometry), 4)) AS place"
)
_FOUND = sql.SQL("""
WITH found AS (
    SELECT collection, id, datetime AS sensed, row_number() OVER (ORDER BY {order}) AS position
        {own_place}
    FROM items WHERE {conditions}
),
layered AS (
    SELECT found.*, row_number() OVER (PARTITION BY place ORDER BY position) AS layer
    FROM found {kept}
)
SELECT item.collection, item.id, said."pgstac:base_item", said.assets->{mask},
    CASE WHEN said.assets->{mask} ? 'file:checksum' THEN '' ELSE md5(item.content::text) END,
    ST_XMin(geometry), ST_YMin(geometry), ST_XMax(geometry), ST_YMax(geometry)
FROM layered
-- The time says which of its partitions an Item is in.
JOIN items item ON item.collection = layered.collection AND item.id = layered.id
    AND item.datetime = layered.sensed,
LATERAL jsonb_to_record(item.content) AS said(assets jsonb, "pgstac:base_item" text)
WHERE layer <= {layers} ORDER BY position LIMIT {limit}
""")
_BASE = "SELECT (pgstac.collection_base_item(%s, %s::int)->'assets'->%s)::text"


def coarse_items(
    connection: Connection[TupleRow], conditions: sql.Composable, order: sql.Composable, limit: int
) -> list[StoredItem]:
    """Find Items in their order, the first few of each place; they say of their mask only.

    Args:
        connection: To pgstac.
        conditions: Which Items.
        order: Which of them are on top.
        limit: Most of them.
    """
    row = connection.execute(footprints.EXISTS).fetchone()
    is_kept = bool(row and row[0])
    query = _FOUND.format(
        order=order,
        conditions=conditions,
        own_place=sql.SQL("") if is_kept else _OWN_PLACE,
        kept=_KEPT if is_kept else sql.SQL(""),
        mask=sql.Literal(MASK),
        layers=sql.Literal(_LAYERS),
        limit=sql.Literal(limit),
    )
    bases: dict[tuple[str, str | None], Any] = {}
    found = []
    for collection, name, tag, mask, made_of, *box in connection.execute(query).fetchall():
        if (collection, tag) not in bases:
            bases[collection, tag] = _base(connection, collection, tag)
        found.append(_item(collection, name, made_of, box, hydrated(mask, bases[collection, tag])))
    return found


def _base(connection: Connection[TupleRow], collection: str, tag: str | None) -> Any:  # noqa: ANN401 - JSON
    row = connection.execute(_BASE, (collection, tag, MASK)).fetchone()
    return orjson.loads(row[0]) if row and row[0] else None


def _item(
    collection: str, name: str, made_of: str, box: list[float], mask: dict[str, Any] | None
) -> StoredItem:
    west, south, east, north = box
    assets = {}
    if mask and mask.get("href"):
        version = str(mask.get("file:checksum") or made_of)
        assets[MASK] = StoredAsset(MASK, mask["href"], mask.get("type", ""), version)
    return StoredItem(collection, name, made_of, (west, south, east, north), "", {}, assets)
