"""Threads for requests about polygons, apart from those of tiles, and a limit to each request."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import TypeVar

from starlette.requests import Request

from tiler.errors import BusyError, GoneError, LimitError

T = TypeVar("T")
S = TypeVar("S")

_AHEAD = 2


class Work:
    """One request: how long it may take, and whether anybody still waits for it."""

    def __init__(self, readers: ThreadPoolExecutor, threads: int, limit_s: float) -> None:
        self._readers = readers
        self._ahead = threads * _AHEAD
        self._limit_s = limit_s
        self._end = time.monotonic() + limit_s
        self._gone = threading.Event()

    def leave(self) -> None:
        """Let the work end at the next step."""
        self._gone.set()

    def left_s(self) -> float:
        """Seconds that are left.

        Raises:
            LimitError: None.
            GoneError: Nobody waits.
        """
        if self._gone.is_set():
            raise GoneError
        left = self._end - time.monotonic()
        if left <= 0:
            raise LimitError("seconds that it takes", "more", self._limit_s)
        return left

    def map(self, function: Callable[[T], S], values: Iterable[T]) -> Iterator[S]:
        """Do the same to many values in the readers' threads, a few ahead of what is taken.

        Few, so that the requests of others get their turns in between.
        """
        waiting = iter(values)

        def step(value: T) -> S:
            self.left_s()
            return function(value)

        futures: list[Future[S]] = []
        try:
            futures += [self._readers.submit(step, each) for each in islice(waiting, self._ahead)]
            while futures:
                done = futures.pop(0)
                result = done.result()
                futures += [self._readers.submit(step, each) for each in islice(waiting, 1)]
                yield result
        finally:
            for future in futures:
                future.cancel()


class Pool:
    """Works on so many requests at once, and lets so many wait."""

    def __init__(self, threads: int, requests: int, queue: int, limit_s: float) -> None:
        self._threads, self._requests, self._queue = threads, requests, queue
        self._limit_s = limit_s
        self._readers = ThreadPoolExecutor(threads, "clear-read")
        self._workers = ThreadPoolExecutor(requests, "clear")
        self.present = 0
        """Requests that are worked on or wait."""

    def close(self) -> None:
        """End all threads when they have done what they do."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._readers.shutdown(wait=False, cancel_futures=True)

    def work(self) -> Work:
        """Begin work whose time counts from now."""
        return Work(self._readers, self._threads, self._limit_s)

    async def run(self, request: Request, function: Callable[[Work], T]) -> T:
        """Work on a request in a thread, for as long as its client is there.

        Raises:
            BusyError: Too many wait already.
            GoneError: The client went away.
        """
        if self.present >= self._requests + self._queue:
            raise BusyError(self._queue)
        self.present += 1
        work = self.work()
        # The body was read, so what comes next is that the client hangs up.
        gone = asyncio.create_task(_hung_up(request))
        gone.add_done_callback(lambda _: work.leave())
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, function, work)
        finally:
            self.present -= 1
            work.leave()
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
