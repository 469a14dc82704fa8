"""Servers that go, work that is not wanted any more, and orderly ends."""

from pathlib import Path

import psycopg
import pytest
import redis as redis_client

from ingest import ledger
from ingest.ledger import Lane
from tests import servers
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


def test_of_two_dispatchers_one_acts_and_nothing_is_done_twice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    want(wish(tmp_path, number) for number in range(20))
    with caplog.at_level("INFO"):
        Platform(settings(), dispatchers=2, workers=2).until(all_in("done"))
    assert len(catalogue()) == 20
    assert all(row["turn"] == 2 for row in rows().values())
    acting = [line for line in caplog.messages if line == "this dispatcher acts"]
    assert len(acting) == 1


def test_a_redis_that_forgets_everything_costs_nothing(tmp_path: Path, redis_url: str) -> None:
    want(wish(tmp_path, number) for number in range(20))
    Platform(settings(), workers=0).until(lambda: "queued" in states().values())
    with redis_client.Redis.from_url(redis_url) as client:
        client.flushall()
    Platform(settings()).until(all_in("done"))
    assert len(catalogue()) == 20


def test_a_redis_that_goes_and_comes_back_ends_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    want([wish(tmp_path, 0, "slow-1-"), *(wish(tmp_path, n) for n in range(1, 20))])
    with servers.redis() as server:
        monkeypatch.setenv("NIMBOSTAC_REDIS_URL", server.url)
        restarted = []

        def restart() -> bool:
            begun = tmp_path / f"slow-1-{name(0)}.SAFE.begun"
            if begun.exists() and not restarted:
                server.stop()
                restarted.append(1)
            elif restarted == [1]:
                server.start()
                restarted.append(2)
            return set(states().values()) == {"done"}

        Platform(settings()).until(restart)
    assert restarted == [1, 2]
    assert len(catalogue()) == 20
    told = [line for line in caplog.messages if "cannot reach Redis" in line]
    assert 1 <= len(told) <= 4


def test_a_ledger_that_goes_and_comes_back_ends_no_dispatcher(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    want(wish(tmp_path, number) for number in range(4))
    steps = []

    def went() -> bool:
        if not steps and "queued" in states().values():
            with psycopg.connect(autocommit=True) as connection:
                connection.execute("DROP SCHEMA ledger CASCADE")
            steps.append("gone")
        elif steps == ["gone"] and any("has no ledger" in line for line in caplog.messages):
            ledger.migrate()
            want(wish(tmp_path, number) for number in range(4))
            steps.append("back")
        return steps[-1:] == ["back"] and set(states().values()) == {"queued"}

    Platform(settings(), workers=0).until(went)
    told = [line for line in caplog.messages if "waiting for it to come back" in line]
    assert 1 <= len(told) <= 2


def test_an_abort_stops_what_runs(tmp_path: Path) -> None:
    with ledger.opened() as book:
        backfill = book.backfill_create("one", ENGINE, {}, priority=5, created_by="test").id
        book.backfill_listed(backfill)
    want([wish(tmp_path, 1, "slow-600-")], backfill=backfill)
    begun = tmp_path / f"slow-600-{name(1)}.SAFE.begun"

    def abort() -> bool:
        if not begun.exists():
            return False
        if states() == {name(1): "running"}:
            with ledger.opened() as book:
                book.abort(backfill)
            want([wish(tmp_path, 2)])
        return states() == {name(1): "aborted", name(2): "done"}

    # The worker, which can do one thing at a time, is free for the other product.
    Platform(settings()).until(abort)
    assert catalogue() == [name(2)]


def test_a_worker_that_stops_gives_back_what_it_cannot_finish(tmp_path: Path) -> None:
    want([wish(tmp_path, 1, "slow-600-")])
    begun = tmp_path / f"slow-600-{name(1)}.SAFE.begun"
    Platform(settings(stop_wait_s=1)).until(begun.exists)
    row = rows()[name(1)]
    assert (row["state"], row["attempts"]) == ("due", 0)
    with ledger.opened() as book:
        assert book.workers() == []


def test_a_worker_that_stops_finishes_what_is_nearly_done(tmp_path: Path) -> None:
    want([wish(tmp_path, 1, "slow-1-")])
    begun = tmp_path / f"slow-1-{name(1)}.SAFE.begun"
    Platform(settings(stop_wait_s=30)).until(begun.exists)
    row = rows()[name(1)]
    assert (row["lane"], row["state"]) == ("publish", "due")


def test_a_product_that_takes_too_long_fails(tmp_path: Path) -> None:
    want([wish(tmp_path, 1, "slow-600-")])
    Platform(settings(job_timeout_s=0.5)).until(all_in("failed"))
    assert rows()[name(1)]["error_kind"] == "TooSlowError"


def test_workers_are_listed_with_what_they_are_at(tmp_path: Path) -> None:
    want([wish(tmp_path, 1, "slow-600-")])
    seen = []

    def listed() -> bool:
        with ledger.opened() as book:
            seen[:] = [one for one in book.workers() if one.product]
        return bool(seen) and seen[0].step == "infer"

    Platform(settings(stop_wait_s=1)).until(listed)
    (one,) = seen
    assert (one.lane, one.product, one.done, one.total) == (Lane.MASK, name(1), 1, 2)
    assert one.alive
