import psycopg
import pytest

from ingest.errors import BackfillStateError, UnknownBackfillError
from ingest.ledger import Lane, Ledger, Wanted, Wish
from tests.ingest.ledger import books
from tests.ingest.ledger.books import ENGINE


def done(book: Ledger, count: int, version: str = "1.0.0") -> None:
    for task in books.started(book, count):
        assert book.advance(task.id, task.turn, Lane.PUBLISH, record="r.json", version=version)
    tasks = books.started(book, count, Lane.PUBLISH)
    assert len(book.finish([(task.id, task.turn) for task in tasks])) == count


def wanted(book: Ledger, count: int, *, version: str = "1.0.0", priority: int = 5) -> Wanted:
    return book.want(books.wishes(count), ENGINE, priority=priority, version=version)


def test_products_are_new_once_and_known_afterwards(book: Ledger) -> None:
    assert wanted(book, 1500) == Wanted(new=1500, known=0, done=0)
    assert wanted(book, 1501) == Wanted(new=1, known=1500, done=0)


def test_one_product_twice_among_wishes_is_one_product_and_the_last_counts(book: Ledger) -> None:
    (wish,) = books.wishes(1)
    other = Wish(wish.product, "/elsewhere")
    assert book.want([wish, other], ENGINE, priority=5, version="1").new == 1
    assert book.claim(Lane.MASK, 9)[0].source == "/elsewhere"


def test_two_engines_have_the_same_product_each_for_itself(book: Ledger) -> None:
    for engine in ("kappamask", ENGINE):
        assert book.want(books.wishes(2), engine, priority=5, version="1").new == 2
    assert len(book.claim(Lane.MASK, 9)) == 4


def test_a_remote_product_begins_by_being_fetched(book: Ledger) -> None:
    book.want(books.wishes(1, 0, "s3://bucket"), ENGINE, priority=5, version="1")
    book.want(books.wishes(1, 1), ENGINE, priority=5, version="1")
    assert [task.source[:4] for task in book.claim(Lane.STAGE, 9)] == ["s3:/"]
    assert [task.source[:4] for task in book.claim(Lane.MASK, 9)] == ["/dat"]


def test_what_this_version_has_masked_is_left_alone(book: Ledger) -> None:
    wanted(book, 3)
    done(book, 2)
    assert wanted(book, 3) == Wanted(new=0, known=1, done=2)
    assert len(book.claim(Lane.MASK, 9)) == 1


def test_what_another_version_has_masked_is_due_again(book: Ledger, pgstac: str) -> None:
    wanted(book, 2)
    done(book, 2)
    assert wanted(book, 2, version="2.0.0") == Wanted(new=0, known=2, done=0)
    assert len(book.claim(Lane.MASK, 9)) == 2
    with psycopg.connect(pgstac) as connection:
        # The old mask is there until the new one is.
        rows = connection.execute("SELECT DISTINCT engine_version, record FROM ledger.products")
        assert rows.fetchall() == [("1.0.0", "r.json")]


def test_what_failed_is_tried_anew_from_where_it_lies_now(book: Ledger) -> None:
    wanted(book, 1)
    (task,) = books.started(book)
    book.fail(task.id, task.turn, "SafeError", "broken", retry_in_s=None)
    book.want(books.wishes(1, 0, "s3://bucket"), ENGINE, priority=3, version="1")
    (again,) = book.claim(Lane.STAGE, 9)
    assert (again.id, again.attempts, again.priority) == (task.id, 0, 3)
    assert again.source.startswith("s3://bucket")
    assert book.failures() == []


def test_the_more_urgent_wish_wins_while_a_product_is_on_its_way(book: Ledger) -> None:
    wanted(book, 1, priority=5)
    wanted(book, 1, priority=0)
    wanted(book, 1, priority=9)
    assert [task.priority for task in book.claim(Lane.MASK, 9)] == [0]


def test_a_product_that_waits_is_taken_from_where_it_was_seen_last(book: Ledger) -> None:
    wanted(book, 1)
    book.want(books.wishes(1, 0, "/other"), ENGINE, priority=5, version="1")
    (task,) = books.started(book)
    assert task.source.startswith("/other")
    book.want(books.wishes(1, 0, "/third"), ENGINE, priority=5, version="1")
    assert book.renew([(task.id, task.turn)]) == {task.id}


def test_a_name_that_nobody_can_read_is_wanted_all_the_same(book: Ledger) -> None:
    assert book.want([Wish("folder", "/data/folder")], ENGINE, priority=5, version="1").new == 1


def test_products_belong_to_every_backfill_that_wants_them(book: Ledger) -> None:
    first, second = books.begun(book, 3), books.begun(book, 3, first=2)
    assert book.progress(first).total == 3
    assert book.progress(second).total == 3
    books.want(book, 3, 0, second)
    assert book.progress(second).total == 5


def test_a_page_and_its_cursor_are_noted_together_or_not_at_all(book: Ledger) -> None:
    backfill = book.backfill_create("x", ENGINE, {}, priority=5, created_by="me").id

    def page_that_breaks() -> None:
        with book.transaction():
            books.want(book, 2, 0, backfill)
            book.backfill_note(backfill, cursor="2", found=2, skipped={})
            raise InterruptedError

    with pytest.raises(InterruptedError):
        page_that_breaks()
    assert book.backfill_get(backfill).cursor is None
    assert book.progress(backfill).total == 0
    for cursor in ("2", "4"):
        book.backfill_note(backfill, cursor=cursor, found=2, skipped={"cloud": 1, cursor: 3})
    noted = book.backfill_get(backfill)
    assert (noted.cursor, noted.found) == ("4", 4)
    assert noted.skipped == {"cloud": 2, "2": 3, "4": 3}


def test_a_backfill_that_is_over_takes_no_products(book: Ledger) -> None:
    backfill = books.begun(book, 1)
    book.abort(backfill)
    with pytest.raises(BackfillStateError, match="is aborted: it cannot take products"):
        books.want(book, 1, 0, backfill)
    with pytest.raises(UnknownBackfillError, match="no backfill 'absent'"):
        books.want(book, 1, 0, "absent")
