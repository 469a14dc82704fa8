"""Patience with a server that is away: longer and longer waits, told once."""

import asyncio
import logging
from contextlib import suppress

logger = logging.getLogger(__name__)

_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 10.0


class Patience:
    """Waits for one thing to come back."""

    def __init__(self, stop: asyncio.Event) -> None:
        """Prepare.

        Args:
            stop: Ends every wait.
        """
        self._stop = stop
        self._delay_s = 0.0

    async def wait(self, error: Exception) -> None:
        """Wait until it is worth trying again; the first time in a row the reason is told."""
        if not self._delay_s:
            logger.warning("%s; waiting for it to come back", error)
        self._delay_s = min(2 * self._delay_s, _LONGEST_DELAY_S) or _FIRST_DELAY_S
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), self._delay_s)

    def over(self, what: str) -> None:
        """Take note that it answers."""
        if self._delay_s:
            logger.warning("%s answers again", what)
        self._delay_s = 0.0
