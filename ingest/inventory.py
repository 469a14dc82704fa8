"""The inventory: what storage, pgstac and the ledger each have of a product, side by side."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from heapq import merge
from itertools import groupby
from typing import LiteralString, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ingest.database import translated
from ingest.folders import Folder, ahead, folder, folders
from ingest.reading import Reading, read
from producer.storage import Storage

_PAGE = 5000
"""Rows that come from the database at once."""
_ITEMS = """
    SELECT i.collection, i.id AS product, i.content->'assets'->'mask'->>'href' AS href,
        jsonb_path_query_first(i.content, '$.links[*] ? (@.rel == "derived_from").href') #>> '{}'
            AS source
    FROM pgstac.items i JOIN pgstac.collections c ON c.id = i.collection
    WHERE c.content->'summaries' ? 'nimbostac:engine'
        AND i.collection = coalesce(%(collection)s, i.collection)
        AND i.id = coalesce(%(product)s, i.id)
"""
_ROWS = """
    SELECT engine || '-' || lower(level) AS collection, product, id, engine, source,
        state::text AS state, engine_version AS version, record
    FROM ledger.products
    WHERE level IS NOT NULL
        AND engine || '-' || lower(level) = coalesce(%(collection)s, engine || '-' || lower(level))
        AND product = coalesce(%(product)s, product)
"""
# The order of keys in storage, so that no side has to be held in memory.
_ORDER = """
    (collection || '/') COLLATE "C", substr(product, 40, 5) COLLATE "C",
    substr(product, 12, 6) COLLATE "C", product COLLATE "C"
"""
_UNDER_WAY = ("held", "due", "queued", "running")

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """What pgstac has."""

    collection: str
    product: str
    href: str | None
    """Address of the mask."""
    source: str | None
    """Address of the product."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the ledger has."""

    collection: str
    product: str
    id: int
    engine: str
    source: str
    state: str
    version: str | None
    """Of the engine that made the mask."""
    record: str | None
    """Key of the record."""


Side = Folder | Item | Row
S = TypeVar("S", Item, Row)


@dataclass(frozen=True, slots=True)
class Entry:
    """What there is of one product in one Collection."""

    collection: str
    product: str
    reading: Reading
    """What lies in storage."""
    items: tuple[Item, ...]
    """One, unless something went wrong."""
    row: Row | None

    @property
    def engine(self) -> str:
        """Name of the engine."""
        return self.collection.rpartition("-")[0]

    @property
    def under_way(self) -> bool:
        """Whether workers are going to change it."""
        return self.row is not None and self.row.state in _UNDER_WAY


class Inventory:
    """Looks at all three; not to be shared between threads."""

    def __init__(self, store: Storage, connection: psycopg.Connection) -> None:
        """Take a connection that commits each statement."""
        self._store = store
        self._connection = connection

    def count(self, collection: str | None = None) -> int:
        """Count the Items.

        Raises:
            DatabaseError: The database did not do it.
        """
        told = {"collection": collection, "product": None}
        counted = sql.SQL("SELECT count(*) FROM ({}) found").format(sql.SQL(_ITEMS))
        with translated():
            row = self._connection.execute(counted, told).fetchone()
        return int(row[0]) if row else 0

    def entries(self, collection: str | None = None) -> Iterator[Entry]:
        """Go through everything, in the order of storage.

        Memory does not grow with what there is: PostgreSQL sorts its sides once, on its own
        disk, and gives them page by page. What changes meanwhile may be seen half.

        Args:
            collection: Only this one.

        Raises:
            StorageError: Storage does not answer.
            DatabaseError: The database does not.
        """
        found = folders(self._store, collection or "")
        sides: Iterable[tuple[Key, Side]] = merge(
            ((_key(one), one) for one in found if one.key == folder_key(*_names(one))),
            ((_key(one), one) for one in self._sorted("items", _ITEMS, Item, collection)),
            ((_key(one), one) for one in self._sorted("rows", _ROWS, Row, collection)),
            key=lambda pair: pair[0],
        )
        groups = ([one for _, one in group] for _, group in groupby(sides, lambda pair: pair[0]))
        yield from ahead(partial(_entry, self._store), groups)

    def look(self, collection: str, product: str) -> Entry | None:
        """Look at one product anew; ``None`` if there is nothing of it any more.

        Raises:
            StorageError: Storage does not answer.
            DatabaseError: The database does not.
        """
        told = {"collection": collection, "product": product}
        there = folder(self._store, folder_key(collection, product))
        sides: list[Side] = [] if there is None else [there]
        with translated():
            with self._connection.cursor(row_factory=class_row(Item)) as items:
                sides += items.execute(_ITEMS, told).fetchall()
            with self._connection.cursor(row_factory=class_row(Row)) as rows:
                sides += rows.execute(_ROWS, told).fetchall()
        return _entry(self._store, sides) if sides else None

    def _sorted(
        self, name: str, query: LiteralString, kind: type[S], collection: str | None
    ) -> Iterator[S]:
        ordered = sql.SQL("SELECT * FROM ({}) found ORDER BY {}")
        # Held by the server beyond its transaction: a snapshot that lived for hours would keep
        # vacuum away from everything that workers do meanwhile.
        with (
            translated(),
            self._connection.cursor(name, row_factory=class_row(kind), withhold=True) as cursor,
        ):
            cursor.itersize = _PAGE
            cursor.execute(
                ordered.format(sql.SQL(query), sql.SQL(_ORDER)),
                {"collection": collection, "product": None},
            )
            yield from cursor


def folder_key(collection: str, product: str) -> str:
    """Key of the folder where storage has a product, or would have it."""
    tile, sensed = product[39:44], product[11:17]
    place = f"{tile[:2]}/{tile[2:3]}/{tile[3:]}/{sensed[:4]}/{sensed[4:]}"
    return f"{collection}/{place}/{product}"


def _names(side: Side) -> tuple[str, str]:
    return side.collection, side.product


def _key(side: Side) -> Key:
    collection, product = side.collection, side.product
    return f"{collection}/", product[39:44], product[11:17], product


def _entry(store: Storage, sides: list[Side]) -> Entry:
    collection, product = _names(sides[0])
    there = next((one for one in sides if isinstance(one, Folder)), None)
    return Entry(
        collection,
        product,
        read(store, there or Folder(folder_key(collection, product), {})),
        tuple(one for one in sides if isinstance(one, Item)),
        next((one for one in sides if isinstance(one, Row)), None),
    )
