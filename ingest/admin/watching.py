"""Watching: one look at the ledger a second, shared by everybody who listens."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from ingest import ledger
from ingest.admin.models import Backfill, Everything, LaneState, Worker
from ingest.backfills.views import view
from ingest.errors import IngestError
from ingest.ledger import BackfillState, Ledger

logger = logging.getLogger(__name__)

LOOK_S = 1.0
_AFTER_FAILURE_S = 3.0
_MOST_OVER = 50
"""Backfills that are over, the newest, of which listeners are told."""
_MOVING = {BackfillState.LISTING, BackfillState.RUNNING, BackfillState.PAUSED}


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, and how often that had changed by then."""

    number: int
    event: str
    """``state``, or ``problem`` where the ledger could not be seen."""
    data: str
    """JSON."""


class Watch:
    """Looks at the ledger as long as anybody listens; nobody's slowness keeps anything waiting.

    A listener is told the newest look, however many there were since it was told last.
    """

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._newest: Look | None = None
        self._listeners = 0
        self._looking: asyncio.Task[None] | None = None
        self._over: dict[str, Backfill] = {}
        self.ended = False
        """Whether the server stops, and listeners should go."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep looking while the block runs."""
        self._listeners += 1
        if self._looking is None or self._looking.done():
            self._newest = None
            self._looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            self._listeners -= 1

    async def after(self, told: int, timeout_s: float) -> Look | None:
        """Wait for another look than the one of a number; ``None`` if nothing changed so long."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(
                    lambda: self.ended or (self._newest and self._newest.number != told)
                )
        except TimeoutError:
            return None
        return self._newest

    async def end(self) -> None:
        """Let all listeners go, and stop looking."""
        self.ended = True
        async with self._changed:
            self._changed.notify_all()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> None:
        number = 0
        while self._listeners and not self.ended:
            wait_s = LOOK_S
            try:
                event, data = "state", await run_in_threadpool(self._seen)
            except IngestError as error:
                event, data = "problem", json.dumps({"detail": str(error)})
                wait_s = _AFTER_FAILURE_S
            except Exception:
                # A listener that waits for ever would look like a ledger in which nothing happens.
                logger.exception("the ledger could not be read")
                event, data = "problem", json.dumps({"detail": "the ledger could not be read"})
                wait_s = _AFTER_FAILURE_S
            if self._newest is None or (event, data) != (self._newest.event, self._newest.data):
                number += 1
                async with self._changed:
                    self._newest = Look(number, event, data)
                    self._changed.notify_all()
            await asyncio.sleep(wait_s)

    def _seen(self) -> str:
        with ledger.opened() as book:
            backfills = book.backfill_list()
            moving = [one for one in backfills if one.state in _MOVING]
            over = [one for one in backfills if one.state not in _MOVING][:_MOST_OVER]
            shown = {one.id for one in [*moving, *over]}
            return Everything(
                backfills=[self._described(book, one) for one in backfills if one.id in shown],
                lanes=[LaneState.model_validate(lane) for lane in book.lanes()],
                workers=[Worker.model_validate(worker) for worker in book.workers()],
            ).model_dump_json()

    def _described(self, book: Ledger, backfill: ledger.Backfill) -> Backfill:
        """Ask how far it is, unless it is over and has been asked before."""
        key = f"{backfill.id} {backfill.updated.isoformat()}"
        known = self._over.get(key)
        if known is not None:
            return known
        described = Backfill.model_validate(view(book, backfill))
        # At rest only when its pace has run out too.
        if backfill.state not in _MOVING and described.rate_per_hour == 0:
            if len(self._over) >= 2 * _MOST_OVER:
                self._over.clear()
            self._over[key] = described
        return described
