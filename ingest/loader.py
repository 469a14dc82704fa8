"""The loader: rows of Items, made first and copied into pgstac then."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Self

import orjson
import psycopg
import shapely
from psycopg import sql
from pypgstac.db import PgstacDB
from pypgstac.load import Loader, Methods

_COLUMNS = ("id", "collection", "datetime", "end_datetime", "geometry", "content", "private")
_COPY = f"COPY {{}} ({', '.join(_COLUMNS)}) FROM STDIN"
_CHECK_PARTITION = """
SELECT check_partition(%(collection)s, month, month)
FROM tstzrange(%(first)s, %(last)s, '[]') AS month
"""


class ItemLoader(Loader):
    """Loads Items that were made ready before, so that others wait for the database only."""

    @classmethod
    def over(cls, connection: psycopg.Connection) -> Self:
        """Load over a connection."""
        return cls(database_of(connection))

    def replace(self, rows: Sequence[dict[str, Any]]) -> None:
        """Load rows, each in the place of what bore its id, in whichever partition."""
        if rows:
            self.load_items(iter(rows), insert_mode=Methods.delsert)

    def insert(self, rows: Sequence[dict[str, Any]]) -> None:
        """Load rows of ids that are not there, month by month.

        pypgstac's own way tells the partition of a month the times that it holds, to the second:
        after each batch all of it is read, and checked behind a lock that searches wait for. Here
        it is told once that its whole month may come.

        Raises:
            psycopg.errors.UniqueViolation: An id is there already; months before it are loaded.
        """
        connection = self.db.connect()
        for (collection, month), members in groupby(sorted(rows, key=_place), _place):
            first, last = bounds(month)
            given = {"collection": collection, "first": first, "last": last}
            with connection.transaction():
                name = connection.execute(_CHECK_PARTITION, given).fetchone()
            copy = sql.SQL(_COPY).format(sql.Identifier(*(name or ())))
            with connection.cursor() as cursor, cursor.copy(copy) as copied:
                for row in members:
                    copied.write_row([row[column] for column in _COLUMNS])

    def prepared(self, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Make rows of Items."""
        # All geometries at once, which takes half as long as pypgstac does one by one.
        read = shapely.from_geojson([orjson.dumps(item["geometry"]) for item in items])
        written = shapely.to_wkb(shapely.set_srid(read, 4326), hex=True, include_srid=True)
        rows = [super(ItemLoader, self).format_item({**item, "geometry": None}) for item in items]
        for row, geometry in zip(rows, written, strict=True):
            row["geometry"] = geometry
        return rows

    def format_item(self, _item: Any) -> dict[str, Any]:  # noqa: ANN401 - as its parent has it
        """Give a row as it is."""
        return dict(_item)


def bounds(month: str) -> tuple[datetime, datetime]:
    """Give the first and the last moment of a month, ``YYYY-MM``, as PostgreSQL counts them."""
    first = datetime.fromisoformat(f"{month}-01T00:00:00Z")
    following = (first + timedelta(days=31)).replace(day=1)
    return first, following - timedelta(microseconds=1)


def _place(row: dict[str, Any]) -> tuple[str, str]:
    """Give the Collection of a row and its month, in which its partition's name agrees."""
    return row["collection"], row["datetime"][:7]


class _NoPool:
    """Stands where pypgstac would open a pool, and keep it until the process ends.

    A connection that broke is an error here, not something to replace in silence.
    """

    def check(self) -> None:
        """Have nothing to mend."""

    def getconn(self) -> psycopg.Connection:
        """Refuse to connect anew."""
        raise psycopg.OperationalError("the connection was lost")


def database_of(connection: psycopg.Connection) -> PgstacDB:
    """Give pypgstac a connection that is there."""
    pool: Any = _NoPool()
    return PgstacDB(connection=connection, pool=pool)
