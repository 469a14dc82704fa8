"""The products that may say something about a polygon, as pgstac holds them."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import orjson
from psycopg import Connection, errors, sql
from psycopg.rows import TupleRow

from producer.layout import MASK
from tiler.clear.hydration import hydrated
from tiler.database import Pool
from tiler.errors import LimitError, QuestionError
from tiler.items import StoredAsset

_REFUSED = (
    errors.DataError,
    errors.RaiseException,
    errors.InvalidParameterValue,
    errors.SyntaxErrorOrAccessRuleViolation,
)
# Not pgstac.search: that writes every search down, and polygons of clients come in any number.
_WHERE = "SELECT pgstac.stac_search_to_where(%s::jsonb)"
_FACTS = """
SELECT collection, id, content->'properties', content->'bbox', content->'assets'->'mask'->>'href',
    coalesce(content->'assets'->'mask'->>'file:checksum', md5(content::text))
FROM pgstac.items WHERE {where} AND content->'assets' ? 'mask'
ORDER BY datetime DESC, id, collection LIMIT {limit}
"""
_WHOLE = """
SELECT collection, id, content->>'pgstac:base_item', content::text, ST_AsGeoJSON(geometry, 20)
FROM pgstac.items WHERE collection = ANY(%s) AND id = ANY(%s)
"""
_DATE_LINE = 180.0
_BASE = "SELECT pgstac.collection_base_item(%s, %s::int)"

Key = tuple[str, str]
"""Collection and id."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product whose footprint meets the polygon."""

    collection: str
    id: str
    properties: dict[str, Any]
    bbox: tuple[float, ...]
    mask: StoredAsset

    @property
    def key(self) -> Key:
        """Collection and id."""
        return self.collection, self.id

    def may_meet(self, bounds: tuple[float, float, float, float]) -> bool:
        """Tell by boxes whether the product can cover anything of a polygon."""
        half = len(self.bbox) // 2
        west, south, east, north = self.bbox[0], self.bbox[1], self.bbox[half], self.bbox[half + 1]
        if south > bounds[3] or north < bounds[1]:
            return False
        # Around the antimeridian boxes tell little.
        wraps = west > east or bounds[2] > _DATE_LINE or bounds[0] < -_DATE_LINE
        return wraps or (west <= bounds[2] and east >= bounds[0])


@dataclass(frozen=True, slots=True)
class After:
    """Where a page begins: after one product, in the order of time, the latest first."""

    datetime: str
    id: str
    collection: str

    @classmethod
    def of(cls, product: Candidate) -> Self:
        """Begin after a product."""
        said = product.properties
        sensed = said.get("datetime") or said.get("start_datetime")
        return cls(str(sensed), product.id, product.collection)

    @classmethod
    def parse(cls, token: str) -> Self:
        """Read what ``token`` wrote.

        Raises:
            QuestionError: It is none.
        """
        try:
            words = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            after = cls(*words)
            datetime.fromisoformat(after.datetime)
        except (ValueError, TypeError) as error:
            raise QuestionError("token is none that was given with a next link") from error
        if not all(isinstance(word, str) for word in words):
            raise QuestionError("token is none that was given with a next link")
        return after

    def token(self) -> str:
        """Write it for a link."""
        words = [self.datetime, self.id, self.collection]
        return base64.urlsafe_b64encode(orjson.dumps(words)).decode().rstrip("=")

    def condition(self, connection: Connection[TupleRow]) -> str:
        """Give it as SQL."""
        return (
            sql.SQL(
                "datetime <= {time}::timestamptz AND (datetime < {time}::timestamptz"
                " OR (id, collection) > ({id}, {collection}))"
            )
            .format(time=self.datetime, id=self.id, collection=self.collection)
            .as_string(connection)
        )


class Catalogue:
    """Asks pgstac, within limits of number and time."""

    def __init__(self, pool: Pool, most: int) -> None:
        self._pool = pool
        self._most = most

    def candidates(self, search: dict[str, Any], timeout_s: float) -> list[Candidate]:
        """Find products by a STAC search.

        Raises:
            QuestionError: pgstac refuses the search.
            LimitError: There are too many, or it takes too long.
        """
        with self._asked(timeout_s) as connection:
            where = _where(connection, search)
            query = _FACTS.format(where=where, limit=self._most + 1)
            rows = connection.execute(query.encode()).fetchall()
        if len(rows) > self._most:
            raise LimitError("products that match", f"more than {self._most}", self._most)
        return [_candidate(row) for row in rows]

    def items(self, keys: Sequence[Key], timeout_s: float) -> dict[Key, dict[str, Any]]:
        """Give whole Items.

        Raises:
            LimitError: It takes too long.
        """
        collections, names = sorted({key[0] for key in keys}), [key[1] for key in keys]
        bases: dict[tuple[str, str | None], Any] = {}
        with self._asked(timeout_s) as connection:
            rows = connection.execute(_WHOLE, [collections, names]).fetchall()
            for which in {(collection, tag) for collection, _, tag, *_ in rows}:
                answer = connection.execute(_BASE, which).fetchone()
                bases[which] = (answer and answer[0]) or {}
        return {
            (collection, name): _whole(name, bases[collection, tag], content, geometry)
            for collection, name, tag, content, geometry in rows
        }

    def page(
        self, search: dict[str, Any], after: "After | None", limit: int, timeout_s: float
    ) -> list[Candidate]:
        """Find so many products, the latest first, that come after another one.

        Raises:
            QuestionError: pgstac refuses the search.
            LimitError: It takes too long.
        """
        with self._asked(timeout_s) as connection:
            where = _where(connection, search)
            if after is not None:
                where = f"({where}) AND {after.condition(connection)}"
            query = _FACTS.format(where=where, limit=int(limit))
            return [_candidate(row) for row in connection.execute(query.encode()).fetchall()]

    @contextmanager
    def _asked(self, timeout_s: float) -> Iterator[Connection[TupleRow]]:
        milliseconds = max(int(timeout_s * 1000), 1)
        try:
            with self._pool.connection() as connection, connection.transaction():
                connection.execute(f"SET LOCAL statement_timeout = {milliseconds}")
                yield connection
        except errors.QueryCanceled as error:
            raise LimitError("seconds that it takes", "more than are left", timeout_s) from error
        except _REFUSED as error:
            raise QuestionError(error.diag.message_primary or str(error)) from error


def _where(connection: Connection[TupleRow], search: dict[str, Any]) -> str:
    """Let pgstac make SQL of a search; it quotes all that came from the client."""
    answer = connection.execute(_WHERE, [orjson.dumps(search).decode()]).fetchone()
    return str(answer[0]) if answer else "FALSE"


def _candidate(row: TupleRow) -> Candidate:
    collection, name, properties, bbox, href, version = row
    mask = StoredAsset(MASK, href, "", version)
    return Candidate(collection, name, properties, tuple(bbox), mask)


def _whole(name: str, base: dict[str, Any], content: str, geometry: str) -> dict[str, Any]:
    item: dict[str, Any] = hydrated(orjson.loads(content), base)
    item.pop("pgstac:base_item", None)
    return {**item, "type": "Feature", "id": name, "geometry": orjson.loads(geometry)}
