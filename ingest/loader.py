"""The loader: rows of Items, made first and copied into pgstac then."""

from collections.abc import Sequence
from typing import Any, Self

import orjson
import psycopg
import shapely
from pypgstac.db import PgstacDB
from pypgstac.load import Loader, Methods


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
        """Load rows of ids that are not there."""
        if rows:
            self.load_items(iter(rows), insert_mode=Methods.insert)

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
