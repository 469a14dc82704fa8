"""Turns: products on their way through the lanes, one guarded step after the other."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from ingest.ledger.session import Session, Turn, columns, task
from ingest.ledger.values import Lane, State, Task

LEASE_S = 60.0
"""Seconds that a worker is believed to have a product without saying so again."""
PROBE_S = 60.0
"""Seconds between two products of an engine that is stopped."""
TRIES = 7
"""How many times a product is given to another worker before it is given up."""

# Locked first, in one order for everybody: what is decided then is decided on the row as it is.
# States are compared as texts, or the planner may go through all that is queued or running, of
# which it has counted none, in place of finding the rows by their ids.
_STEP = """
WITH mine AS (
    SELECT p.id FROM ledger.products p
    JOIN unnest(%(ids)s::bigint[], %(turns)s::int[]) AS t (id, turn)
        ON p.id = t.id AND p.turn = t.turn
    WHERE p.state::text = ANY(%(states)s)
    ORDER BY p.product, p.engine FOR UPDATE OF p
)
UPDATE ledger.products p SET {changes} FROM mine WHERE p.id = mine.id
RETURNING {told}
"""
# A lease that is nearly as long as it may be stays: thousands of rows that are written anew every
# other second are more work than all their other steps.
_RENEW = """
WITH mine AS (
    SELECT p.id, p.lease > clock_timestamp() + make_interval(secs => %(young_s)s) AS is_young
    FROM ledger.products p
    JOIN unnest(%(ids)s::bigint[], %(turns)s::int[]) AS t (id, turn)
        ON p.id = t.id AND p.turn = t.turn
    WHERE p.state::text = 'running'
), old AS (
    SELECT p.id FROM ledger.products p
    JOIN unnest(%(ids)s::bigint[], %(turns)s::int[]) AS t (id, turn)
        ON p.id = t.id AND p.turn = t.turn
    WHERE p.state::text = 'running' AND p.id IN (SELECT id FROM mine WHERE NOT is_young)
    ORDER BY p.product, p.engine FOR UPDATE OF p
), renewed AS (
    UPDATE ledger.products p SET lease = clock_timestamp() + make_interval(secs => %(lease_s)s)
    FROM old WHERE p.id = old.id RETURNING p.id
)
SELECT id FROM mine WHERE is_young UNION ALL SELECT id FROM renewed
"""
_YOUNG = 5 / 6
"""Part of a lease that is left of one which need not be renewed yet."""
_TASK = (
    "p.id, p.turn, p.lane, p.engine, p.product, p.source, p.priority, p.attempts, p.staged,"
    " p.record"
)
_CLAIM = """
SELECT id, turn, lane, engine, product, source, priority, attempts, staged, record
FROM ledger.claim(%(lane)s::ledger.lane, %(limit)s::int, make_interval(secs => %(probe_s)s))
ORDER BY priority, due, id
"""
_RECLAIM = """
WITH lost AS (
    SELECT id FROM ledger.products WHERE state = 'running' AND lease < clock_timestamp()
    ORDER BY product, engine FOR UPDATE SKIP LOCKED
)
UPDATE ledger.products p SET lease = NULL, attempts = p.attempts + 1,
    state = CASE WHEN p.attempts + 1 >= %(tries)s THEN 'failed' ELSE ledger.ready(p.id) END,
    due = clock_timestamp(), error_kind = 'WorkerLost',
    error = format('the worker %%s stopped without a word', p.worker),
    updated = clock_timestamp()
FROM lost WHERE p.id = lost.id
RETURNING p.id, p.turn, p.lane, p.engine, p.product, p.source, p.priority, p.attempts, p.staged,
    p.record
"""


class Turns(Session):
    """Who does what next; an id with a turn that is over changes nothing."""

    def claim(self, lane: Lane, limit: int, *, probe_s: float = PROBE_S) -> list[Task]:
        """Take what is due next: due to queued, the most urgent first, then the longest due.

        Of an engine that is stopped nothing is taken but one product every ``probe_s``.
        """
        rows = self._rows(_CLAIM, {"lane": lane, "limit": limit, "probe_s": probe_s})
        return [task(row) for row in rows]

    def start(self, id: int, turn: int, worker: str, *, lease_s: float = LEASE_S) -> Task | None:  # noqa: A002 - its name in the ledger
        """Begin with a product: queued to running; ``None`` where it is not yours (any more)."""
        started = self.start_many([(id, turn)], worker, lease_s=lease_s)
        return started[0] if started else None

    def start_many(
        self, turns: Sequence[Turn], worker: str, *, lease_s: float = LEASE_S
    ) -> list[Task]:
        """Begin with products at once; those that are not yours (any more) are left out."""
        started = self._step(
            turns,
            [State.QUEUED],
            "state = 'running', worker = %(worker)s, updated = clock_timestamp(),"
            " lease = clock_timestamp() + make_interval(secs => %(lease_s)s)",
            {"worker": worker, "lease_s": lease_s},
            told=_TASK,
        )
        return [task(row) for row in started]

    def renew(self, turns: Sequence[Turn], lease_s: float = LEASE_S) -> set[int]:
        """Say that they are still worked on; give the ids that still may be."""
        given = {**columns(turns), "lease_s": lease_s, "young_s": lease_s * _YOUNG}
        return {row["id"] for row in self._rows(_RENEW, given)}

    def advance(  # noqa: PLR0913 - facts that come with the step
        self,
        id: int,  # noqa: A002 - its name in the ledger
        turn: int,
        to: Lane,
        *,
        staged: str | None = None,
        record: str | None = None,
        timings: Mapping[str, float] | None = None,
        bytes: int | None = None,  # noqa: A002 - its name in the ledger
        version: str | None = None,
    ) -> bool:
        """Send a product on to another lane: running to due there.

        Args:
            id: Which.
            turn: Of which turn.
            to: Forward, which ends the count of failed attempts, or back.
            staged: Where it was fetched to; forgotten once it is masked.
            record: Key of the record of its mask.
            timings: Seconds by step, added to those that are known.
            bytes: Size of its source.
            version: Version of the engine that made its mask.

        Returns:
            Whether it was yours.
        """
        advanced = self._step(
            [(id, turn)],
            [State.RUNNING],
            "state = ledger.ready(p.id),"
            " attempts = CASE WHEN %(to)s::ledger.lane > p.lane THEN 0 ELSE p.attempts END,"
            " lane = %(to)s::ledger.lane, due = clock_timestamp(), lease = NULL,"
            " staged = CASE WHEN %(to)s = 'publish' THEN NULL"
            " ELSE coalesce(%(staged)s, p.staged) END,"
            " record = coalesce(%(record)s, p.record), timings = p.timings || %(timings)s,"
            " bytes = coalesce(%(bytes)s, p.bytes),"
            " engine_version = coalesce(%(version)s, p.engine_version),"
            " error_kind = NULL, error = NULL, updated = clock_timestamp()",
            {
                "to": to,
                "staged": staged,
                "record": record,
                "timings": Jsonb(dict(timings or {})),
                "bytes": bytes,
                "version": version,
            },
        )
        return bool(advanced)

    def finish(
        self, turns: Sequence[Turn], *, timings: Mapping[str, float] | None = None
    ) -> set[int]:
        """End with products: running to done; gives the ids that were yours.

        Args:
            turns: Which, and of which turn.
            timings: Seconds by step that each of them took, added to those that are known.
        """
        finished = self._step(
            turns,
            [State.RUNNING],
            "state = 'done', lease = NULL, attempts = 0, staged = NULL,"
            " timings = p.timings || %(timings)s, error_kind = NULL, error = NULL,"
            " updated = clock_timestamp()",
            {"timings": Jsonb(dict(timings or {}))},
        )
        return {row["id"] for row in finished}

    def fail(
        self,
        id: int,  # noqa: A002 - its name in the ledger
        turn: int,
        kind: str,
        error: str,
        *,
        retry_in_s: float | None,
    ) -> bool:
        """Say that a try did not work: running to due later, or to failed for good.

        Args:
            id: Which.
            turn: Of which turn.
            kind: Class of the error.
            error: What it says.
            retry_in_s: Seconds until the next try; ``None`` for good.

        Returns:
            Whether it was yours.
        """
        failed = self._step(
            [(id, turn)],
            [State.RUNNING],
            "lease = NULL, attempts = p.attempts + 1,"
            " state = CASE WHEN %(later)s::float8 IS NULL THEN 'failed'"
            " ELSE ledger.ready(p.id) END,"
            " due = clock_timestamp() + make_interval(secs => coalesce(%(later)s, 0)),"
            " error_kind = %(kind)s, error = %(error)s, updated = clock_timestamp()",
            {"kind": kind, "error": error, "later": retry_in_s},
        )
        return bool(failed)

    def give_back(self, turns: Sequence[Turn]) -> int:
        """Put products back: queued or running to due at once, as if they had not been taken."""
        back = self._step(
            turns,
            [State.QUEUED, State.RUNNING],
            "state = ledger.ready(p.id), lease = NULL, updated = clock_timestamp()",
        )
        return len(back)

    def reclaim(self, *, tries: int = TRIES) -> list[Task]:
        """Take products back whose lease ran out, from workers that must have died over them.

        Args:
            tries: Failed attempts after which a product is given up.

        Returns:
            Them all; those with ``tries`` attempts have failed, the others are due at once.
        """
        return [task(row) for row in self._rows(_RECLAIM, {"tries": tries})]

    def queued(self, lane: Lane, older_than_s: float) -> list[Turn]:
        """List what is said to be in the queue of a lane, and has been for some time."""
        rows = self._rows(
            "SELECT id, turn FROM ledger.products WHERE state = 'queued'"
            " AND lane = %(lane)s::ledger.lane"
            " AND updated < clock_timestamp() - make_interval(secs => %(older_than_s)s)"
            " ORDER BY id",
            {"lane": lane, "older_than_s": older_than_s},
        )
        return [(row["id"], row["turn"]) for row in rows]

    def _step(
        self,
        turns: Sequence[Turn],
        states: Sequence[State],
        changes: str,
        parameters: Mapping[str, object] | None = None,
        *,
        told: str = "p.id",
    ) -> list[dict[str, Any]]:
        given = {**columns(turns), "states": list(states), **(parameters or {})}
        step = _STEP.replace("{changes}", changes).replace("{told}", told)
        return self._rows(step, given)
