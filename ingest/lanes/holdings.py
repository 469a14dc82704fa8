"""Holdings: the tasks that a worker works on, held by leases that it renews while it lives."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from arq.constants import in_progress_key_prefix
from redis.exceptions import RedisError

from ingest.errors import DatabaseError
from ingest.lanes.desk import Desk
from ingest.ledger import Ledger, Task, WorkerState

if TYPE_CHECKING:
    from arq import ArqRedis

logger = logging.getLogger(__name__)


class LetGoError(Exception):
    """Raised inside the work on a task that is to be left: aborted, lost, or the worker stops."""


class Held:
    """One job of tasks that are worked on together."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = tuple(tasks)
        self.step = ("start", 0, 1)
        self.lost: set[int] = set()
        """Ids of tasks that are not this worker's any more."""
        self.stopping = False
        """Whether the worker has to stop."""

    def tell(self, step: str, done: int, total: int) -> None:
        """Take note of progress; called from the thread that works, as often as it likes.

        Raises:
            LetGoError: Nothing of it is wanted from here any more.
        """
        if self.stopping or len(self.lost) == len(self.tasks):
            raise LetGoError
        self.step = (step, done, total)


class Holdings:
    """What one worker holds in one lane."""

    def __init__(self, desk: Desk[Ledger], worker: WorkerState, lease_s: float) -> None:
        """Hold nothing yet.

        Args:
            desk: Where the ledger is asked.
            worker: Who this is.
            lease_s: How long the ledger and arq believe in a task after the last sign of life.
        """
        self._desk = desk
        self._worker = worker
        self._lease_s = lease_s
        self._held: dict[str, tuple[Held, ArqRedis]] = {}

    @property
    def worker(self) -> str:
        """Name of the worker in the ledger."""
        return self._worker.name

    @contextmanager
    def hold(self, job: str, redis: "ArqRedis", tasks: Sequence[Task]) -> Iterator[Held]:
        """Hold the tasks of a job while the block runs."""
        held = Held(tasks)
        self._held[job] = (held, redis)
        try:
            yield held
        finally:
            del self._held[job]

    def stop(self) -> None:
        """Have all work end where it next tells its progress."""
        for held, _ in self._held.values():
            held.stopping = True

    async def beat(self, scratch_free: int | None = None, scratch_room: int | None = None) -> None:
        """Say that the worker lives, and take note of what was taken from it.

        Servers that do not answer are told where it matters, not here.

        Args:
            scratch_free: Bytes that are free where it fetches to.
            scratch_room: Products that it would still fetch.
        """
        with suppress(DatabaseError):
            await self._renew()
        with suppress(RedisError, OSError):
            # arq hides a running job for its longest timeout, hours after a worker was killed.
            for job, (_, redis) in list(self._held.items()):
                await redis.pexpire(in_progress_key_prefix + job, int(self._lease_s * 1000))
        state = replace(self._state(), scratch_free=scratch_free, scratch_room=scratch_room)
        with suppress(DatabaseError):
            await self._desk.ask(lambda book: book.beat(state))

    async def gone(self) -> None:
        """Take the worker out of the ledger's list."""
        with suppress(DatabaseError, asyncio.CancelledError):
            await self._desk.ask(lambda book: book.gone(self.worker))

    def _state(self) -> WorkerState:
        latest = next(reversed(self._held.values()), None)
        if latest is None:
            return self._worker
        held, _ = latest
        step, done, total = held.step
        return replace(
            self._worker,
            product=held.tasks[0].product,
            step=step,
            done=done,
            total=total,
        )

    async def _renew(self) -> None:
        held = {job: held for job, (held, _) in self._held.items()}
        pairs = [(task.id, task.turn) for one in held.values() for task in one.tasks]
        if not pairs:
            return

        def renew(book: Ledger) -> set[int]:
            return book.renew(pairs, self._lease_s)

        ours = await self._desk.ask(renew)
        for job, one in held.items():
            # What was done in the meantime is not lost, but no longer held.
            if job in self._held:
                one.lost.update({task.id for task in one.tasks} - ours)
