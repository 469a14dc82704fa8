"""Verdicts: what the ledger is told when a task did not work."""

import logging
from collections.abc import Callable, Sequence

from ingest.errors import DatabaseUnreachableError, IngestError
from ingest.lanes.desk import Desk
from ingest.ledger import Lane, Ledger, Task
from ingest.settings import IngestSettings
from producer.errors import (
    LevelError,
    ProducerError,
    ProductNameError,
    RecordError,
    SafeError,
    StagingRefusedError,
)

logger = logging.getLogger(__name__)

_LONGEST_WAIT_S = 900
_OWN_FAULT = (LevelError, ProductNameError, RecordError, SafeError, StagingRefusedError)
"""What says something of one product and nothing of the engine."""


class Verdicts:
    """Tells the ledger how the tasks of one lane went."""

    def __init__(self, desk: Desk[Ledger], lane: Lane, settings: IngestSettings) -> None:
        self._desk = desk
        self._lane = lane
        self._settings = settings

    async def failed(self, task: Task, error: Exception) -> bool:
        """Have a task tried again later where that may help.

        Returns:
            Whether it failed for good.
        """
        retry_in_s = self.retry_in_s(error, task.attempts)
        kind, reason = type(error).__name__, str(error) or type(error).__name__
        if retry_in_s is None:
            logger.error(
                "%s: failed: %s", task.product, reason, exc_info=None if _known(error) else error
            )
        else:
            logger.warning("%s: %s; once more in %.0f s", task.product, reason, retry_in_s)
        await self.tell(
            lambda book: book.fail(task.id, task.turn, kind, reason, retry_in_s=retry_in_s)
        )
        return retry_in_s is None

    async def worked(self, engine: str) -> None:
        """Release the brake of an engine in this lane, if it was on."""
        await self.tell(lambda book: book.outcome(self._lane, engine, ok=True, reason=None))

    async def counted(self, engine: str, error: Exception) -> None:
        """Count a failure, unless it says something of the product only."""
        if isinstance(error, _OWN_FAULT):
            return
        reason = f"{type(error).__name__}: {error}"
        if await self.tell(lambda book: book.outcome(self._lane, engine, ok=False, reason=reason)):
            logger.error("%s fails on everything: its %s lane is stopped", engine, self._lane)

    async def give_back(self, tasks: Sequence[Task]) -> None:
        """Have tasks done by somebody else at once; that was no failed attempt."""
        pairs = [(task.id, task.turn) for task in tasks]
        await self.tell(lambda book: book.give_back(pairs) > 0)

    def retry_in_s(self, error: Exception, attempts: int) -> float | None:
        """Say after how long to try again; ``None`` where that cannot help.

        Args:
            error: What happened.
            attempts: Tries that failed before this one.
        """
        passing = isinstance(error, ProducerError | IngestError) and error.passing
        if not passing or attempts + 1 >= self._settings.tries:
            return None
        return min(self._settings.retry_s * 3.0**attempts, _LONGEST_WAIT_S)

    async def tell(self, what: Callable[[Ledger], bool]) -> bool:
        """Tell the ledger, with patience; ``False`` too where it could not be told."""
        try:
            return await self._desk.insist(what, self._settings.patience_s)
        except DatabaseUnreachableError as error:
            # The lease runs out, and the next try finds in storage what is done.
            logger.warning("%s; what just ended will be done again", error)
            return False


def _known(error: Exception) -> bool:
    return isinstance(error, ProducerError | IngestError)
