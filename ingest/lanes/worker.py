"""The worker: a process that works in one lane or several, until it is told to stop."""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from ingest import ledger
from ingest.errors import DatabaseError
from ingest.lanes.desk import Desk, first_look
from ingest.lanes.holdings import Holdings
from ingest.lanes.jobs import ProductJobs, Work
from ingest.lanes.lane import Job, LaneWorker
from ingest.lanes.mask import Masker, MaskWork
from ingest.lanes.publish import Publisher, PublishJobs
from ingest.lanes.scratch import Scratch
from ingest.lanes.stage import StageWork
from ingest.lanes.verdicts import Verdicts
from ingest.ledger import Lane, Ledger, WorkerState
from ingest.settings import IngestSettings
from producer import engines
from producer.options import EngineOptions
from producer.storage import Storage

logger = logging.getLogger(__name__)

LoadMasker = Callable[[str], Masker]
"""Gives the masker of an engine by name."""

_BEAT_S = 2.0
"""Seconds between two signs of life; an abort takes as long."""
_SWEEP_BEATS = 15
"""Signs of life between two looks for what the dead left in scratch."""
_PUBLISHES = 3
"""Batches at once: one is read from storage, one loaded, and of one the ledger is told."""
_PUBLISH_YOUNG = 200_000
"""Objects that a publisher makes between two looks for garbage: each Item is a hundred of them, and
none of it is any. Masks are too large for such patience."""


def run(
    settings: IngestSettings,
    lanes: Sequence[Lane] = tuple(Lane),
    *,
    device: str = "cpu",
    load_masker: LoadMasker | None = None,
) -> None:
    """Work until told to stop by SIGTERM or SIGINT.

    Servers that are away are waited for.

    Args:
        settings: Where everything is, and how patient to be.
        lanes: What to work at.
        device: What engines compute on.
        load_masker: Gives the masker of an engine; without it the producer's own.

    Raises:
        StorageError: The store cannot be opened.
        NotMigratedError: The database has no ledger, or another version of it.
    """

    async def until_signal() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await serve(settings, stop, lanes, device=device, load_masker=load_masker)

    # What is loaded by now stays: looking through it for garbage costs more than making Items.
    gc.freeze()
    if set(lanes) == {Lane.PUBLISH}:
        gc.set_threshold(_PUBLISH_YOUNG)
    asyncio.run(until_signal())
    logger.info("stopped")


async def serve(
    settings: IngestSettings,
    stop: asyncio.Event,
    lanes: Sequence[Lane] = tuple(Lane),
    *,
    device: str = "cpu",
    load_masker: LoadMasker | None = None,
) -> None:
    """Work until an event is set; otherwise as ``run``."""
    store = Storage.from_url(settings.store_url)
    logger.info("masks go to %s", store.url)
    desk = Desk(ledger.opened)
    await first_look(desk, stop)
    made = _Bench(settings, store, desk, load_masker or producers(store, device), device)
    works = [made.lane(lane) for lane in dict.fromkeys(lanes)]
    beating = asyncio.create_task(made.beat(works))
    tasks = {beating, *(asyncio.create_task(work.run(stop)) for work in works)}
    try:
        # A lane ends when it is told to, everything else by an error that nobody foresaw.
        pending = tasks
        while pending > {beating}:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await made.close()


def producers(store: Storage, device: str) -> LoadMasker:
    """Take maskers from the producer."""

    def load(engine: str) -> Masker:
        # Engines are for workers of the mask lane only.
        from producer import masking  # noqa: PLC0415

        # One that computes on the CPU only does so beside a GPU too.
        takes = "device" in engines.entry(engine).takes
        options = EngineOptions(device=device) if takes else EngineOptions()
        return masking.Masker(store, engine, masking.MaskOptions(engine=options))

    return load


class _Bench:
    """What the lanes of one process share."""

    def __init__(
        self,
        settings: IngestSettings,
        store: Storage,
        desk: Desk[Ledger],
        load_masker: LoadMasker,
        device: str,
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._load_masker = load_masker
        self._device = device
        self._scratch = Scratch(settings)
        self._store = store
        self._publisher = Publisher(store)
        self._scratch_error: OSError | None = None
        self._holdings: dict[Lane, Holdings] = {}

    def lane(self, lane: Lane) -> LaneWorker:
        """Make a lane ready."""
        host, pid = socket.gethostname(), os.getpid()
        state = WorkerState(f"{host}:{pid}:{lane}", lane, host, pid, self._device)
        holdings = self._holdings[lane] = Holdings(self._desk, state, self._settings.lease_s)
        verdicts = Verdicts(self._desk, lane, self._settings)
        timeout_s = self._settings.job_timeout_s
        work: Work
        job: Job
        if lane is Lane.PUBLISH:
            job = PublishJobs(self._publisher, self._desk, holdings, verdicts).run
            return LaneWorker(lane, job, _PUBLISHES, holdings, self._settings)
        if lane is Lane.STAGE:
            work, jobs = StageWork(self._scratch), self._settings.stage_jobs
        else:
            # A GPU has turns: the next product is decoded while this one is inferred.
            work, jobs = (
                MaskWork(self._store, self._load_masker, self._scratch),
                1 if self._device == "cpu" else 2,
            )
        job = ProductJobs(work, self._desk, holdings, verdicts, timeout_s).run
        worker = LaneWorker(lane, job, jobs, holdings, self._settings)
        if lane is Lane.STAGE:
            # Its queue may hold what an earlier worker had room for.
            worker.hold(open_=self._room()[1] > 0)
        return worker

    async def beat(self, works: Sequence[LaneWorker]) -> None:
        """Say that the lanes live, and look after scratch, until cancelled."""
        count = 0
        while True:
            scratch = await self._look_at_scratch(works, sweep=count % _SWEEP_BEATS == 0)
            for lane, holdings in self._holdings.items():
                await holdings.beat(*(scratch if lane is Lane.STAGE else ()))
            count += 1
            await asyncio.sleep(min(_BEAT_S, self._settings.lease_s / 4))

    async def close(self) -> None:
        """Take leave of the servers."""
        for holdings in self._holdings.values():
            await holdings.gone()
        await self._desk.close()
        self._publisher.close()

    async def _look_at_scratch(
        self, works: Sequence[LaneWorker], *, sweep: bool
    ) -> tuple[int | None, int]:
        """Give the bytes that are free, and the products that there is room for."""
        if sweep and {Lane.STAGE, Lane.MASK} & self._holdings.keys():
            with suppress(DatabaseError, OSError):
                await self._sweep()
        if Lane.STAGE not in self._holdings:
            return None, 0
        free, room = self._room()
        for work in works:
            if work.lane is Lane.STAGE:
                work.hold(open_=room > 0)
        return free, room

    def _room(self) -> tuple[int | None, int]:
        try:
            found = self._scratch.free_bytes(), self._scratch.room()
        except OSError as error:
            # Only what has to be fetched needs it.
            if self._scratch_error is None:
                logger.warning("nothing can be fetched: %s", error)
            self._scratch_error = error
            return None, 0
        self._scratch_error = None
        return found

    async def _sweep(self) -> None:
        folders = dict(self._scratch.tasks())
        if folders:
            wanted = await self._desk.ask(lambda book: book.in_scratch(list(folders)))
            for pair, folder in folders.items():
                if pair not in wanted:
                    logger.info("%s is not wanted any more and is removed", folder)
                    self._scratch.remove(str(folder))
