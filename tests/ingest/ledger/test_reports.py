from datetime import timedelta

import psycopg
import pytest

from ingest.errors import UnknownBackfillError
from ingest.ledger import Lane, Ledger, State, WorkerState
from tests.ingest.ledger import books
from tests.ingest.ledger.books import ENGINE, MARCH


def masked(book: Ledger, count: int) -> None:
    for task in books.started(book, count):
        book.advance(task.id, task.turn, Lane.PUBLISH, version="1.0.0")
    book.finish([(task.id, task.turn) for task in books.started(book, count, Lane.PUBLISH)])


def test_progress_knows_how_fast_it_goes_and_how_long_it_takes(book: Ledger, pgstac: str) -> None:
    backfill = books.begun(book, 30)
    assert book.progress(backfill).eta_s is None
    masked(book, 10)
    with psycopg.connect(pgstac) as connection:
        # Half of them a while ago, and the backfill began yesterday.
        connection.execute("UPDATE ledger.backfills SET created = created - interval '1 day'")
        connection.execute(
            "INSERT INTO ledger.pace VALUES (%s, date_trunc('minute', clock_timestamp())"
            " - interval '10 min', 5), (%s, clock_timestamp() - interval '40 min', 1000)",
            (backfill, backfill),
        )
    told = book.progress(backfill)
    assert told.counts[State.DONE] == 10
    assert (told.total, told.left) == (30, 20)
    # 15 in 15 to 16 minutes.
    assert 56 <= told.rate_per_hour <= 60
    assert told.eta_s == pytest.approx(20 / told.rate_per_hour * 3600)
    masked(book, 20)
    assert book.progress(backfill).eta_s == 0
    with pytest.raises(UnknownBackfillError):
        book.progress("absent")


def test_a_young_backfill_is_measured_from_its_beginning(book: Ledger) -> None:
    backfill = books.begun(book, 4)
    masked(book, 2)
    assert book.progress(backfill).rate_per_hour > 2 * 3600 / 900


def test_what_was_masked_before_does_not_count_as_speed(book: Ledger) -> None:
    books.want(book, 3)
    masked(book, 3)
    backfill = books.begun(book, 4)
    told = book.progress(backfill)
    assert told.counts[State.DONE] == 3
    assert told.rate_per_hour == 0


def test_a_product_that_only_changes_its_lane_is_counted_there(book: Ledger, pgstac: str) -> None:
    books.begun(book, 5)
    with psycopg.connect(pgstac) as connection:
        connection.execute("UPDATE ledger.products SET lane = 'publish' WHERE id % 2 = 0")
        books.assert_tallies(connection)
    assert sum(lane.due for lane in book.lanes() if lane.lane is not Lane.MASK) == 2


def test_lanes_tell_what_there_is_to_do(book: Ledger) -> None:
    backfill = books.begun(book, 10)
    book.want(books.wishes(2, 50, "s3://bucket"), ENGINE, priority=5, version="1")
    first, second, third, *_ = books.started(book, 4)
    book.fail(first.id, first.turn, "E", "e", retry_in_s=None)
    book.fail(second.id, second.turn, "E", "e", retry_in_s=3600)
    book.advance(third.id, third.turn, Lane.PUBLISH)
    book.claim(Lane.MASK, 2)
    told = {lane.lane: lane for lane in book.lanes()}
    mask = told[Lane.MASK]
    found = (mask.due, mask.delayed, mask.queued, mask.running, mask.failed, mask.held)
    assert found == (5, 1, 2, 1, 1, 0)
    assert (told[Lane.STAGE].due, told[Lane.PUBLISH].due) == (2, 1)
    assert book.urgent(Lane.MASK, 9) == 0
    book.pause(backfill)
    assert {lane.lane: lane.held for lane in book.lanes()} == {
        Lane.STAGE: 0,
        Lane.MASK: 7,
        Lane.PUBLISH: 1,
    }


def test_failures_are_listed_page_by_page_and_by_backfill(book: Ledger) -> None:
    first, second = books.begun(book, 5), books.begun(book, 2, first=5)
    for task in books.started(book, 7):
        book.fail(task.id, task.turn, "SafeError", task.product, retry_in_s=None)
    ids = [failure.id for failure in book.failures()]
    assert len(ids) == 7
    page = book.failures(limit=4)
    assert [one.id for one in page + book.failures(limit=4, after=page[-1].id)] == ids
    assert [one.id for one in book.failures(first)] == ids[:5]
    assert [one.id for one in book.failures(second)] == ids[5:]


def test_coverage_of_a_tile_tells_what_is_masked_failed_and_on_its_way(book: Ledger) -> None:
    books.want(book, 4)
    masked(book, 1)
    (task,) = books.started(book)
    book.fail(task.id, task.turn, "SafeError", "broken", retry_in_s=None)
    end = MARCH + timedelta(hours=3)
    told = book.coverage("33UUU", MARCH, end)
    assert [one.product for one in told] == [wish.product for wish in books.wishes(3)]
    assert [str(one.state) for one in told] == ["done", "failed", "due"]
    assert [one.engine_version for one in told] == ["1.0.0", None, None]
    assert [one.detail for one in told] == [None, "broken", None]
    assert len(book.coverage("33UUU", MARCH, end, ENGINE)) == 3
    assert book.coverage("33UUU", MARCH, end, "kappamask") == []
    assert book.coverage("33UVU", MARCH, end) == []


def test_a_worker_is_alive_while_it_says_so(book: Ledger, pgstac: str) -> None:
    state = WorkerState("host:1:mask", Lane.MASK, "host", 1, "cuda:0", "S2A", "infer", 3, 4, 99)
    book.beat(state)
    book.beat(WorkerState("host:2:stage", Lane.STAGE, "host", 2))
    first, second = book.workers()
    assert (first.name, first.device, first.product, first.done) == (
        "host:1:mask",
        "cuda:0",
        "S2A",
        3,
    )
    assert first.alive
    assert second.alive
    with psycopg.connect(pgstac) as connection:
        connection.execute("UPDATE ledger.workers SET seen = seen - interval '20 s' WHERE pid = 1")
    assert [worker.alive for worker in book.workers()] == [False, True]
    book.beat(state)
    assert [worker.alive for worker in book.workers()] == [True, True]
    book.gone("host:2:stage")
    assert [worker.name for worker in book.workers()] == ["host:1:mask"]
