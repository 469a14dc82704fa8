"""Watching: a source looked through again and again for products that are new."""

import asyncio
import logging
import signal
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from arq import Worker, cron
from arq.cron import CronJob
from redis.exceptions import RedisError

from ingest import ledger
from ingest.backfills.creating import create
from ingest.backfills.listing import Picked, pick, want
from ingest.backfills.spec import BackfillSpec, StoredSpec
from ingest.errors import (
    BackfillStateError,
    DatabaseUnreachableError,
    IngestError,
    SourceUnreachableError,
)
from ingest.lanes import queues
from ingest.lanes.threads import in_thread
from ingest.ledger import Backfill, BackfillState, Ledger
from ingest.settings import IngestSettings

logger = logging.getLogger(__name__)

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400
_RETRY_S = 5.0
_OVER = (BackfillState.ABORTED, BackfillState.FAILED)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look through a source came to."""

    new: int
    """Products that were not known before."""
    known: int


def begin(book: Ledger, spec: BackfillSpec, created_by: str) -> Backfill:
    """Find the watch that was asked for in these words before, or create it.

    Of several that begin at the same time, one creates it.

    Raises:
        BackfillSpecError: There is no such engine, or none for that level.
        SourceRefusedError: The source's address cannot be.
    """
    with book.transaction():
        book.watch_lock()
        for backfill in book.backfill_list():
            if backfill.spec.get("kind") == "watch" and backfill.state not in _OVER:
                known = StoredSpec.read(backfill.spec)
                same_engine = spec.engine in ("auto", known.engine)
                if same_engine and (known.source, known.filters) == (spec.source, spec.filters):
                    return backfill
        return create(book, spec.model_copy(update={"kind": "watch"}), created_by)


def look(book: Ledger, watch: Backfill) -> Seen:
    """Look through the source once, for what was sensed since some days before the last look.

    What the ledger knows is left as it is, failed products too: trying those again is for people
    to decide. Broken off anywhere, the next look finds the same.

    Raises:
        SourceError: The source does not answer, or will not.
        DatabaseError: The ledger does not do what it is asked.
    """
    spec = StoredSpec.read(watch.spec)
    now = book.now()
    last = datetime.fromisoformat(watch.cursor) if watch.cursor else now
    filters = spec.filters.filters()
    first = (last - timedelta(days=spec.lookback_days)).date()
    # The first look goes as far back as was asked.
    if filters.start is None or (watch.cursor and filters.start < first):
        filters = replace(filters, start=first)
    new = known = 0
    for page in spec.source.open().pages(filters):
        with book.transaction():
            picked = pick(book, spec, page, filters)
            there = book.known(spec.engine, [one.product for one in picked.wanted])
            fresh = tuple(one for one in picked.wanted if one.product not in there)
            book.supersede(watch.id, watch.engine, picked.superseded)
            # Counted by the ledger: another watcher may be at the same page.
            found = want(book, watch, spec, Picked(fresh, picked.superseded, picked.skipped))
            book.backfill_note(watch.id, cursor=watch.cursor, found=found, skipped={})
        new += found
        known += len(there)
    # Only now: the next look begins where this one did, whatever became of it.
    book.backfill_note(watch.id, cursor=now.isoformat(), found=0, skipped={})
    book.backfill_trouble(watch.id, None)
    return Seen(new, known)


def look_if_on(watch: str) -> BackfillState:
    """Look once unless the watch is paused or over, and log what came of it.

    A source that does not answer for now is noted with the watch, and looked through next time.

    Returns:
        The state of the watch.

    Raises:
        SourceRefusedError: The source is not there, or will not be read.
        DatabaseError: The ledger does not do what it is asked.
    """
    with ledger.opened() as book:
        backfill = book.backfill_get(watch)
        if backfill.state is not BackfillState.RUNNING:
            logger.info("the watch %s is %s", watch, backfill.state)
            return backfill.state
        try:
            seen = look(book, backfill)
        except SourceUnreachableError as error:
            book.backfill_trouble(watch, str(error))
            logger.warning("%s; looked through again next time", error)
        except BackfillStateError:
            # Aborted while it was looked through.
            return book.backfill_get(watch).state
        else:
            logger.info("%d products are new, %d were known", seen.new, seen.known)
        return backfill.state


def run(settings: IngestSettings, watch: str, every_s: int) -> None:
    """Look again and again by arq's cron until SIGTERM or SIGINT, or until the watch is over.

    Servers that are away are waited for. Of several that run for one watch, one looks each time.

    Raises:
        SourceRefusedError: The source is not there, or will not be read.
    """
    asyncio.run(_serve(settings, watch, every_s))


async def _serve(settings: IngestSettings, watch: str, every_s: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    over = _Over(watch, stop)
    while not stop.is_set():
        worker = Worker(
            cron_jobs=[_cron(over, every_s)],
            queue_name=f"nimbostac:watch:{watch}",
            redis_settings=queues.redis_settings(settings),
            job_serializer=queues.dump,
            job_deserializer=queues.load,
            handle_signals=False,
            max_jobs=1,
            keep_result=0,
            job_timeout=_DAY_S,
        )
        working = asyncio.ensure_future(worker.async_run())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await _closed(worker, working)
        if over.error is not None:
            raise over.error
        if not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _RETRY_S)


async def _closed(worker: Worker, working: "asyncio.Future[None]") -> None:
    """End a worker, whose Redis may be gone."""
    if working.done() and (error := working.exception()) is not None:
        logger.warning("Redis does not answer: %s; waiting for it to come back", error)
    working.cancel()
    with suppress(asyncio.CancelledError, RedisError, OSError):
        await working
    # A look that was going on is cancelled by this, and says so.
    with suppress(asyncio.CancelledError, RedisError, OSError):
        await worker.close()


class _Over:
    """The cron job, which also knows when there is nothing more to look for."""

    def __init__(self, watch: str, stop: asyncio.Event) -> None:
        self._watch = watch
        self._stop = stop
        self.error: IngestError | None = None

    async def look(self, _ctx: dict[str, Any]) -> None:
        """Look once; nothing that goes wrong reaches arq, which would only write it down."""
        try:
            # Not waited for by a process that has to stop: the next look finds the same.
            state = await in_thread(lambda: look_if_on(self._watch), "watch")
        except DatabaseUnreachableError as error:
            logger.warning("%s; looked again next time", error)
        except IngestError as error:
            self.error = error
            self._stop.set()
        else:
            if state in _OVER:
                self._stop.set()


def _cron(over: _Over, every_s: int) -> CronJob:
    """Say to arq's cron how often, in the steps that divide a minute, an hour or a day."""
    second: set[int] | int = 0
    minute: set[int] | int | None = None
    hour: set[int] | None = None
    if every_s < _MINUTE_S:
        second = set(range(0, _MINUTE_S, every_s))
    elif every_s < _HOUR_S:
        minute = set(range(0, 60, every_s // _MINUTE_S))
    else:
        minute, hour = 0, set(range(0, 24, min(24, every_s // _HOUR_S)))
    # Its type asks for attributes that only functions have.
    job: Any = over.look
    return cron(job, name="look", hour=hour, minute=minute, second=second, run_at_startup=True)
