"""Work done ahead of who wants it: in order, by threads, and never too much of it."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Headstart:
    """How far work may be ahead."""

    count: int
    """Results that may wait, those in the making included."""
    threads: int


@contextmanager
def ahead(
    work: Callable[[T], U], things: Iterable[T], headstart: Headstart
) -> Iterator[Iterator[U]]:
    """Begin at once, before the first result is asked for; what is not begun at the end is not.

    Gives an iterator over the results, in the order of the things; what the work raises comes
    out there.

    Args:
        work: Safe to call by several threads.
        things: What to work on.
        headstart: How far ahead.
    """
    rest = iter(things)
    with ThreadPoolExecutor(headstart.threads, thread_name_prefix="ahead") as pool:
        waiting: deque[Future[U]] = deque(
            pool.submit(work, thing) for thing in islice(rest, headstart.count)
        )

        def results() -> Iterator[U]:
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(pool.submit(work, thing) for thing in islice(rest, 1))
                yield result

        try:
            yield results()
        finally:
            for future in waiting:
                future.cancel()
