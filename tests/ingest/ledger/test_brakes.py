from ingest.ledger import Lane, Ledger
from tests.ingest.ledger import books
from tests.ingest.ledger.books import ENGINE


def stop(book: Ledger, engine: str = ENGINE) -> None:
    told = [book.outcome(Lane.MASK, engine, ok=False, reason="no GPU", after=3) for _ in range(4)]
    assert told == [False, False, True, False]


def want(book: Ledger, count: int, engine: str, first: int = 0) -> None:
    book.want(books.wishes(count, first), engine, priority=5, version="1")


def test_an_engine_that_fails_on_everything_stops_in_its_lane_and_nothing_else_does(
    book: Ledger,
) -> None:
    want(book, 3, ENGINE)
    want(book, 3, "kappamask", first=10)
    stop(book)
    assert {task.engine for task in book.claim(Lane.MASK, 9)} == {"kappamask"}
    (mask,) = (lane for lane in book.lanes() if lane.lane is Lane.MASK)
    (brake,) = mask.brakes
    assert (brake.engine, brake.failures_in_a_row, brake.reason) == (ENGINE, 4, "no GPU")
    assert brake.stopped is not None
    assert mask.due == 3


def test_one_that_goes_well_between_failures_keeps_an_engine_going(book: Ledger) -> None:
    want(book, 3, ENGINE)
    for ok in (False, False, True, False, False):
        assert not book.outcome(Lane.MASK, ENGINE, ok=ok, reason=None, after=3)
    assert len(book.claim(Lane.MASK, 9)) == 3


def test_a_stopped_engine_gets_one_product_to_try_and_goes_on_when_it_works(book: Ledger) -> None:
    want(book, 3, ENGINE)
    for _ in range(3):
        book.outcome(Lane.MASK, ENGINE, ok=False, reason="no GPU", after=3, probe_s=0)
    (probe,) = book.claim(Lane.MASK, 9, probe_s=3600)
    assert book.claim(Lane.MASK, 9) == []
    assert book.start(probe.id, probe.turn, "w") is not None
    book.outcome(Lane.MASK, ENGINE, ok=True, reason=None)
    assert len(book.claim(Lane.MASK, 9)) == 2


def test_a_probe_that_fails_is_followed_by_another_one_later(book: Ledger) -> None:
    want(book, 3, ENGINE)
    for _ in range(3):
        book.outcome(Lane.MASK, ENGINE, ok=False, reason="no GPU", after=3, probe_s=0)
    assert len(book.claim(Lane.MASK, 9, probe_s=0)) == 1
    assert not book.outcome(Lane.MASK, ENGINE, ok=False, reason="no GPU", after=3)
    assert len(book.claim(Lane.MASK, 9, probe_s=0)) == 1


def test_an_operator_sets_a_stopped_engine_free(book: Ledger) -> None:
    want(book, 3, ENGINE)
    stop(book)
    book.release(Lane.MASK, ENGINE)
    assert len(book.claim(Lane.MASK, 9)) == 3
    assert not book.outcome(Lane.MASK, ENGINE, ok=False, reason=None, after=3)
