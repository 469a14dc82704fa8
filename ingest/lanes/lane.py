"""A lane of a worker: an arq worker that is built anew whenever Redis had gone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from arq import func
from arq.worker import Worker
from redis.exceptions import RedisError

from ingest.errors import QueueUnreachableError
from ingest.lanes import queues
from ingest.lanes.holdings import Holdings
from ingest.lanes.patience import Patience
from ingest.lanes.queues import Pair
from ingest.ledger import Lane
from ingest.settings import IngestSettings

logger = logging.getLogger(__name__)

Job = Callable[[dict[str, Any], Sequence[Pair]], Awaitable[None]]
"""What a job does, given what arq says of it and the ids and turns of its products."""

_HEALTH_S = 5
_LET_GO_S = 3.0
"""Seconds that work has to notice that it is to end."""
_ANY_NUMBER = 10**6


class LaneWorker:
    """Takes jobs from the queue of one lane."""

    def __init__(
        self, lane: Lane, job: Job, jobs: int, holdings: Holdings, settings: IngestSettings
    ) -> None:
        """Take none yet.

        Args:
            lane: Which.
            job: What each does.
            jobs: How many at once.
            holdings: What is being worked on.
            settings: Where Redis is, and how patient to be.
        """
        self.lane = lane
        self._job = job
        self._jobs = jobs
        self._holdings = holdings
        self._settings = settings
        self._worker: Worker | None = None
        self.open = True
        """Whether to take more jobs."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until the event is set; then end what runs, or give it back."""
        patience = Patience(stop)
        while not stop.is_set():
            worker = self._worker = self._build()
            worker.allow_pick_jobs = self.open
            running = asyncio.create_task(worker.async_run())
            stopping = asyncio.create_task(stop.wait())
            try:
                with queues.translated(self._settings):
                    await self._watch(running, stopping, patience)
            except QueueUnreachableError as error:
                # What runs goes on: a mask of ten minutes is not thrown away for a queue.
                await asyncio.gather(*worker.tasks.values(), return_exceptions=True)
                await self._part(worker)
                await patience.wait(error)
            finally:
                stopping.cancel()
        if self._worker is not None:
            await self._end(self._worker, running)

    def hold(self, *, open_: bool) -> None:
        """Take more jobs, or leave them to others for now."""
        self.open = open_
        if self._worker is not None:
            self._worker.allow_pick_jobs = open_

    async def _watch(
        self,
        running: "asyncio.Task[None]",
        stopping: "asyncio.Task[bool]",
        patience: Patience,
    ) -> None:
        await asyncio.wait({running, stopping}, timeout=1, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            patience.over("Redis")
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            # It ends by an error only; one that is not of Redis is a bug, and ends the process.
            running.result()

    async def _end(self, worker: Worker, running: "asyncio.Task[None]") -> None:
        worker.allow_pick_jobs = False
        # In a burst without any more jobs arq ends by itself, with nothing left half asked.
        worker.burst, worker.max_burst_jobs = True, 0
        if worker.tasks:
            logger.info("stopping: the %s lane has %d jobs left", self.lane, len(worker.tasks))
        await asyncio.wait({running}, timeout=self._settings.stop_wait_s)
        self._holdings.stop()
        await asyncio.wait({running}, timeout=_LET_GO_S)
        for job in worker.job_tasks.values():
            job.cancel()
        await asyncio.gather(*worker.tasks.values(), return_exceptions=True)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        with suppress(RedisError, OSError):
            await worker.pool.delete(queues.health_key(self.lane))
        await self._part(worker)

    async def _part(self, worker: Worker) -> None:
        if worker._pool is not None:  # noqa: SLF001 - its own close() would cancel what runs
            with suppress(RedisError, OSError):
                await worker.pool.aclose(close_connection_pool=True)
        self._worker = None

    def _build(self) -> Worker:
        async def job(ctx: dict[str, Any], pairs: Sequence[Pair]) -> None:
            await self._job(ctx, pairs)

        worker = Worker(
            functions=[func(job, name=str(self.lane), max_tries=_ANY_NUMBER)],
            queue_name=queues.name(self.lane),
            redis_settings=queues.redis_settings(self._settings),
            job_serializer=queues.dump,
            job_deserializer=queues.load,
            max_jobs=self._jobs,
            job_timeout=self._settings.job_timeout_s + 60,
            keep_result=0,
            poll_delay=self._settings.poll_s,
            health_check_interval=_HEALTH_S,
            handle_signals=False,
            log_results=False,
        )
        # Renewed while a job runs; arq's own would hide the job of a killed worker for hours.
        worker.in_progress_timeout_s = self._settings.lease_s
        return worker
