"""Many at once: nothing twice, nothing lost."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest

from ingest import ledger
from ingest.errors import BackfillStateError
from ingest.ledger import BackfillState, Lane, Ledger, State, Task
from tests.ingest.ledger import books

WORKERS = 6
PRODUCTS = 240


def at_once(*acts: Callable[[Ledger], None]) -> None:
    """Do things at once, each with a connection of its own; what one raises is raised."""

    def run(act: Callable[[Ledger], None]) -> None:
        with ledger.opened() as book:
            act(book)

    with ThreadPoolExecutor(len(acts)) as pool:
        for running in [pool.submit(run, act) for act in acts]:
            running.result()


def test_many_that_claim_at_once_get_everything_once(pgstac: str) -> None:
    with ledger.opened() as book:
        books.want(book, PRODUCTS)
    taken: list[Task] = []

    def claim(book: Ledger) -> None:
        while tasks := book.claim(Lane.MASK, 7):
            taken.extend(tasks)

    at_once(*[claim] * WORKERS)
    # One that found all rows locked for a moment has gone home early; none was lost by that.
    with ledger.opened() as book:
        claim(book)
    assert Counter(task.id for task in taken) == Counter(range(1, PRODUCTS + 1))


def test_many_that_want_the_same_at_once_want_it_once(pgstac: str) -> None:
    found = []

    def want(book: Ledger) -> None:
        wishes = books.wishes(PRODUCTS)
        random.shuffle(wishes)
        found.append(book.want(wishes, books.ENGINE, priority=5, version="1"))

    at_once(*[want] * WORKERS)
    assert sum(one.new for one in found) == PRODUCTS
    assert {one.new + one.known for one in found} == {PRODUCTS}
    assert books.states(pgstac) == {"due": PRODUCTS}
    books.assert_tallied(pgstac)


def test_two_backfills_of_the_same_products_are_each_worked_off_once(pgstac: str) -> None:
    with ledger.opened() as book:
        first, second = (
            book.backfill_create(name, books.ENGINE, {}, priority=5, created_by="me").id
            for name in ("first", "second")
        )
    finished: list[int] = []

    def listing(backfill: str) -> Callable[[Ledger], None]:
        def lists(book: Ledger) -> None:
            for start in range(0, PRODUCTS, 30):
                books.want(book, 30, start, backfill)
            book.backfill_listed(backfill)

        return lists

    def work(book: Ledger) -> None:
        while len(finished) < PRODUCTS:
            for lane in (Lane.MASK, Lane.PUBLISH):
                for task in books.started(book, 10, lane):
                    if lane is Lane.MASK:
                        book.advance(task.id, task.turn, Lane.PUBLISH, version="1.0.0")
                    else:
                        finished.extend(book.finish([(task.id, task.turn)]))

    at_once(listing(first), listing(second), work, work)
    assert len(set(finished)) == len(finished) == PRODUCTS
    with ledger.opened() as book:
        assert set(book.settle()) == {first, second}
        for backfill in (first, second):
            assert book.progress(backfill).counts[State.DONE] == PRODUCTS
    books.assert_tallied(pgstac)


def any_outcome(book: Ledger, task: Task, chance: random.Random) -> None:
    """Do with a product whatever a worker may do with it."""
    turn = [(task.id, task.turn)]
    match chance.randrange(5):
        case 0:
            book.fail(task.id, task.turn, "E", "e", retry_in_s=0)
        case 1:
            book.give_back(turn)
        case 2:
            book.finish(turn)
        case _:
            book.advance(task.id, task.turn, Lane.PUBLISH)


def over(book: Ledger, backfill: str) -> bool:
    return book.backfill_get(backfill).state is BackfillState.DONE


def test_backfills_steered_while_workers_come_and_go_lose_nothing(pgstac: str) -> None:
    with ledger.opened() as book:
        both = books.begun(book, 60), books.begun(book, 60, first=30)
    steered = []

    def steer(book: Ledger) -> None:
        chance = random.Random(len(steered))
        for _ in range(25):
            backfill = chance.choice(both)
            step = chance.choice((book.pause, book.resume, book.resume))
            # It may have come to its end meanwhile.
            with suppress(BackfillStateError):
                step(backfill)
            with suppress(BackfillStateError):
                books.want(book, 60, 15, backfill)
        steered.append(True)

    def work(book: Ledger) -> None:
        chance = random.Random(7)
        while len(steered) < 2:
            for lane in (Lane.MASK, Lane.PUBLISH):
                for task in books.started(book, 5, lane):
                    any_outcome(book, task, chance)
            book.settle()

    at_once(steer, steer, work, work)
    books.assert_tallied(pgstac)
    with ledger.opened() as book:
        for backfill in both:
            assert over(book, backfill) or book.pause(backfill)
        assert set(books.states(pgstac)) <= {"held", "done"}
        for backfill in both:
            assert over(book, backfill) or book.resume(backfill)
        assert set(books.states(pgstac)) <= {"due", "done"}
    books.assert_tallied(pgstac)


@pytest.mark.parametrize("waking", ["redo", "mask_again"])
def test_what_is_woken_in_the_moment_of_a_pause_is_held(pgstac: str, waking: str) -> None:
    with ledger.opened() as book:
        backfill = books.begun(book, 3)
        for lane in (Lane.MASK, Lane.PUBLISH):
            for task in books.started(book, 3, lane):
                if lane is Lane.MASK:
                    book.advance(task.id, task.turn, Lane.PUBLISH, version="1.0.0")
                else:
                    book.finish([(task.id, task.turn)])

    def wake(book: Ledger) -> None:
        if waking == "redo":
            book.redo(books.ENGINE, "2.0.0")
        else:
            assert [book.mask_again(number) for number in (1, 2, 3)] == [True] * 3

    with ThreadPoolExecutor(1) as pool, ledger.opened() as book:
        with book.transaction():
            book.pause(backfill)
            woken = pool.submit(at_once, wake)
            # It waits for the pause, or is over before that: both must come to the same.
            wait([woken], timeout=1)
        woken.result()
    assert books.states(pgstac) == {"held": 3}
    books.assert_tallied(pgstac)
