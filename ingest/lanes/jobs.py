"""The job of one product: started, worked on in a thread, and told to the ledger.

A job never fails in arq's eyes: what came of it stands in the ledger, and one that the ledger no
longer wants done at this turn does nothing.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ingest.errors import DatabaseUnreachableError, TooSlowError
from ingest.lanes.desk import Desk
from ingest.lanes.holdings import Held, Holdings, LetGoError
from ingest.lanes.queues import Pair
from ingest.lanes.threads import in_thread
from ingest.lanes.verdicts import Verdicts
from ingest.ledger import Lane, Ledger, Task

logger = logging.getLogger(__name__)

_START_PATIENCE_S = 10.0


Ending = Literal["done", "failed", "lost"]
"""Gone on to the next lane, failed for good, or aborted or given to another worker."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a product goes from here, and what is known of it now."""

    to: Lane
    staged: str | None = None
    """Where it lies in scratch."""
    record: str | None = None
    """Key of its record in storage."""
    version: str | None = None
    """Version of the engine that made the mask."""
    bytes: int | None = None
    """Size of the product."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds by step."""


class Work(Protocol):
    """What is done with one product in a lane."""

    def do(self, held: Held) -> Step:
        """Do it; called in a thread, tells its progress to what is held."""

    def leave(self, task: Task, ending: Ending) -> None:
        """Clean up after a product that is not worked on any more."""


class ProductJobs:
    """Runs the jobs of a lane that works on one product at a time."""

    def __init__(
        self,
        work: Work,
        desk: Desk[Ledger],
        holdings: Holdings,
        verdicts: Verdicts,
        timeout_s: float,
    ) -> None:
        """Run none yet.

        Args:
            work: What is done.
            desk: Where the ledger is asked.
            holdings: Where tasks are held while they are worked on.
            verdicts: Where it is told how they went.
            timeout_s: How long one product may take.
        """
        self._timeout_s = timeout_s
        self._work = work
        self._desk = desk
        self._holdings = holdings
        self._verdicts = verdicts

    async def run(self, ctx: dict[str, Any], pairs: Sequence[Pair]) -> None:
        """Work on one product.

        Args:
            ctx: What arq says of the job: ``job_id``, ``redis``.
            pairs: Its id and turn, in a list of one.
        """
        number, turn = pairs[0]
        try:
            task = await self._desk.insist(
                lambda book: book.start(number, turn, self._holdings.worker), _START_PATIENCE_S
            )
        except DatabaseUnreachableError as error:
            # The dispatcher finds it missing in the queue and puts it there again.
            logger.warning("%s; %s goes back", error, ctx["job_id"])
            return
        if task is not None:
            await self._work_on(ctx, task)

    async def _work_on(self, ctx: dict[str, Any], task: Task) -> None:
        began = time.monotonic()
        step: Step | None
        failure: Exception | None = None
        with self._holdings.hold(ctx["job_id"], ctx["redis"], [task]) as held:
            try:
                step = await asyncio.wait_for(
                    in_thread(lambda: self._work.do(held), ctx["job_id"]), self._timeout_s
                )
            except TimeoutError:
                # The thread ends where it next tells its progress, if it ever does.
                held.stopping = True
                step, failure = None, TooSlowError(task.lane, self._timeout_s)
            except (LetGoError, asyncio.CancelledError):
                step = None
            except Exception as error:  # noqa: BLE001 - whatever it was, the ledger is told
                step, failure = None, error
        if step is not None:
            await self._advance(task, step, time.monotonic() - began)
        elif failure is not None:
            if await self._verdicts.failed(task, failure):
                self._work.leave(task, "failed")
            await self._verdicts.counted(task.engine, failure)
        elif held.lost:
            logger.info("%s: left, as it is not wanted any more", task.product)
            self._work.leave(task, "lost")
        else:
            logger.info("%s: given back", task.product)
            await self._verdicts.give_back([task])

    async def _advance(self, task: Task, step: Step, seconds: float) -> None:
        def advance(book: Ledger) -> bool:
            return book.advance(
                task.id,
                task.turn,
                step.to,
                staged=step.staged,
                record=step.record,
                timings=step.timings,
                bytes=step.bytes,
                version=step.version,
            )

        if await self._verdicts.tell(advance):
            logger.info("%s: %s after %.1f s", task.product, step.to, seconds)
            self._work.leave(task, "done")
            await self._verdicts.worked(task.engine)
