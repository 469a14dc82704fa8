import pytest

from ingest.errors import BackfillStateError, UnknownBackfillError
from ingest.ledger import BackfillState, Lane, Ledger, State
from tests.ingest.ledger import books
from tests.ingest.ledger.books import ENGINE


def counts(book: Ledger, backfill: str) -> dict[str, int]:
    """Give how many products of a backfill are in which state, those that there are."""
    found = book.progress(backfill).counts
    return {str(state): number for state, number in found.items() if number}


def fail(book: Ledger, count: int) -> None:
    for task in books.started(book, count):
        book.fail(task.id, task.turn, "SafeError", "broken", retry_in_s=None)


def finish(book: Ledger, count: int) -> None:
    for task in books.started(book, count):
        book.advance(task.id, task.turn, Lane.PUBLISH, version="1.0.0")
    book.finish([(task.id, task.turn) for task in books.started(book, count, Lane.PUBLISH)])


def test_pausing_holds_what_waits_and_what_is_queued_and_lets_run_what_runs(
    book: Ledger, pgstac: str
) -> None:
    backfill = books.begun(book, 10)
    running = books.started(book, 2)
    queued = book.claim(Lane.MASK, 3)
    assert book.pause(backfill).state is BackfillState.PAUSED
    assert counts(book, backfill) == {"held": 8, "running": 2}
    assert book.start(queued[0].id, queued[0].turn, "late") is None
    assert book.claim(Lane.MASK, 9) == []
    # What ran goes to the end of its lane, and no further.
    assert book.advance(running[0].id, running[0].turn, Lane.PUBLISH)
    assert book.fail(running[1].id, running[1].turn, "E", "e", retry_in_s=0)
    assert counts(book, backfill) == {"held": 10}
    assert book.resume(backfill).state is BackfillState.RUNNING
    assert len(book.claim(Lane.MASK, 99)) == 9
    assert len(book.claim(Lane.PUBLISH, 99)) == 1
    books.assert_tallied(pgstac)


def test_pausing_twice_or_resuming_twice_is_the_same_as_once(book: Ledger) -> None:
    backfill = books.begun(book, 3)
    for _ in range(2):
        book.pause(backfill)
        assert counts(book, backfill) == {"held": 3}
    for _ in range(2):
        book.resume(backfill)
        assert counts(book, backfill) == {"due": 3}


def test_a_delayed_retry_is_still_delayed_after_a_pause(book: Ledger) -> None:
    backfill = books.begun(book, 1)
    (task,) = books.started(book)
    book.fail(task.id, task.turn, "E", "e", retry_in_s=3600)
    book.pause(backfill)
    book.resume(backfill)
    assert book.claim(Lane.MASK, 1) == []


def test_products_of_another_backfill_that_runs_go_on_when_one_is_paused(book: Ledger) -> None:
    first, second = books.begun(book, 6), books.begun(book, 6, first=4)
    book.pause(first)
    assert counts(book, first) == {"held": 4, "due": 2}
    assert counts(book, second) == {"due": 6}
    book.pause(second)
    assert counts(book, second) == {"held": 6}
    book.resume(second)
    assert counts(book, first) == {"held": 4, "due": 2}


def test_what_a_paused_backfill_held_goes_on_once_another_one_wants_it(book: Ledger) -> None:
    first = books.begun(book, 4)
    book.pause(first)
    books.begun(book, 2)
    assert counts(book, first) == {"held": 2, "due": 2}


def test_aborting_stops_what_runs_and_what_waits(book: Ledger, pgstac: str) -> None:
    backfill = books.begun(book, 10)
    finish(book, 1)
    fail(book, 1)
    (running,) = books.started(book)
    (queued,) = book.claim(Lane.MASK, 1)
    assert book.abort(backfill).state is BackfillState.ABORTED
    assert counts(book, backfill) == {"aborted": 8, "done": 1, "failed": 1}
    assert book.renew([(running.id, running.turn)]) == set()
    assert not book.advance(running.id, running.turn, Lane.PUBLISH)
    assert book.start(queued.id, queued.turn, "late") is None
    books.assert_tallied(pgstac)


def test_aborting_one_of_two_backfills_leaves_the_other_what_it_wants(book: Ledger) -> None:
    first, second = books.begun(book, 6), books.begun(book, 6, first=4)
    books.started(book, 5)
    book.abort(first)
    assert counts(book, first) == {"aborted": 4, "running": 1, "due": 1}
    assert counts(book, second) == {"running": 1, "due": 5}


def test_what_a_paused_backfill_wants_too_waits_with_it_when_the_other_is_aborted(
    book: Ledger,
) -> None:
    first, second = books.begun(book, 3), books.begun(book, 3)
    (running,) = books.started(book)
    book.pause(second)
    book.abort(first)
    assert counts(book, second) == {"held": 2, "running": 1}
    book.advance(running.id, running.turn, Lane.PUBLISH)
    assert counts(book, second) == {"held": 3}
    book.resume(second)
    assert counts(book, second) == {"due": 3}


def test_retrying_takes_up_what_failed_and_what_was_aborted(book: Ledger, pgstac: str) -> None:
    backfill = books.begun(book, 5)
    finish(book, 1)
    fail(book, 2)
    book.abort(backfill)
    assert book.retry(backfill) == 4
    assert book.backfill_get(backfill).state is BackfillState.RUNNING
    assert counts(book, backfill) == {"due": 4, "done": 1}
    assert {task.attempts for task in book.claim(Lane.MASK, 9)} == {0}
    assert book.failures(backfill) == []
    books.assert_tallied(pgstac)


def test_retrying_a_paused_backfill_waits_with_it(book: Ledger) -> None:
    backfill = books.begun(book, 2)
    fail(book, 1)
    book.pause(backfill)
    assert book.retry(backfill) == 1
    assert counts(book, backfill) == {"held": 2}


def test_a_backfill_that_could_not_be_listed_goes_on_listing_when_retried(book: Ledger) -> None:
    backfill = book.backfill_create("x", ENGINE, {"a": [1]}, priority=5, created_by="me").id
    book.backfill_note(backfill, cursor="page 7", found=3, skipped={})
    book.backfill_failed(backfill, "the source is gone")
    failed = book.backfill_get(backfill)
    assert (failed.state, failed.error) == (BackfillState.FAILED, "the source is gone")
    book.retry(backfill)
    again = book.backfill_get(backfill)
    assert (again.state, again.error) == (BackfillState.LISTING, None)
    assert (again.cursor, again.spec) == ("page 7", {"a": [1]})


def test_a_backfill_that_is_paused_while_it_is_listed_goes_on_listing(book: Ledger) -> None:
    backfill = book.backfill_create("x", ENGINE, {}, priority=5, created_by="me").id
    books.want(book, 2, 0, backfill)
    book.pause(backfill)
    # The page that was being listed meanwhile.
    books.want(book, 2, 2, backfill)
    assert counts(book, backfill) == {"held": 4}
    assert book.resume(backfill).state is BackfillState.LISTING
    book.pause(backfill)
    book.backfill_listed(backfill)
    assert book.backfill_get(backfill).state is BackfillState.PAUSED
    assert book.resume(backfill).state is BackfillState.RUNNING


def test_a_backfill_is_done_when_nothing_of_it_is_left_to_do(book: Ledger) -> None:
    backfill = books.begun(book, 3)
    listing = book.backfill_create("x", ENGINE, {}, priority=5, created_by="me").id
    watch = book.backfill_create("w", ENGINE, {"kind": "watch"}, priority=0, created_by="me").id
    book.backfill_listed(watch)
    finish(book, 1)
    fail(book, 1)
    assert book.settle() == []
    finish(book, 1)
    assert book.settle() == [backfill]
    assert book.settle() == []
    told = {one.id: str(one.state) for one in book.backfill_list()}
    assert told == {backfill: "done", listing: "listing", watch: "running"}
    book.retry(backfill)
    assert book.settle() == []
    finish(book, 1)
    assert book.settle() == [backfill]


def test_a_backfill_without_products_is_done_at_once(book: Ledger) -> None:
    backfill = books.begun(book, 0)
    assert book.settle() == [backfill]


@pytest.mark.parametrize("step", ["pause", "resume", "abort"])
def test_a_backfill_that_is_over_takes_no_step_but_a_retry(book: Ledger, step: str) -> None:
    backfill = books.begun(book, 0)
    book.settle()
    with pytest.raises(BackfillStateError, match="is done: it cannot be"):
        getattr(book, step)(backfill)
    with pytest.raises(UnknownBackfillError):
        getattr(book, step)("absent")


def test_redoing_is_for_what_another_version_has_masked(book: Ledger, pgstac: str) -> None:
    backfill = books.begun(book, 4)
    finish(book, 3)
    assert book.redo(ENGINE, "1.0.0") == 0
    assert book.redo("kappamask", "2.0.0") == 0
    assert book.redo(ENGINE, "2.0.0") == 3
    assert book.redo(ENGINE, "2.0.0") == 0
    assert sorted(task.priority for task in book.claim(Lane.MASK, 9)) == [5, 9, 9, 9]
    assert book.progress(backfill).counts[State.DONE] == 0
    books.assert_tallied(pgstac)
