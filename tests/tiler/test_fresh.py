"""What is remembered of the database: never more than was agreed, nor for longer."""

import time

import pytest

from tiler.fresh import Fresh


def test_answers_together_weigh_no_more_than_was_agreed() -> None:
    asked: list[int] = []

    def ask(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    fresh = Fresh(ask, lambda: str(len(asked)), 60, 100, len)
    for size in (40, 41, 19):
        assert len(fresh.get(size)) == size
    assert [fresh.fresh(size) is not None for size in (40, 41, 19)] == [True] * 3
    # One byte more than there is room for: the oldest goes.
    fresh.get(1)
    assert [fresh.fresh(size) is not None for size in (40, 41, 19, 1)] == [False, True, True, True]
    # What is too heavy by itself is kept until the next comes.
    fresh.get(500)
    assert [fresh.fresh(size) is not None for size in (41, 19, 1, 500)] == [False] * 3 + [True]
    fresh.get(60)
    assert [fresh.fresh(size) is not None for size in (500, 60)] == [False, True]
    fresh.get(40)
    assert [fresh.fresh(size) is not None for size in (60, 40)] == [True, True]


def test_an_answer_that_was_asked_for_anew_weighs_once() -> None:
    fresh = Fresh(bytes, lambda: str(time.monotonic_ns()), 0.001, 100, len)
    for _ in range(50):
        assert len(fresh.get(60)) == 60
        time.sleep(0.002)
    fresh.get(30)
    assert len(fresh._known) == 2


def test_what_failed_leaves_room() -> None:
    broken: list[bool] = []

    def ask(size: int) -> bytes:
        if broken:
            raise ValueError
        return bytes(size)

    fresh = Fresh(ask, lambda: str(time.monotonic_ns()), 0.001, 100, len)
    fresh.get(60)
    time.sleep(0.002)
    broken.append(True)
    with pytest.raises(ValueError, match=r"^$"):
        fresh.get(60)
    broken.clear()
    for size in (50, 49):
        fresh.get(size)
    assert len(fresh._known) == 2
