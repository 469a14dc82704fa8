"""The publish lane: masks that lie in storage, made findable by the hundred."""

import asyncio
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ingest import pgstac
from ingest.errors import DatabaseError, DatabaseUnreachableError, RecordGoneError
from ingest.lanes import batch
from ingest.lanes.desk import Desk
from ingest.lanes.holdings import Holdings
from ingest.lanes.queues import Pair
from ingest.lanes.threads import in_thread
from ingest.lanes.verdicts import Verdicts
from ingest.ledger import Lane, Ledger, Task
from producer.storage import Storage

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ingest.pgstac import Pgstac

logger = logging.getLogger(__name__)

_START_PATIENCE_S = 10.0


class Publisher:
    """Publishes batches over one connection, which is made anew if it broke."""

    def __init__(self, store: Storage) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._opened: AbstractContextManager[Pgstac] | None = None
        self._database: Pgstac | None = None

    def publish(self, keys: Sequence[str]) -> Mapping[str, Exception]:
        """Publish the masks of some records; gives the error of each that did not work.

        Raises:
            DatabaseUnreachableError: PostgreSQL does not answer; some may be published.
        """
        # Read while the batch before is loaded, loaded one after the other.
        ready = batch.read(self._store, keys)
        with self._lock:
            if self._database is None:
                self._opened = pgstac.opened()
                self._database = self._opened.__enter__()
            try:
                return {**ready.failed, **batch.load(ready, self._database)}
            except DatabaseError:
                self._close()
                raise

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        opened, self._opened, self._database = self._opened, None, None
        if opened is not None:
            opened.__exit__(None, None, None)


class PublishJobs:
    """Runs the jobs of the lane, each of many products."""

    def __init__(
        self, publisher: Publisher, desk: Desk[Ledger], holdings: Holdings, verdicts: Verdicts
    ) -> None:
        self._publisher = publisher
        self._desk = desk
        self._holdings = holdings
        self._verdicts = verdicts

    async def run(self, ctx: dict[str, Any], pairs: Sequence[Pair]) -> None:
        """Publish what is still wanted of a batch.

        Args:
            ctx: What arq says of the job: ``job_id``, ``redis``.
            pairs: Ids and turns.
        """
        turns = [(number, turn) for number, turn in pairs]
        try:
            tasks = await self._desk.insist(
                lambda book: book.start_many(turns, self._holdings.worker), _START_PATIENCE_S
            )
        except DatabaseUnreachableError as error:
            logger.warning("%s; %s goes back", error, ctx["job_id"])
            return
        if tasks:
            await self._work_on(ctx, tasks)

    async def _work_on(self, ctx: dict[str, Any], tasks: Sequence[Task]) -> None:
        began = time.monotonic()
        by_key = {task.record: task for task in tasks if task.record}
        with self._holdings.hold(ctx["job_id"], ctx["redis"], tasks) as held:
            held.step = ("publish", 0, len(tasks))
            failed: Mapping[str, Exception] | None
            try:
                failed = await in_thread(
                    lambda: self._publisher.publish(list(by_key)), ctx["job_id"]
                )
            except (DatabaseUnreachableError, asyncio.CancelledError) as away:
                logger.warning("%d Items are given back: %s", len(tasks), away)
                failed = None
            except Exception as problem:  # noqa: BLE001 - whatever it was, the ledger is told
                failed = dict.fromkeys(by_key, problem)
        if failed is None:
            await self._verdicts.give_back(tasks)
            return
        done = [task for task in tasks if task.record and task.record not in failed]
        await self._finish(done, time.monotonic() - began)
        for key, error in failed.items():
            await self._failed(by_key[key], error)
        for task in tasks:
            if task.record is None:
                await self._again(task)
        await self._count({task.engine for task in done}, failed, by_key)

    async def _finish(self, tasks: Sequence[Task], seconds: float) -> None:
        pairs = [(task.id, task.turn) for task in tasks]
        if pairs:
            timings = {"publish": round(seconds / len(tasks), 4)}
            await self._verdicts.tell(lambda book: bool(book.finish(pairs, timings=timings)))
            logger.info("%d Items published after %.1f s", len(pairs), seconds)

    async def _count(
        self, well: set[str], failed: Mapping[str, Exception], by_key: Mapping[str, Task]
    ) -> None:
        # One failure a batch and engine: one Item that will not do stops nothing.
        errors = {by_key[key].engine: error for key, error in failed.items()}
        for engine in well:
            await self._verdicts.worked(engine)
        for engine in errors.keys() - well:
            await self._verdicts.counted(engine, errors[engine])

    async def _failed(self, task: Task, error: Exception) -> None:
        if isinstance(error, RecordGoneError):
            logger.warning("%s: %s; it is masked again", task.product, error)
            await self._again(task)
        else:
            await self._verdicts.failed(task, error)

    async def _again(self, task: Task) -> None:
        """Send a product back to be masked, as its mask is not there."""
        await self._verdicts.tell(lambda book: book.advance(task.id, task.turn, Lane.MASK))
