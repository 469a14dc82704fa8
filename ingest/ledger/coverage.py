"""Coverage: what is known of a tile's products, and which were given up."""

from datetime import datetime

from ingest.ledger.session import Session
from ingest.ledger.values import Covered, Failure, Lane, State

_COVERAGE = """
SELECT product, engine, state, sensed, engine_version, error AS detail FROM ledger.products
WHERE tile = %(tile)s AND sensed >= %(start)s AND sensed < %(end)s
    AND (%(engine)s::text IS NULL OR engine = %(engine)s)
ORDER BY sensed, product, engine
"""
_FAILURES = """
SELECT id, product, engine, lane, source, coalesce(error_kind, '') AS kind,
    coalesce(error, '') AS error, attempts, updated
FROM ledger.products p WHERE state = 'failed' AND id > %(after)s
    AND (%(backfill)s::text IS NULL OR EXISTS (
        SELECT FROM ledger.backfill_products l WHERE l.backfill = %(backfill)s AND l.product = p.id
    ))
ORDER BY id LIMIT %(limit)s
"""


class Coverage(Session):
    """What is there and what is missing."""

    def coverage(
        self, tile: str, start: datetime, end: datetime, engine: str | None = None
    ) -> list[Covered]:
        """List the products of a tile that the ledger knows, by time of sensing.

        Args:
            tile: MGRS tile without its ``T``.
            start: First moment.
            end: Moment after the last.
            engine: Name of the engine; every one without.
        """
        rows = self._rows(_COVERAGE, {"tile": tile, "start": start, "end": end, "engine": engine})
        return [Covered(**{**row, "state": State(row["state"])}) for row in rows]

    def failures(
        self, backfill: str | None = None, limit: int = 100, after: int = 0
    ) -> list[Failure]:
        """List products that were given up, by id; ``after`` an id for the next page.

        Args:
            backfill: Only of this one.
            limit: How many at most.
            after: Only ids that are higher.
        """
        rows = self._rows(_FAILURES, {"backfill": backfill, "limit": limit, "after": after})
        return [Failure(**{**row, "lane": Lane(row["lane"])}) for row in rows]
