"""Lookups: what listing and following a backfill ask of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest.ledger.session import Session
from ingest.ledger.values import State

SUPERSEDED = "Superseded"
"""Error kind of a product that was taken out because a newer baseline of it is wanted."""

_KNOWN = """
SELECT product, state, engine_version FROM ledger.products
WHERE engine = %(engine)s AND product = ANY(%(products)s)
"""
_ALIKE = """
SELECT DISTINCT p.product, p.state FROM ledger.products p
JOIN unnest(%(tiles)s::text[], %(sensed)s::timestamptz[]) AS t (tile, sensed)
    ON p.tile = t.tile AND p.sensed = t.sensed
WHERE p.engine = %(engine)s
"""
# What another backfill asked for by itself stays, as does what is masked or being masked.
_SUPERSEDE = """
WITH mine AS (
    SELECT p.id FROM ledger.products p
    JOIN ledger.backfill_products l ON l.product = p.id AND l.backfill = %(backfill)s
    WHERE p.engine = %(engine)s AND p.product = ANY(%(products)s)
        AND p.state IN ('held', 'due', 'queued')
        AND NOT EXISTS (
            SELECT FROM ledger.backfill_products also
            JOIN ledger.backfills b ON b.id = also.backfill
            WHERE also.product = p.id AND also.backfill <> l.backfill
                AND b.state IN ('listing', 'running', 'paused'))
    ORDER BY p.product, p.engine FOR UPDATE OF p
)
UPDATE ledger.products p SET state = 'aborted', lease = NULL, error_kind = %(kind)s,
    error = 'a newer processing baseline of it is wanted', updated = clock_timestamp()
FROM mine WHERE p.id = mine.id AND p.state IN ('held', 'due', 'queued')
"""
_AT = """
SELECT FROM ledger.backfills
WHERE id = %(id)s AND state = 'listing' AND cursor IS NOT DISTINCT FROM %(cursor)s FOR UPDATE
"""
_ENDED = """
SELECT p.id, p.product, p.state, p.updated, p.record, p.error_kind, p.error,
    coalesce((p.timings ->> 'total')::float8, 0) AS seconds,
    p.updated < b.created AS before
FROM ledger.backfills b JOIN ledger.backfill_products l ON l.backfill = b.id
JOIN ledger.products p ON p.id = l.product
WHERE b.id = %(backfill)s AND p.state IN ('done', 'failed', 'aborted')
    AND (%(since)s::timestamptz IS NULL OR p.updated >= %(since)s::timestamptz)
ORDER BY p.updated, p.id
"""
# The oldest and the newest: what is done lies at an end, and the middle may be millions.
_SOME = """
WITH ends AS (
    (SELECT * FROM ledger.products ORDER BY id LIMIT 10000)
    UNION ALL (SELECT * FROM ledger.products ORDER BY id DESC LIMIT 10000)
)
"""
_PAST = (
    _SOME
    + """
SELECT count(DISTINCT id) AS products, avg((timings ->> 'total')::float8) AS seconds FROM ends
WHERE engine = %(engine)s AND state = 'done' AND timings ? 'total'
"""
)
_VERSION = (
    _SOME
    + """
SELECT engine_version FROM ends
WHERE engine = %(engine)s AND level = %(level)s AND state = 'done' AND engine_version IS NOT NULL
ORDER BY updated DESC LIMIT 1
"""
)
_LOCKED = """
SELECT EXISTS (
    SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()
        AND (l.classid::bigint << 32) + l.objid::bigint = %(key)s
) AS locked
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of one product and engine."""

    state: State
    version: str | None
    """Version of the engine that made the mask that is there."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A product of a backfill with which there is nothing more to do."""

    id: int
    product: str
    state: State
    updated: datetime
    record: str | None
    error_kind: str | None
    error: str | None
    seconds: float
    """That masking took."""
    before: bool
    """Whether that was so before the backfill began."""


@dataclass(frozen=True, slots=True)
class Past:
    """What an engine took for products that it has masked."""

    products: int
    seconds: float
    """On average, on one device."""


class Lookups(Session):
    """Questions that change nothing, and two that listing needs beside them."""

    def known(self, engine: str, products: Sequence[str]) -> dict[str, Known]:
        """Look products up by name."""
        rows = self._rows(_KNOWN, {"engine": engine, "products": list(products)})
        return {row["product"]: Known(State(row["state"]), row["engine_version"]) for row in rows}

    def alike(self, engine: str, places: Sequence[tuple[str, datetime]]) -> dict[str, State]:
        """Find every product of some tiles and times of sensing, with its state."""
        tiles, sensed = [tile for tile, _ in places], [moment for _, moment in places]
        rows = self._rows(_ALIKE, {"engine": engine, "tiles": tiles, "sensed": sensed})
        return {row["product"]: State(row["state"]) for row in rows}

    def supersede(self, backfill: str, engine: str, products: Sequence[str]) -> int:
        """Take products out of a backfill that wait, for newer baselines of them are wanted.

        What another backfill asked for stays. Called inside ``transaction()``, with the wish for
        the newer ones.
        """
        told: dict[str, Any] = {"backfill": backfill, "engine": engine, "kind": SUPERSEDED}
        return self._run(_SUPERSEDE, {**told, "products": list(products)})

    def listings(self) -> list[str]:
        """Name the backfills that are to be listed, the oldest first."""
        rows = self._rows(
            "SELECT id FROM ledger.backfills WHERE state = 'listing' ORDER BY created, id"
        )
        return [row["id"] for row in rows]

    def watch_lock(self) -> None:
        """Have whoever begins a watch do so alone; called inside ``transaction()``."""
        self._rows("SELECT pg_advisory_xact_lock(hashtext('ledger.watch'))")

    def listing_at(self, id: str, cursor: str | None) -> bool:  # noqa: A002 - its name in the ledger
        """Lock a backfill, and tell whether it is still being listed and at this place.

        Called inside ``transaction()``: of two that list the same page, one finds it gone.
        """
        return self._row(_AT, {"id": id, "cursor": cursor}) is not None

    def locked(self, key: int) -> bool:
        """Tell whether anybody holds an advisory lock."""
        return self._row(_LOCKED, {"key": key})["locked"] is True

    def backfill_trouble(self, id: str, error: str | None) -> None:  # noqa: A002 - its name in the ledger
        """Note why listing waits, or that it does not wait any more."""
        self._run(
            "UPDATE ledger.backfills SET error = %(error)s, updated = clock_timestamp()"
            " WHERE id = %(id)s AND state IN ('listing', 'running', 'paused')"
            " AND error IS DISTINCT FROM %(error)s",
            {"id": id, "error": error},
        )

    def ended(self, backfill: str, since: datetime | None = None) -> list[Ended]:
        """List the products of a backfill that are done, failed or aborted, as they ended.

        Args:
            backfill: Its id.
            since: Only what ended then or later.
        """
        rows = self._rows(_ENDED, {"backfill": backfill, "since": since})
        return [Ended(**{**row, "state": State(row["state"])}) for row in rows]

    def past(self, engine: str) -> Past:
        """Tell what products took that an engine has masked, going by some thousands."""
        row = self._row(_PAST, {"engine": engine})
        return Past(row["products"], row["seconds"] or 0.0)

    def latest_version(self, engine: str, level: str) -> str | None:
        """Tell the version of an engine that masked last; ``None`` if it never did."""
        row = self._row(_VERSION, {"engine": engine, "level": level})
        return None if row is None else str(row["engine_version"])

    def now(self) -> datetime:
        """Tell the time, by the clock of the database."""
        moment: datetime = self._row("SELECT clock_timestamp() AS now")["now"]
        return moment
