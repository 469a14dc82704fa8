"""Maps of continents: the newest Item of each place, of however many there are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import TupleRow

from ingest import footprints
from tiler.database import Pool, snapshot
from tiler.fresh import Fresh
from tiler.mosaic import Box

_MOST_LISTS = 64
_MOST_TILE_BYTES = 64 * 1024 * 1024
# What a tile without anything in it takes.
_TILE_BYTES = 500
# A tile of Sentinel-2 is 110 km wide; what is newest of a place need not cover all of it.
_MARGIN_DEG = 1.0
_LEAST_COSINE = 0.05

_CELLS = """
WITH RECURSIVE cells AS (
    SELECT chosen.id AS collection, (
        SELECT min(place) FROM nimbostac.footprints WHERE collection = chosen.id
    ) AS place
    FROM pgstac.collections chosen WHERE %(all)s OR chosen.id = ANY(%(collections)s)
    UNION ALL
    SELECT cells.collection, (
        SELECT min(place) FROM nimbostac.footprints
        WHERE collection = cells.collection AND place > cells.place
    )
    FROM cells WHERE cells.place IS NOT NULL
)
SELECT cells.collection, cells.place, ST_XMin(outline), ST_YMin(outline), ST_XMax(outline),
    ST_YMax(outline)
FROM cells, LATERAL (
    SELECT outline FROM nimbostac.footprints newest
    WHERE newest.collection = cells.collection AND newest.place = cells.place
    ORDER BY datetime DESC LIMIT 1
) newest
"""
_TILE = """
WITH tile AS MATERIALIZED (SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS box),
shown AS (
    SELECT cells.collection, cells.place, newest.*, counted.*
    FROM unnest(%(collections)s::text[], %(places)s::text[]) AS cells(collection, place),
    LATERAL (
        SELECT id, datetime, clear, cloud_cover, outline FROM nimbostac.footprints item
        WHERE item.collection = cells.collection AND item.place = cells.place
            AND datetime >= %(first)s::timestamptz AND datetime <= %(last)s::timestamptz
        ORDER BY datetime DESC LIMIT 1
    ) newest,
    LATERAL (
        SELECT count(*) AS count, avg(item.cloud_cover) AS mean_cloud_cover
        FROM nimbostac.footprints item
        WHERE item.collection = cells.collection AND item.place = cells.place
            AND datetime >= %(first)s::timestamptz AND datetime <= %(last)s::timestamptz
    ) counted
),
drawn AS (
    SELECT id, collection, place AS grid, clear, cloud_cover, count::int AS count,
        mean_cloud_cover,
        to_char(datetime AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS datetime,
        -- What is too small to have an area in this tile is a point.
        coalesce(ST_AsMVTGeom(plane, tile.box, 4096, 64),
            ST_AsMVTGeom(ST_Centroid(plane), tile.box, 4096, 64)) AS geom
    FROM shown, tile, LATERAL (SELECT ST_Transform(CASE
        WHEN ST_YMin(outline) > -85.05 AND ST_YMax(outline) < 85.05 THEN outline
        ELSE ST_Intersection(outline, ST_MakeEnvelope(-180, -85.05, 180, 85.05, 4326))
    END, 3857) AS plane OFFSET 0) flattened
)
SELECT ST_AsMVT(drawn, 'footprints', 4096, 'geom'), count(*), coalesce(sum(count), 0)
FROM drawn WHERE geom IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """A place of which a Collection has Items."""

    collection: str
    place: str
    box: Box
    """Where all of them lie, with a margin."""


@dataclass(frozen=True, slots=True)
class TileOfPlaces:
    """What is drawn: a tile of Web Mercator, some Collections, some time."""

    z: int
    x: int
    y: int
    collections: tuple[str, ...]
    """None for all."""
    first: str
    last: str
    """The first and last instant; ``-infinity`` and ``infinity`` where it is open."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A vector tile, and how many Items stand behind it."""

    content: bytes
    features: int
    items: int


class Places:
    """The places of all Collections, as the database has them now."""

    def __init__(self, pool: Pool, age_s: float) -> None:
        self._pool = pool
        self._is_there = False

        def stamp() -> str:
            return snapshot(pool)

        self._cells: Fresh[tuple[str, ...], tuple[Cell, ...]] = Fresh(
            self._listed, stamp, age_s, _MOST_LISTS
        )
        self.tiles: Fresh[TileOfPlaces, Drawn] = Fresh(
            self._drawn,
            stamp,
            age_s,
            _MOST_TILE_BYTES,
            lambda drawn: len(drawn.content) + _TILE_BYTES,
        )
        """Vector tiles."""

    def are_kept(self) -> bool:
        """Tell whether the database keeps places; one that was not migrated lately does not."""
        if not self._is_there:
            with self._pool.connection() as connection:
                row = connection.execute(footprints.EXISTS).fetchone()
            self._is_there = bool(row and row[0])
        return self._is_there

    def cells(self, collections: tuple[str, ...]) -> tuple[Cell, ...]:
        """List the places of some Collections, of all without any."""
        return self._cells.get(tuple(sorted(collections)))

    def _listed(self, collections: tuple[str, ...]) -> tuple[Cell, ...]:
        values = {"all": not collections, "collections": list(collections)}
        with self._pool.connection() as connection:
            rows = connection.execute(_CELLS.encode(), values).fetchall()
        return tuple(Cell(row[0], row[1], _around(row[2:])) for row in rows)

    def _drawn(self, tile: TileOfPlaces) -> Drawn:
        box = _degrees(tile)
        cells = [each for each in self._cells.get(tile.collections) if _meet(each.box, box)]
        if not cells:
            return Drawn(b"", 0, 0)
        values = {
            **{name: getattr(tile, name) for name in ("z", "x", "y", "first", "last")},
            "collections": [each.collection for each in cells],
            "places": [each.place for each in cells],
        }
        with self._pool.connection() as connection:
            row = connection.execute(_TILE.encode(), values).fetchone()
        return Drawn(bytes(row[0] or b""), row[1], int(row[2])) if row else Drawn(b"", 0, 0)


def _around(box: TupleRow | Sequence[float]) -> Box:
    west, south, east, north = box
    farthest = max(abs(south), abs(north))
    wide = _MARGIN_DEG / max(math.cos(math.radians(min(farthest, 90))), _LEAST_COSINE)
    return west - wide, south - _MARGIN_DEG, east + wide, north + _MARGIN_DEG


def _degrees(tile: TileOfPlaces) -> Box:
    count = 2**tile.z

    def latitude(y: int) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / count))))

    west, east = (360 * x / count - 180 for x in (tile.x, tile.x + 1))
    # What lies beyond the last row is drawn at its edge.
    south = -90.0 if tile.y == count - 1 else latitude(tile.y + 1)
    return west, south, east, 90.0 if tile.y == 0 else latitude(tile.y)


def _meet(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]
