"""Limits of one request, and what a large one may do to others."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.requests import Request

from tiler.clear.pool import Pool, Work
from tiler.errors import BusyError, GoneError, LimitError


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(threads=2, requests=1, queue=1, limit_s=30)
    yield pool
    pool.close()


def request(hangs_up: asyncio.Event) -> Request:
    async def receive() -> dict[str, Any]:
        await hangs_up.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def endless(begun: threading.Event, steps: list[int]) -> Callable[[Work], None]:
    def step(number: int) -> None:
        begun.set()
        steps.append(number)
        time.sleep(0.01)

    def work_on(work: Work) -> None:
        for _ in work.map(step, range(100_000)):
            pass

    return work_on


def test_work_ends_soon_after_its_client_went_away(pool: Pool) -> None:
    begun, steps = threading.Event(), list[int]()

    async def scenario() -> None:
        hangs_up = asyncio.Event()
        running = asyncio.create_task(pool.run(request(hangs_up), endless(begun, steps)))
        await asyncio.to_thread(begun.wait)
        hangs_up.set()
        with pytest.raises(GoneError):
            await running

    asyncio.run(scenario())
    done = len(steps)
    time.sleep(0.1)
    assert len(steps) == done < 1000


def test_requests_beyond_those_that_may_wait_are_refused(pool: Pool) -> None:
    release = threading.Event()

    async def scenario() -> None:
        there = asyncio.Event()
        waiting = [
            asyncio.create_task(pool.run(request(there), lambda _: release.wait()))
            for _ in range(2)
        ]
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="1 requests"):
            await pool.run(request(there), lambda _: None)
        release.set()
        await asyncio.gather(*waiting)
        # Whoever is done makes room.
        assert await pool.run(request(there), lambda _: 7) == 7

    asyncio.run(scenario())


def test_a_request_that_takes_too_long_is_told_its_limit() -> None:
    pool = Pool(threads=1, requests=1, queue=0, limit_s=0.05)

    async def scenario() -> None:
        with pytest.raises(LimitError, match=r"at most 0\.05"):
            await pool.run(request(asyncio.Event()), endless(threading.Event(), []))

    asyncio.run(scenario())
    pool.close()


def test_an_error_in_a_thread_reaches_the_client(pool: Pool) -> None:
    def fail(number: int) -> int:
        return 1 // number

    async def scenario() -> None:
        with pytest.raises(ZeroDivisionError):
            await pool.run(request(asyncio.Event()), lambda work: list(work.map(fail, [1, 0])))

    asyncio.run(scenario())


def test_a_large_request_leaves_turns_to_others() -> None:
    pool = Pool(threads=1, requests=2, queue=0, limit_s=30)
    begun, steps = threading.Event(), list[int]()

    async def scenario() -> int:
        gone, there = asyncio.Event(), asyncio.Event()
        large = asyncio.create_task(pool.run(request(gone), endless(begun, steps)))
        await asyncio.to_thread(begun.wait)
        before = len(steps)
        await pool.run(request(there), lambda work: list(work.map(lambda _: None, range(3))))
        between = len(steps) - before
        gone.set()
        with pytest.raises(GoneError):
            await large
        return between

    # One thread for both: three steps of the small one wait for a few of the large one each.
    assert asyncio.run(scenario()) < 50
    pool.close()
