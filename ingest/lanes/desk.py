"""A desk at the database: one thread and one connection, asked from an event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from ingest.errors import DatabaseError, DatabaseUnreachableError
from ingest.lanes.patience import Patience
from ingest.ledger import Ledger

B = TypeVar("B")
T = TypeVar("T")

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0


class Desk(Generic[B]):
    """Asks one question at a time, over a connection that is made anew if it broke."""

    def __init__(self, open_: Callable[[], AbstractContextManager[B]]) -> None:
        """Connect with the first question.

        Args:
            open_: Connects, such as ``ledger.opened``.
        """
        self._open = open_
        self._thread = ThreadPoolExecutor(1, "desk")
        self._opened: AbstractContextManager[B] | None = None
        self._book: B | None = None

    async def ask(self, question: Callable[[B], T]) -> T:
        """Ask once.

        Raises:
            DatabaseUnreachableError: PostgreSQL does not answer; the next question may find it.
            DatabaseError: It answers, but not to this.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask, question)

    async def insist(self, question: Callable[[B], T], patience_s: float) -> T:
        """Ask again and again while PostgreSQL does not answer.

        Only for questions that may be asked twice: an answer may get lost on its way.

        Raises:
            DatabaseUnreachableError: It did not answer for so long.
            DatabaseError: It answers, but not to this.
        """
        loop = asyncio.get_running_loop()
        end, delay_s = loop.time() + patience_s, _FIRST_DELAY_S
        while True:
            try:
                return await self.ask(question)
            except DatabaseUnreachableError:
                if loop.time() + delay_s > end:
                    raise
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    async def close(self) -> None:
        """Hang up, once the question before is answered."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._hang_up)
        self._thread.shutdown(wait=False)

    def _ask(self, question: Callable[[B], T]) -> T:
        if self._book is None:
            self._opened = self._open()
            self._book = self._opened.__enter__()
        try:
            return question(self._book)
        except DatabaseError:
            # Whether the connection survived is not worth finding out.
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        opened, self._opened, self._book = self._opened, None, None
        if opened is not None:
            opened.__exit__(None, None, None)


async def first_look(desk: Desk[Ledger], stop: asyncio.Event) -> None:
    """Wait for the ledger, and find out now whether this program can work with it.

    Raises:
        NotMigratedError: The database has no ledger, or another version of it.
    """
    patience = Patience(stop)
    while not stop.is_set():
        try:
            await desk.ask(lambda book: book.renew([]))
        except DatabaseUnreachableError as error:
            await patience.wait(error)
        else:
            patience.over("PostgreSQL")
            return
