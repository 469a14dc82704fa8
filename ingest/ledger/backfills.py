"""Backfills: products that were asked for together, followed and steered together."""

import secrets
from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from ingest.errors import BackfillStateError, UnknownBackfillError
from ingest.ledger.session import Session
from ingest.ledger.values import Backfill, BackfillState

_GET = "SELECT * FROM ledger.backfills WHERE id = %(id)s"
_LIST = "SELECT * FROM ledger.backfills ORDER BY created DESC, id"
_CREATE = """
INSERT INTO ledger.backfills (id, name, engine, spec, priority, created_by)
VALUES (%(id)s, %(name)s, %(engine)s, %(spec)s, %(priority)s, %(created_by)s)
RETURNING *
"""
_NOTE = """
UPDATE ledger.backfills b SET cursor = %(cursor)s, found = b.found + %(found)s,
    updated = clock_timestamp(),
    skipped = b.skipped || coalesce((
        SELECT jsonb_object_agg(key, coalesce((b.skipped ->> key)::bigint, 0) + value::bigint)
        FROM jsonb_each_text(%(skipped)s)), '{}')
WHERE id = %(id)s
"""
_LISTED = """
UPDATE ledger.backfills SET listed = true, updated = clock_timestamp(),
    state = CASE WHEN state = 'listing' THEN 'running' ELSE state END
WHERE id = %(id)s
"""
_LISTING_FAILED = """
UPDATE ledger.backfills SET state = 'failed', error = %(error)s, updated = clock_timestamp()
WHERE id = %(id)s AND state = 'listing'
"""
# A watch is never at its end. Locked first: a retry that is under way is seen whole.
_SETTLING = """
SELECT id FROM ledger.backfills
WHERE state = 'running' AND spec ->> 'kind' IS DISTINCT FROM 'watch' ORDER BY id FOR UPDATE
"""
_SETTLE = """
UPDATE ledger.backfills b SET state = 'done', updated = clock_timestamp()
WHERE b.id = ANY(%(ids)s) AND NOT EXISTS (
    SELECT FROM (
        SELECT n, state FROM ledger.tallies t WHERE t.backfill = b.id
        UNION ALL SELECT n, state FROM ledger.changes c WHERE c.backfill = b.id
    ) counted WHERE state IN ('held', 'due', 'queued', 'running') HAVING sum(n) > 0
)
RETURNING b.id
"""


class Backfills(Session):
    """What was asked for together."""

    def backfill_create(
        self,
        name: str,
        engine: str,
        spec: Mapping[str, Any],
        *,
        priority: int,
        created_by: str,
    ) -> Backfill:
        """Begin a backfill, to be listed.

        Args:
            name: For people; need not be unique.
            engine: Name of the engine.
            spec: What is asked for; a ``kind`` of ``watch`` means that it is never done.
            priority: 0, live, to 9.
            created_by: Who asks.
        """
        row = self._row(
            _CREATE,
            {
                "id": secrets.token_hex(4),
                "name": name,
                "engine": engine,
                "spec": Jsonb(dict(spec)),
                "priority": priority,
                "created_by": created_by,
            },
        )
        return _backfill(row)

    def backfill_get(self, id: str) -> Backfill:  # noqa: A002 - its name in the ledger
        """Look a backfill up.

        Raises:
            UnknownBackfillError: There is none of that id.
        """
        row = self._row(_GET, {"id": id})
        if row is None:
            raise UnknownBackfillError(id)
        return _backfill(row)

    def backfill_list(self) -> list[Backfill]:
        """List all backfills, the newest first."""
        return [_backfill(row) for row in self._rows(_LIST)]

    def backfill_note(
        self,
        id: str,  # noqa: A002 - its name in the ledger
        *,
        cursor: str | None,
        found: int,
        skipped: Mapping[str, int],
    ) -> None:
        """Note that a page is listed; in one transaction with ``want``, none is listed twice.

        Args:
            id: Which.
            cursor: Where listing goes on.
            found: Products of the page that are wanted, to be added.
            skipped: Products of the page that were left out, by reason, to be added.
        """
        self._run(
            _NOTE, {"id": id, "cursor": cursor, "found": found, "skipped": Jsonb(dict(skipped))}
        )

    def backfill_listed(self, id: str) -> None:  # noqa: A002 - its name in the ledger
        """Note that listing is over: listing to running; what is paused stays so."""
        self._run(_LISTED, {"id": id})

    def backfill_failed(self, id: str, error: str) -> None:  # noqa: A002 - its name in the ledger
        """Note that its products cannot be listed; those that were found are worked on."""
        self._run(_LISTING_FAILED, {"id": id, "error": error})

    def settle(self) -> list[str]:
        """End the backfills that have nothing left to do: running to done; gives their ids."""
        self._run("SELECT ledger.fold()")
        with self.transaction():
            ids = [row["id"] for row in self._rows(_SETTLING)]
            return [row["id"] for row in self._rows(_SETTLE, {"ids": ids})]

    def _moved(self, id: str, states: tuple[BackfillState, ...], step: str) -> Backfill:  # noqa: A002 - its name in the ledger
        """Lock a backfill that is to take a step."""
        row = self._row(_GET + " FOR UPDATE", {"id": id})
        if row is None:
            raise UnknownBackfillError(id)
        backfill = _backfill(row)
        if backfill.state not in states:
            raise BackfillStateError(id, backfill.state, step)
        return backfill


def _backfill(row: Mapping[str, Any]) -> Backfill:
    return Backfill(**{**row, "state": BackfillState(row["state"])})
