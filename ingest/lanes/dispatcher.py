"""The dispatcher: keeps the queues short and filled, from the ledger, one at a time anywhere."""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ingest import ledger
from ingest.errors import (
    DatabaseError,
    DatabaseUnreachableError,
    NotMigratedError,
    QueueUnreachableError,
)
from ingest.lanes import lock, queues
from ingest.lanes.desk import Desk, first_look
from ingest.lanes.listing import Listing
from ingest.lanes.lock import DispatcherLock
from ingest.lanes.patience import Patience
from ingest.ledger import Lane, Ledger, Task
from ingest.settings import IngestSettings

if TYPE_CHECKING:
    from arq import ArqRedis

logger = logging.getLogger(__name__)

_TURN_S = 0.5
"""Seconds between two looks at the queues where there is little to do."""
_BUSY_TURN_S = 0.1
_CHECK_S = 3.0
"""Seconds between two comparisons of queues and ledger; what is queued for less is let be."""
_ALIVE_S = 10
_PUBLISH_JOBS = 6
"""Batches that the queue of the publish lane is filled up to."""


def run(settings: IngestSettings) -> None:
    """Dispatch, or stand by while another dispatcher does, until SIGTERM or SIGINT.

    Servers that are away are waited for.

    Raises:
        NotMigratedError: The database has no ledger, or another version of it.
    """

    async def until_signal() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await serve(settings, stop)

    # What is loaded by now stays: looking through it for garbage costs more than making Items.
    gc.freeze()
    asyncio.run(until_signal())
    logger.info("stopped")


async def serve(settings: IngestSettings, stop: asyncio.Event) -> None:
    """Dispatch until an event is set; otherwise as ``run``."""
    locks, desk = Desk(lock.opened), Desk(ledger.opened)
    listing, patience = Listing(), Patience(stop)
    try:
        await first_look(desk, stop)
        while not stop.is_set():
            try:
                async with queues.opened(settings) as redis:
                    await Dispatcher(settings, redis, desk, locks, listing).run(stop, patience)
            except (DatabaseUnreachableError, QueueUnreachableError) as error:
                listing.turn(on=False)
                await patience.wait(error)
            except DatabaseError as error:
                listing.turn(on=False)
                await patience.wait(await _reason(desk, error))
    finally:
        listing.turn(on=False)
        await desk.close()
        await locks.close()


async def _reason(desk: Desk[Ledger], error: DatabaseError) -> DatabaseError:
    """Say what to wait for where the ledger has gone from under a dispatcher, or its database.

    Raises:
        DatabaseError: The ledger is there, so that this is nothing that passes.
    """
    if isinstance(error, NotMigratedError):
        return error
    try:
        await desk.ask(lambda book: book.renew([]))
    except (NotMigratedError, DatabaseUnreachableError) as told:
        return told
    raise error


class Dispatcher:
    """Fills queues while it holds the lock."""

    def __init__(
        self,
        settings: IngestSettings,
        redis: "ArqRedis",
        desk: Desk[Ledger],
        locks: Desk[DispatcherLock],
        listing: Listing,
    ) -> None:
        self._settings = settings
        self._redis = redis
        self._desk = desk
        self._locks = locks
        self._listing = listing
        self._acts: bool | None = None
        self._checked = float("-inf")

    async def run(self, stop: asyncio.Event, patience: Patience) -> None:
        """Take turns until the event is set.

        Raises:
            DatabaseUnreachableError: PostgreSQL stopped answering.
            RedisError: Redis did.
        """
        while not stop.is_set():
            await self._redis.set(queues.DISPATCHER, _name(), ex=_ALIVE_S)
            acts = await self._locks.ask(lambda held: held.held())
            if acts != self._acts:
                logger.info("this dispatcher %s", "acts" if acts else "stands by: another one acts")
                self._acts = acts
            self._listing.turn(on=acts)
            busy = await self.turn() if acts else False
            patience.over("what was away")
            try:
                await asyncio.wait_for(stop.wait(), _BUSY_TURN_S if busy else _TURN_S)
            except TimeoutError:
                continue

    async def turn(self) -> bool:
        """Look after every queue once; tells whether one of them took all that it could."""
        now = asyncio.get_running_loop().time()
        if now - self._checked > _CHECK_S:
            self._checked = now
            await self._reclaim()
            for lane in Lane:
                await self._compare(lane)
            await self._desk.ask(lambda book: book.settle())
        return any([await self._top_up(lane) for lane in Lane])

    async def _top_up(self, lane: Lane) -> bool:
        settings, batch = self._settings, 1
        low, high = settings.queue_low, settings.queue_high
        if lane is Lane.PUBLISH:
            low, high, batch = _PUBLISH_JOBS // 2, _PUBLISH_JOBS, settings.publish_batch
        depth = await queues.depth(self._redis, lane)
        room = (high - depth) * batch
        if low < depth:
            # What is live does not wait until a queue has become short.
            urgent = await self._desk.ask(lambda book: book.urgent(lane, high * batch))
            room = min(urgent, (2 * high - depth) * batch)
        if lane is Lane.STAGE and room > 0:
            # What nobody has room for stays in the ledger, where it is paused and hurried at once.
            most = settings.scratch_products
            room = min(room, await self._desk.ask(lambda book: book.scratch_room(most)))
        if room <= 0:
            return False
        tasks = await self._desk.ask(lambda book: book.claim(lane, room, probe_s=settings.probe_s))
        for job in batches(tasks, batch):
            await queues.put(self._redis, lane, job)
        return len(tasks) == room

    async def _reclaim(self) -> None:
        for task in await self._desk.ask(lambda book: book.reclaim(tries=self._settings.tries)):
            logger.warning("%s: its worker stopped without a word", task.product)

    async def _compare(self, lane: Lane) -> None:
        """Have what a queue lost queued again."""
        # The ledger first: what is queued after that cannot be missed in the queue.
        told = await self._desk.ask(lambda book: book.queued(lane, _CHECK_S))
        if not told:
            return
        lost = sorted(set(told) - await queues.held(self._redis, lane))
        if lost:
            logger.warning("the %s queue lost %d products; they are due again", lane, len(lost))
            await self._desk.ask(lambda book: book.give_back(lost))


def batches(tasks: Sequence[Task], size: int) -> Iterator[list[Task]]:
    """Cut tasks into jobs: the urgent ones apart, and what lies in one month together."""
    for _, group in groupby(tasks, lambda task: task.priority):
        ordered = list(group)
        if size > 1:
            # A batch that spans few partitions of pgstac is loaded in few transactions.
            ordered.sort(key=lambda task: _month(task.record))
        yield from (ordered[start : start + size] for start in range(0, len(ordered), size))


def _month(record: str | None) -> tuple[str, ...]:
    """Collection, year and month of a record, by its key."""
    parts = (record or "").split("/")
    return tuple(parts[index] for index in (0, 4, 5) if index < len(parts))


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
