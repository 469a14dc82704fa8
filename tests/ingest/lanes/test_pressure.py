"""What keeps queues short, scratch from filling and a broken engine from doing harm."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from ingest import ledger
from ingest.lanes import queues, worker
from ingest.ledger import Lane
from producer import staging
from producer.engines import Progress
from producer.storage import Storage
from tests.ingest.lanes.platform import (
    ENGINE,
    Platform,
    all_in,
    catalogue,
    name,
    rows,
    settings,
    states,
    want,
    wish,
)


def depth(lane: Lane) -> int:
    async def count() -> int:
        async with queues.opened(settings()) as redis:
            return await queues.depth(redis, lane)

    return asyncio.run(count())


def test_a_queue_is_filled_no_further_than_it_may_be(tmp_path: Path) -> None:
    want(wish(tmp_path, number) for number in range(30))
    told = settings(queue_high=7, queue_low=3)
    deepest = []

    def full() -> bool:
        deepest.append(depth(Lane.MASK))
        return len(deepest) > 10 and deepest[-1] == 7

    Platform(told, workers=0).until(full)
    assert max(deepest) == 7
    assert list(states().values()).count("queued") == 7
    Platform(told).until(all_in("done"))
    assert len(catalogue()) == 30


def test_live_products_are_queued_though_the_queue_is_full(tmp_path: Path) -> None:
    want(wish(tmp_path, number) for number in range(10))
    told = settings(queue_high=4, queue_low=2)
    Platform(told, workers=0).until(lambda: depth(Lane.MASK) == 4)
    want([wish(tmp_path, 99)], priority=0)
    Platform(told, workers=0).until(lambda: states()[name(99)] == "queued")
    assert depth(Lane.MASK) == 5


def test_an_engine_that_fails_on_everything_stops_and_the_others_go_on(tmp_path: Path) -> None:
    want((wish(tmp_path, number) for number in range(40)), of="broken")
    want((wish(tmp_path, number) for number in range(100, 120)), of=ENGINE)
    told = settings(probe_s=3600, queue_high=8, queue_low=4)

    def stopped() -> bool:
        with ledger.opened() as book:
            brakes = [brake for lane in book.lanes() for brake in lane.brakes]
        others = [row["state"] for row in rows().values() if row["engine"] == ENGINE]
        return any(brake.stopped for brake in brakes) and set(others) == {"done"}

    Platform(told).until(stopped)
    left = [row["state"] for row in rows().values() if row["engine"] == "broken"]
    # What was queued when it stopped has failed too; the rest is spared.
    assert left.count("failed") < 30
    assert left.count("due") > 10
    with ledger.opened() as book:
        (brake,) = next(lane for lane in book.lanes() if lane.lane is Lane.MASK).brakes
    assert brake.engine == "broken"
    assert "broken is broken" in str(brake.reason)


def test_an_engine_that_works_again_is_found_out_by_a_probe(tmp_path: Path) -> None:
    for number in range(15):
        want([wish(tmp_path, number, "away-1-" if number else "")])
    told = settings(tries=100, probe_s=0.2)
    with ledger.opened() as book:
        for _ in range(10):
            book.outcome(Lane.MASK, ENGINE, ok=False, reason="for the test", probe_s=0.2)
    Platform(told).until(all_in("done"))
    with ledger.opened() as book:
        assert not any(lane.brakes for lane in book.lanes())


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have ``s3://`` products fetched from nowhere; gives what was fetched."""
    fetched = []

    def fetch(source: str, folder: Path, progress: Progress) -> Path:
        progress("fetch", 0, 10)
        fetched.append(source)
        place = folder / source.rpartition("/")[2]
        place.write_bytes(b"0123456789")
        return place

    monkeypatch.setattr(staging, "fetch", fetch)
    return fetched


def far(number: int, manner: str = "") -> ledger.Wish:
    return ledger.Wish(name(number), f"s3://eodata/{manner}{name(number)}.SAFE")


def test_a_remote_product_is_staged_masked_and_leaves_nothing_in_scratch(
    remote: list[str], tmp_path: Path, store: Storage
) -> None:
    want([far(1), far(2, "corrupt-")])
    Platform(settings(scratch_free_gib=0)).until(all_in("done", "failed"))
    assert sorted(states().values()) == ["done", "failed"]
    assert len(remote) == 2
    assert rows()[name(1)]["bytes"] == 10
    record = json.loads(store.get(rows()[name(1)]["record"]))
    assert record["source"]["uri"] == far(1).source
    assert list((tmp_path / "scratch").iterdir()) == []


def test_nothing_is_fetched_while_scratch_is_full(remote: list[str], tmp_path: Path) -> None:
    want(far(number) for number in range(6))
    told = settings(scratch_free_gib=0, scratch_products=2, stage_jobs=1)
    # Nobody masks, so that nothing leaves scratch.
    Platform(told, lanes=[Lane.STAGE]).until(
        lambda: sum(row["staged"] is not None for row in rows().values()) >= 2
    )
    fetched = len(remote)
    assert fetched <= 4
    Platform(told).until(all_in("done"))
    assert len(remote) == 6
    full = settings(scratch_free_gib=1e9)
    want([far(50)])
    looks = []
    Platform(full, lanes=[Lane.STAGE]).until(lambda: looks.append(1) or len(looks) > 20)
    assert len(remote) == 6
    assert states()[name(50)] in ("due", "queued")


def test_no_more_is_handed_out_to_be_fetched_than_scratch_has_room_for(
    remote: list[str], tmp_path: Path
) -> None:
    want(far(number) for number in range(12))
    told = settings(scratch_free_gib=0, scratch_products=3, stage_jobs=1)
    most = []

    def in_scratch() -> int:
        found = rows().values()
        most.append(sum(row["lane"] == "stage" and row["state"] == "queued" for row in found))
        return sum(row["staged"] is not None for row in found)

    # Nobody masks, so that nothing leaves scratch; what there is no room for is not queued.
    Platform(told, lanes=[Lane.STAGE]).until(lambda: in_scratch() >= 3)
    assert max(most) <= 3
    looks: list[int] = []
    Platform(told, lanes=[Lane.STAGE]).until(lambda: looks.append(in_scratch()) or len(looks) > 40)
    # A new worker is taken to have its usual room until it says how much there is.
    assert max(most) <= 3
    assert looks[-1] == 3
    Platform(told).until(all_in("done"))
    assert len(remote) == 12


def test_a_worker_that_starts_looks_at_scratch_before_it_fetches(
    remote: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    want(far(number) for number in range(4))
    told = settings(scratch_free_gib=0, scratch_products=1, stage_jobs=1)
    look = worker._Bench._look_at_scratch

    async def look_late(*arguments: Any, **more: Any) -> tuple[int | None, int]:
        # As on a busy machine, where the queue is read before the first sign of life.
        await asyncio.sleep(1.5)
        return await look(*arguments, **more)

    def staged() -> int:
        return sum(row["staged"] is not None for row in rows().values())

    Platform(told, lanes=[Lane.STAGE]).until(lambda: staged() == 1)

    async def leave_in_the_queue() -> None:
        # As a dispatcher does that has not heard yet that scratch is full.
        with ledger.opened() as book:
            tasks = book.claim(Lane.STAGE, 3)
        async with queues.opened(told) as redis:
            for task in tasks:
                await queues.put(redis, Lane.STAGE, [task])

    asyncio.run(leave_in_the_queue())
    monkeypatch.setattr(worker._Bench, "_look_at_scratch", look_late)
    waited = time.monotonic() + 3
    Platform(told, lanes=[Lane.STAGE], dispatchers=0).until(lambda: time.monotonic() > waited)
    assert (staged(), len(remote)) == (1, 1)


def test_a_staged_product_that_vanished_is_fetched_again(remote: list[str], tmp_path: Path) -> None:
    want([far(1)])
    told = settings(scratch_free_gib=0)
    Platform(told, lanes=[Lane.STAGE]).until(lambda: rows()[name(1)]["staged"] is not None)
    Path(rows()[name(1)]["staged"]).unlink()
    Platform(told).until(all_in("done"))
    assert len(remote) == 2


def test_what_the_dead_left_in_scratch_is_removed(remote: list[str], tmp_path: Path) -> None:
    left = tmp_path / "scratch" / "4711-3"
    left.mkdir(parents=True)
    other = tmp_path / "scratch" / "notes"
    other.touch()
    Platform(settings(), dispatchers=0).until(lambda: not left.exists())
    assert other.exists()
