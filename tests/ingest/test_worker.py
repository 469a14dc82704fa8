import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from arq.constants import in_progress_key_prefix, job_key_prefix

from ingest import backfill, queue, worker
from ingest.jobs import Outcome, Work
from producer.storage import Storage
from tests import servers
from tests.ingest.fakes import PRODUCT, RECORD, SOURCE, Fake, settings
from tests.ingest.test_jobs import catalogue, run, state

WANTED = [backfill.Wanted(PRODUCT, SOURCE)]
JOB = queue.job_id("ukis-csmask", PRODUCT)
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")


class Started:
    """A worker in a process of its own, which waits where it was told to."""

    def __init__(self, stall: str, folder: Path) -> None:
        self.marker, self.release = folder / "marker", folder / "release"
        command = [sys.executable, "-m", "tests.ingest.fakes", stall]
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, self.marker, self.release], cwd=ROOT, stdout=log, stderr=log
            )

    def wait_for_marker(self) -> None:
        end = time.monotonic() + 120
        while not self.marker.exists():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.02)

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(120)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Started]]:
    started: list[Started] = []

    def start(stall: str) -> Started:
        started.append(Started(stall, tmp_path))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def enqueue() -> None:
    async def go() -> None:
        async with queue.opened(settings()) as redis:
            await backfill.enqueue(redis, WANTED, "ukis-csmask")

    asyncio.run(go())


def finish(store: Storage) -> Outcome:
    """Have another worker do what is left, and look what came of the job."""

    async def go() -> Outcome:
        told = settings()
        async with queue.opened(told) as redis:
            masker = Fake(store)
            works = worker.build(told, Work(store, lambda _: masker), burst=True)
            try:
                await works.async_run()
            finally:
                await works.close()
            async for status in backfill.follow(redis, {JOB: WANTED[0]}):
                for outcome in status.outcomes:
                    return outcome
        raise AssertionError

    return asyncio.run(go())


@pytest.mark.parametrize("point", ["start", ".tif", RECORD, ".item.json", "load"])
def test_a_worker_killed_anywhere_ends_in_the_state_of_an_undisturbed_run(
    point: str,
    pgstac: str,
    redis_url: str,
    store: Storage,
    start: Callable[[str], Started],
) -> None:
    enqueue()
    killed = start(point)
    killed.wait_for_marker()
    assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    assert finish(store).state in ("published", "unchanged")
    disturbed = state(store)
    assert len(catalogue()) == 1
    # The same from nothing, by one worker that nobody disturbs.
    for key in disturbed[0]:
        store.delete(key)
    assert run(settings(), Fake(store))[0].state in ("published", "unchanged")
    assert state(store) == disturbed


def test_a_worker_asked_to_stop_finishes_its_product_first(
    pgstac: str, redis_url: str, store: Storage, start: Callable[[str], Started]
) -> None:
    enqueue()
    asked = start(RECORD)
    asked.wait_for_marker()
    asked.process.send_signal(signal.SIGTERM)
    asked.release.touch()
    assert asked.process.wait(120) == 0, asked.log.read_text()
    assert [item for item, _ in catalogue()] == [PRODUCT]
    assert f"{PRODUCT}: published" in asked.log.read_text()


def test_a_worker_asked_to_stop_gives_back_a_product_that_takes_too_long(
    pgstac: str, redis_url: str, store: Storage, start: Callable[[str], Started]
) -> None:
    enqueue()
    asked = start("start")
    asked.wait_for_marker()
    assert asked.end(signal.SIGTERM) == 0, asked.log.read_text()

    async def keys() -> tuple[int, int]:
        async with queue.opened(settings()) as redis:
            return (
                await redis.exists(job_key_prefix + JOB),
                await redis.exists(in_progress_key_prefix + JOB),
            )

    assert asyncio.run(keys()) == (1, 0)
    assert finish(store).state == "published"


def test_a_job_is_held_by_a_short_lease_and_who_follows_it_sees_its_step(
    pgstac: str, redis_url: str, store: Storage, start: Callable[[str], Started]
) -> None:
    enqueue()
    slow = start(RECORD)
    slow.wait_for_marker()

    async def look() -> tuple[backfill.Running, str]:
        async with queue.opened(settings()) as redis:
            # Kept up by the worker; arq itself would hold the job for its whole timeout.
            assert 0 < await redis.pttl(in_progress_key_prefix + JOB) <= 1000
            async for status in backfill.follow(redis, {JOB: WANTED[0]}):
                if status.running and status.running[0].step == "infer":
                    return status.running[0], status.worker
        raise AssertionError

    running, lives = asyncio.run(look())
    assert (running.product, running.step, running.done, running.total) == (PRODUCT, "infer", 1, 4)
    assert lives == "lives"


def test_a_redis_that_goes_ends_the_worker_but_not_the_product_at_work(
    pgstac: str, store: Storage, start: Callable[[str], Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers.redis() as redis:
        monkeypatch.setenv("NIMBOSTAC_REDIS_URL", redis.url)
        enqueue()
        working = start(RECORD)
        working.wait_for_marker()
        redis.stop()
        working.release.touch()
        assert working.process.wait(120) == 1
        assert "cannot reach Redis at 127.0.0.1" in working.log.read_text()
        assert [item for item, _ in catalogue()] == [PRODUCT]
        redis.start()
        assert run(settings(), Fake(store))[0].state == "unchanged"
