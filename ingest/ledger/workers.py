"""Workers: who lives, and what each is at."""

from dataclasses import asdict

from ingest.ledger.session import Session
from ingest.ledger.values import Lane, WorkerState

ALIVE_S = 15
"""Seconds after its last sign of life that a worker is taken to live."""
_FORGOTTEN_S = 86_400

_BEAT = """
INSERT INTO ledger.workers
    (name, lane, host, pid, device, product, step, done, total, scratch_free,
    scratch_room)
VALUES (%(name)s, %(lane)s::ledger.lane, %(host)s, %(pid)s, %(device)s, %(product)s, %(step)s,
    %(done)s, %(total)s, %(scratch_free)s, %(scratch_room)s)
ON CONFLICT (name) DO UPDATE SET seen = clock_timestamp(), device = excluded.device,
    product = excluded.product, step = excluded.step, done = excluded.done,
    total = excluded.total, scratch_free = excluded.scratch_free,
    scratch_room = excluded.scratch_room
"""
_WORKERS = """
SELECT name, lane, host, pid, device, product, step, done, total, scratch_free, scratch_room,
    since, seen,
    seen > clock_timestamp() - make_interval(secs => %(alive_s)s) AS alive
FROM ledger.workers WHERE seen > clock_timestamp() - make_interval(secs => %(forgotten_s)s)
ORDER BY name
"""


class Workers(Session):
    """Who does the work."""

    def beat(self, worker: WorkerState) -> None:
        """Say that a worker lives, and what it is at; times are the database's own."""
        self._run(_BEAT, asdict(worker))

    def gone(self, worker: str) -> None:
        """Forget a worker that ended."""
        self._run("DELETE FROM ledger.workers WHERE name = %(name)s", {"name": worker})

    def workers(self) -> list[WorkerState]:
        """List the workers that were seen today; ``alive`` is who was in the last 15 seconds."""
        rows = self._rows(_WORKERS, {"alive_s": ALIVE_S, "forgotten_s": _FORGOTTEN_S})
        return [WorkerState(**{**row, "lane": Lane(row["lane"])}) for row in rows]
