from contextlib import suppress
from datetime import datetime

import psycopg
import pytest

from ingest.ledger import Lane, Ledger
from tests.ingest.ledger import books
from tests.ingest.ledger.books import ENGINE

LEGAL = {
    *(("due", to) for to in ("queued", "held", "aborted")),
    *(("queued", to) for to in ("running", "due", "held", "aborted")),
    *(("running", to) for to in ("due", "held", "done", "failed", "aborted")),
    *(("held", to) for to in ("due", "aborted")),
    *((rests, to) for rests in ("done", "failed", "aborted") for to in ("due", "held")),
}
STATES = ("held", "due", "queued", "running", "done", "failed", "aborted")


def test_the_most_urgent_is_claimed_first_and_then_the_longest_due(book: Ledger) -> None:
    for first, priority in ((0, 5), (10, 0), (20, 9), (30, 0), (40, 5)):
        book.want(books.wishes(2, first), ENGINE, priority=priority, version="1")
    expected = [wish.product for first in (10, 30, 0, 40, 20) for wish in books.wishes(2, first)]
    claimed = [task.product for _ in range(4) for task in book.claim(Lane.MASK, 3)]
    assert claimed == expected


def test_engines_of_one_priority_take_turns_by_time(book: Ledger) -> None:
    for first, engine in ((0, ENGINE), (10, "kappamask"), (20, ENGINE)):
        book.want(books.wishes(2, first), engine, priority=5, version="1")
    engines = [task.engine for task in book.claim(Lane.MASK, 5)]
    assert engines == [ENGINE, ENGINE, "kappamask", "kappamask", ENGINE]


def test_a_product_goes_through_its_lanes_and_keeps_what_was_learned(
    book: Ledger, pgstac: str
) -> None:
    book.want(books.wishes(1, 0, "s3://bucket"), ENGINE, priority=5, version="1")
    (task,) = books.started(book, lane=Lane.STAGE)
    assert book.advance(
        task.id, task.turn, Lane.MASK, staged="/scratch/1", timings={"fetch": 2.5}, bytes=700
    )
    (task,) = books.started(book, lane=Lane.MASK)
    assert (task.staged, task.turn) == ("/scratch/1", 2)
    assert book.advance(
        task.id, task.turn, Lane.PUBLISH, record="a/b.json", timings={"mask": 9}, version="1"
    )
    (task,) = books.started(book, lane=Lane.PUBLISH)
    assert (task.staged, task.record, task.turn) == (None, "a/b.json", 3)
    assert book.finish([(task.id, task.turn)], timings={"publish": 0.1}) == {task.id}
    with psycopg.connect(pgstac) as connection:
        row = connection.execute(
            "SELECT state, timings, bytes, engine_version, lease, tile, level, worker"
            " FROM ledger.products"
        ).fetchone()
    timings = {"fetch": 2.5, "mask": 9, "publish": 0.1}
    assert row == ("done", timings, 700, "1", None, "33UUU", "L1C", "host:1:mask")


def test_a_turn_that_is_over_changes_nothing(book: Ledger, pgstac: str) -> None:
    books.want(book, 1)
    (task,) = books.started(book)
    book.give_back([(task.id, task.turn)])
    (again,) = books.started(book)
    assert again.turn == task.turn + 1
    for turn in (task.turn, again.turn + 1):
        assert book.start(task.id, turn, "late") is None
        assert book.renew([(task.id, turn)]) == set()
        assert not book.advance(task.id, turn, Lane.PUBLISH)
        assert book.finish([(task.id, turn)]) == set()
        assert not book.fail(task.id, turn, "E", "e", retry_in_s=None)
        assert book.give_back([(task.id, turn)]) == 0
    assert books.state_of(pgstac, task.id) == "running"
    assert book.finish([(task.id, task.turn), (again.id, again.turn)]) == {again.id}


def test_a_product_is_begun_once(book: Ledger) -> None:
    books.want(book, 1)
    (task,) = book.claim(Lane.MASK, 1)
    assert book.start(task.id, task.turn, "one") == task
    assert book.start(task.id, task.turn, "two") is None
    assert book.claim(Lane.MASK, 1) == []


def test_a_try_that_did_not_work_is_made_again_later_and_counted(book: Ledger) -> None:
    books.want(book, 2)
    first, second = books.started(book, 2)
    assert book.fail(first.id, first.turn, "StorageError", "gone", retry_in_s=3600)
    assert book.fail(second.id, second.turn, "StorageError", "gone", retry_in_s=0)
    (again,) = book.claim(Lane.MASK, 9)
    assert (again.id, again.attempts) == (second.id, 1)
    assert next(lane for lane in book.lanes() if lane.lane is Lane.MASK).delayed == 1


def test_going_on_to_the_next_lane_forgets_failed_attempts_and_going_back_does_not(
    book: Ledger,
) -> None:
    books.want(book, 1)
    (task,) = books.started(book)
    book.fail(task.id, task.turn, "E", "e", retry_in_s=0)
    (task,) = books.started(book)
    book.advance(task.id, task.turn, Lane.PUBLISH)
    (task,) = books.started(book, lane=Lane.PUBLISH)
    assert task.attempts == 0
    book.fail(task.id, task.turn, "E", "e", retry_in_s=0)
    (task,) = books.started(book, lane=Lane.PUBLISH)
    book.advance(task.id, task.turn, Lane.MASK)
    (task,) = books.started(book)
    assert task.attempts == 1


def test_a_product_that_failed_for_good_stays_so_with_its_reason(book: Ledger) -> None:
    books.want(book, 1)
    (task,) = books.started(book)
    assert book.fail(task.id, task.turn, "SafeError", "B02 is broken", retry_in_s=None)
    (failure,) = book.failures()
    assert (failure.kind, failure.error, failure.attempts) == ("SafeError", "B02 is broken", 1)
    assert (failure.product, failure.lane) == (task.product, Lane.MASK)
    assert book.claim(Lane.MASK, 9) == []


def test_a_worker_that_died_loses_its_products_and_one_that_lives_does_not(book: Ledger) -> None:
    books.want(book, 3)
    tasks = book.claim(Lane.MASK, 3)
    for task in tasks:
        book.start(task.id, task.turn, "host:1:mask", lease_s=-1)
    assert book.renew([(tasks[0].id, tasks[0].turn)], 60) == {tasks[0].id}
    assert {task.id for task in book.reclaim()} == {tasks[1].id, tasks[2].id}
    assert book.reclaim() == []
    again = book.claim(Lane.MASK, 9)
    assert [(task.id, task.attempts) for task in again] == [(tasks[1].id, 1), (tasks[2].id, 1)]


def test_a_lease_is_written_anew_only_once_a_part_of_it_is_over(book: Ledger, pgstac: str) -> None:
    books.want(book, 2)
    turns = [(task.id, task.turn) for task in book.claim(Lane.MASK, 2)]
    for (id_, turn), lease_s in zip(turns, (59, 40), strict=True):
        book.start(id_, turn, "host:1:mask", lease_s=lease_s)

    def leases() -> list[tuple[datetime]]:
        with psycopg.connect(pgstac) as connection:
            return connection.execute("SELECT lease FROM ledger.products ORDER BY id").fetchall()

    young, old = leases()
    assert book.renew(turns, 60) == {id_ for id_, _ in turns}
    renewed = leases()
    assert renewed[0] == young
    assert renewed[1] > old


def test_a_product_that_kills_each_of_its_workers_is_given_up(book: Ledger) -> None:
    books.want(book, 1)
    for _ in range(3):
        (task,) = book.claim(Lane.MASK, 1)
        book.start(task.id, task.turn, "host:7:mask", lease_s=-1)
        assert len(book.reclaim(tries=3)) == 1
    (failure,) = book.failures()
    assert (failure.kind, failure.attempts) == ("WorkerLost", 3)
    assert "host:7:mask" in failure.error


def test_what_is_in_a_queue_for_some_time_can_be_compared_and_put_back(book: Ledger) -> None:
    books.want(book, 2)
    turns = [(task.id, task.turn) for task in book.claim(Lane.MASK, 2)]
    assert book.queued(Lane.MASK, 3600) == []
    assert book.queued(Lane.PUBLISH, 0) == []
    assert book.queued(Lane.MASK, 0) == turns
    assert book.give_back(turns) == 2
    assert [task.attempts for task in book.claim(Lane.MASK, 9)] == [0, 0]


def test_nothing_to_do_is_no_error(book: Ledger) -> None:
    assert book.start_many([], "w") == []
    assert book.renew([]) == set()
    assert book.finish([]) == set()
    assert book.give_back([]) == 0
    assert book.claim(Lane.MASK, 0) == []


@pytest.mark.parametrize("state", STATES)
def test_the_tables_themselves_refuse_a_step_that_is_not_legal(
    book: Ledger, pgstac: str, state: str
) -> None:
    books.want(book, 1)
    allowed = set()
    for to in STATES:
        with psycopg.connect(pgstac) as connection:
            connection.execute("ALTER TABLE ledger.products DISABLE TRIGGER legal")
            connection.execute("UPDATE ledger.products SET state = %s", (state,))
            connection.execute("ALTER TABLE ledger.products ENABLE TRIGGER legal")
            with suppress(psycopg.errors.RaiseException):
                connection.execute("UPDATE ledger.products SET state = %s", (to,))
                allowed.add(to)
    assert allowed == {state} | {to for start, to in LEGAL if start == state}
