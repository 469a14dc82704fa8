"""Steering: backfills paused, resumed, aborted and tried anew, with all their products."""

from ingest.ledger.backfills import Backfills
from ingest.ledger.lookups import SUPERSEDED
from ingest.ledger.values import Backfill, BackfillState

_LISTING, _RUNNING = BackfillState.LISTING, BackfillState.RUNNING
_PAUSED = BackfillState.PAUSED
_ABORTED = BackfillState.ABORTED
_BATCH = 5000
"""Products that one statement of a redo is about."""

_SET = """
UPDATE ledger.backfills SET state = %(state)s, error = NULL, updated = clock_timestamp()
WHERE id = %(id)s
"""
# Locked by a statement of its own: the next one sees what those whom it waited for have done.
_LOCK = """
SELECT count(*) FROM (
    SELECT FROM ledger.backfill_products l JOIN ledger.products p ON p.id = l.product
    WHERE l.backfill = %(id)s AND p.state <> 'done'
    ORDER BY p.product, p.engine FOR UPDATE OF p
) locked
"""
_HOLD = """
UPDATE ledger.products p SET state = 'held', lease = NULL, updated = clock_timestamp()
FROM ledger.backfill_products l
WHERE l.backfill = %(id)s AND p.id = l.product AND p.state IN ('due', 'queued')
    AND ledger.ready(p.id) = 'held'
"""
_LET_GO = """
UPDATE ledger.products p SET state = 'due', updated = clock_timestamp()
FROM ledger.backfill_products l
WHERE l.backfill = %(id)s AND p.id = l.product AND p.state = 'held'
"""
# What others still want goes on, or waits with them.
_ABORT = """
UPDATE ledger.products p SET lease = NULL, updated = clock_timestamp(),
    state = CASE WHEN o.paused THEN 'held' ELSE 'aborted' END::ledger.state
FROM (
    SELECT l.product, coalesce(bool_or(b.state = 'paused'), false) AS paused
    FROM ledger.backfill_products l
    LEFT JOIN ledger.backfill_products also
        ON also.product = l.product AND also.backfill <> l.backfill
    LEFT JOIN ledger.backfills b ON b.id = also.backfill
    WHERE l.backfill = %(id)s
    GROUP BY l.product HAVING NOT coalesce(bool_or(b.state IN ('listing', 'running')), false)
) o
WHERE p.id = o.product AND (
    p.state IN ('due', 'queued') OR p.state IN ('held', 'running') AND NOT o.paused
)
"""
_RETRY = """
UPDATE ledger.products p SET state = ledger.ready(p.id), lane = p.entry, attempts = 0,
    due = clock_timestamp(), staged = NULL, error_kind = NULL, error = NULL,
    updated = clock_timestamp()
FROM ledger.backfill_products l
WHERE l.backfill = %(id)s AND p.id = l.product AND p.state IN ('failed', 'aborted')
    -- A newer baseline of these is there.
    AND p.error_kind IS DISTINCT FROM 'Superseded'
"""
_REDO = """
WITH page AS (
    SELECT id FROM ledger.products WHERE id > %(after)s ORDER BY id LIMIT %(batch)s
), changed AS (
    UPDATE ledger.products p SET state = ledger.ready(p.id), lane = p.entry, attempts = 0,
        due = clock_timestamp(), priority = %(priority)s, staged = NULL,
        updated = clock_timestamp()
    FROM page WHERE p.id = page.id AND p.state = 'done' AND p.engine = %(engine)s
        AND (%(level)s::text IS NULL OR p.level = %(level)s)
        AND p.engine_version IS DISTINCT FROM %(version)s
    RETURNING p.id
)
SELECT (SELECT max(id) FROM page) AS last, (SELECT count(*) FROM changed) AS changed
"""


class Steering(Backfills):
    """What is done to backfills."""

    def pause(self, id: str) -> Backfill:  # noqa: A002 - its name in the ledger
        """Have no more products of a backfill begun; what runs goes on to the end of its lane.

        Products that another backfill wants, which is listing or running, go on.

        Raises:
            UnknownBackfillError: There is none of that id.
            BackfillStateError: It is over.
        """
        with self.transaction():
            self._moved(id, (_LISTING, _RUNNING, _PAUSED), "be paused")
            self._run(_SET, {"id": id, "state": _PAUSED})
            self._run(_LOCK, {"id": id})
            self._run(_HOLD, {"id": id})
            return self.backfill_get(id)

    def resume(self, id: str) -> Backfill:  # noqa: A002 - its name in the ledger
        """Go on with a backfill that is paused.

        Raises:
            UnknownBackfillError: There is none of that id.
            BackfillStateError: It is not paused.
        """
        with self.transaction():
            found = self._moved(id, (_PAUSED, _LISTING, _RUNNING), "be resumed")
            self._run(_SET, {"id": id, "state": _on(found)})
            self._run(_LOCK, {"id": id})
            self._run(_LET_GO, {"id": id})
            return self.backfill_get(id)

    def abort(self, id: str) -> Backfill:  # noqa: A002 - its name in the ledger
        """Give a backfill up, with all products that no other one wants; what runs is stopped.

        Raises:
            UnknownBackfillError: There is none of that id.
            BackfillStateError: It is over.
        """
        with self.transaction():
            self._moved(id, (_LISTING, _RUNNING, _PAUSED, _ABORTED), "be aborted")
            self._run(_SET, {"id": id, "state": _ABORTED})
            self._run(_LOCK, {"id": id})
            self._run(_ABORT, {"id": id})
            return self.backfill_get(id)

    def retry(self, id: str) -> int:  # noqa: A002 - its name in the ledger
        """Try what failed or was aborted once more; a backfill that was over goes on.

        Returns:
            How many products.

        Raises:
            UnknownBackfillError: There is none of that id.
        """
        with self.transaction():
            found = self._moved(id, tuple(BackfillState), "be retried")
            state = _PAUSED if found.state is _PAUSED else _on(found)
            # Written in every case: whoever ends backfills waits, and counts after this.
            self._run(_SET, {"id": id, "state": state})
            self._run(_LOCK, {"id": id})
            return self._run(_RETRY, {"id": id, "superseded": SUPERSEDED})

    def redo(
        self, engine: str, version: str, *, level: str | None = None, priority: int = 9
    ) -> int:
        """Mask everything again that another version of an engine has masked.

        The masks that are there stay until the new ones are published. Done in many small
        steps: one that is broken off is taken up by the same call.

        Args:
            engine: Name of the engine.
            version: What is wanted.
            level: Only products of this level; an engine may have a version for each.
            priority: 0, live, to 9.

        Returns:
            How many products.
        """
        told = {
            "engine": engine,
            "version": version,
            "level": level,
            "priority": priority,
            "batch": _BATCH,
        }
        last, changed = 0, 0
        while True:
            with self._still():
                row = self._row(_REDO, {**told, "after": last})
            if row["last"] is None:
                return changed
            last, changed = row["last"], changed + row["changed"]


def _on(backfill: Backfill) -> BackfillState:
    return _RUNNING if backfill.listed else _LISTING
