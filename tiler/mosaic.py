"""Mosaics: which Items of a Collection or search lie where, and in which order."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson
from psycopg import sql
from titiler.pgstac.errors import MosaicNotFoundError
from titiler.pgstac.model import Metadata, PgSTACSearch, Search

from tiler.coarse import coarse_items
from tiler.database import Pool, snapshot
from tiler.fresh import Fresh
from tiler.items import StoredItem

Box = tuple[float, float, float, float]
"""West, south, east and north in degrees; west is greater than east across the antimeridian."""

_MOST_MOSAICS = 512
_MOST_KEPT = 20_000
"""Most Items of all places that are remembered, at a kilobyte or two each."""
MOST_ITEMS = 200
"""Most Items that one tile, or the cell that it shares with others, is made of."""
MOST_COARSE_ITEMS = 6000
MOST_DAYS = 2000
"""Most days that a WMTS lists."""

_LEAST_CLOUD = """
SELECT sort_sqlorderby('{"sortby": [{"field": "eo:cloud_cover", "direction": "asc"},
    {"field": "datetime", "direction": "desc"}]}')
"""

_ITEM = sql.SQL(
    "content_hydrate(items.*,"
    """ '{"include": ["id", "collection", "bbox", "assets", "properties"]}'::jsonb)"""
)


@dataclass(frozen=True, slots=True)
class Mosaic:
    """A search whose Items are laid over each other, the first on top."""

    key: str
    search: Search
    where: str
    order: str

    def __hash__(self) -> int:
        return hash((self.key, self.where, self.order))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mosaic) and (self.key, self.where, self.order) == (
            other.key,
            other.where,
            other.order,
        )

    def __str__(self) -> str:
        return str(self.search.metadata.name or self.key)


@dataclass(frozen=True, slots=True)
class Place:
    """Where Items of a mosaic are looked for."""

    mosaic: Mosaic
    box: Box
    is_coarse: bool
    """Whether the newest of each grid square will do."""

    def __hash__(self) -> int:
        return hash((self.mosaic.key, self.mosaic.order, self.box, self.is_coarse))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and (
            self.mosaic.key,
            self.mosaic.order,
            self.box,
            self.is_coarse,
        ) == (other.mosaic.key, other.mosaic.order, other.box, other.is_coarse)


@dataclass(frozen=True, slots=True)
class Found:
    """The Items of a place in their order."""

    items: tuple[StoredItem, ...]
    is_cut: bool
    """Whether there are more that were left out."""


class Mosaics:
    """Mosaics and their Items, as the database has them now."""

    def __init__(self, pool: Pool, age_s: float) -> None:
        self._pool = pool

        def stamp() -> str:
            return snapshot(pool)

        self.searches: Fresh[str, Mosaic] = Fresh(self._search, stamp, age_s, _MOST_MOSAICS)
        """Registered searches by hash."""
        self.collections: Fresh[tuple[str, str], Mosaic] = Fresh(
            self._collection, stamp, age_s, _MOST_MOSAICS
        )
        """Collections by id and the JSON of what else is asked of their Items."""
        self.conditions: Fresh[tuple[tuple[str, ...], str], tuple[str, str]] = Fresh(
            self._conditions, stamp, age_s, _MOST_MOSAICS
        )
        """WHERE and ORDER BY of Collections and the JSON of what else is asked."""
        self.days: Fresh[Mosaic, tuple[str, ...]] = Fresh(self._days, stamp, age_s, _MOST_MOSAICS)
        """The days on which a mosaic has Items, newest first."""
        self.clearest: Fresh[Mosaic, Mosaic] = Fresh(self._clearest, stamp, age_s, _MOST_MOSAICS)
        """Mosaics with the Item of least cloud on top."""
        self.places: Fresh[Place, Found] = Fresh(
            self._found, stamp, age_s, _MOST_KEPT, lambda found: len(found.items) + 1
        )

    def _search(self, key: str) -> Mosaic:
        with self._pool.connection() as connection:
            row = connection.execute(
                "SELECT to_jsonb(searches.*)::text, stac_search_to_where(search),"
                " sort_sqlorderby(search) FROM searches WHERE hash = %s",
                (key,),
            ).fetchone()
        if row is None:
            raise MosaicNotFoundError(f"SearchId `{key}` not found")
        return Mosaic(key, Search.model_validate(orjson.loads(row[0])), row[1], row[2])

    def _collection(self, key: tuple[str, str]) -> Mosaic:
        name, asked = key
        # Nothing is registered for it, as TiTiler would: a map would write to the database.
        wanted = {"collections": [name], **json.loads(asked)}
        search = PgSTACSearch.model_validate(wanted)
        text = search.model_dump_json(by_alias=True, exclude_none=True)
        with self._pool.connection() as connection:
            row = connection.execute(
                "SELECT get_collection(%s)::text, stac_search_to_where(%s), sort_sqlorderby(%s)",
                (name, text, text),
            ).fetchone()
        if row is None or row[0] is None:
            raise MosaicNotFoundError(f"CollectionId `{name}` not found")
        collection = orjson.loads(row[0])
        extent = collection["extent"]["spatial"].get("bbox", [[-180, -90, 180, 90]])[0]
        metadata = Metadata(
            name=f"Mosaic for '{name}' Collection",
            bounds=search.bbox or extent,
            assets=list(collection.get("item_assets", {})) or None,
        )
        shown = {
            "hash": f"{name} {asked}",
            "search": orjson.loads(text),
            "lastused": datetime.now(UTC),
            "usecount": 0,
            "metadata": metadata.model_dump(exclude_none=True),
        }
        return Mosaic(f"{name} {asked}", Search.model_validate(shown), row[1], row[2])

    def _conditions(self, key: tuple[tuple[str, ...], str]) -> tuple[str, str]:
        names, asked = key
        search = {**({"collections": list(names)} if names else {}), **json.loads(asked)}
        text = PgSTACSearch.model_validate(search).model_dump_json(by_alias=True, exclude_none=True)
        with self._pool.connection() as connection:
            row = connection.execute(
                "SELECT stac_search_to_where(%s), sort_sqlorderby(%s)", (text, text)
            ).fetchone()
        return ("true", "true") if row is None else (row[0], row[1])

    def _clearest(self, mosaic: Mosaic) -> Mosaic:
        with self._pool.connection() as connection:
            row = connection.execute(_LEAST_CLOUD).fetchone()
        return replace(mosaic, order=row[0]) if row else mosaic

    def _days(self, mosaic: Mosaic) -> tuple[str, ...]:
        query = sql.SQL(
            "SELECT DISTINCT (datetime AT TIME ZONE 'UTC')::date AS day FROM items WHERE {}"
            " ORDER BY day DESC LIMIT {}"
        ).format(sql.SQL(mosaic.where), sql.Literal(MOST_DAYS))
        with self._pool.connection() as connection:
            return tuple(row[0].isoformat() for row in connection.execute(query))

    def _found(self, place: Place) -> Found:
        limit = MOST_COARSE_ITEMS if place.is_coarse else MOST_ITEMS
        with self._pool.connection() as connection:
            if place.is_coarse:
                order = sql.SQL(place.mosaic.order)
                items = coarse_items(connection, _in_place(place), order, limit + 1)
            else:
                rows = connection.execute(_query(place, limit)).fetchall()
                items = [StoredItem.of(orjson.loads(row[0])).drawn() for row in rows]
        return Found(tuple(items[:limit]), is_cut=len(items) > limit)


def _in_place(place: Place) -> sql.Composed:
    west, south, east, north = place.box
    boxes = [place.box] if west <= east else [(west, south, 180, north), (-180, south, east, north)]
    meets = sql.SQL(" OR ").join(
        sql.SQL("geometry && ST_MakeEnvelope({}, {}, {}, {}, 4326)").format(*map(sql.Literal, box))
        for box in boxes
    )
    # Both texts are pgstac's own, made from the search with every value quoted.
    where = sql.SQL(place.mosaic.where)
    return sql.SQL("({}) AND ({})").format(where, meets)


def _query(place: Place, limit: int) -> sql.Composed:
    return sql.SQL("SELECT {}::text FROM items WHERE {} ORDER BY {} LIMIT {}").format(
        _ITEM,
        _in_place(place),
        sql.SQL(place.mosaic.order),
        sql.Literal(limit + 1),
    )
