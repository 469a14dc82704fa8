import threading

import pytest

from producer.ahead import Headstart, ahead


def test_results_come_in_order_whoever_is_first() -> None:
    second_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert second_done.wait(20)
        if number == 1:
            second_done.set()
        return number * number

    with ahead(work, range(20), Headstart(count=3, threads=2)) as results:
        assert list(results) == [number * number for number in range(20)]


def test_work_begins_at_once_but_never_runs_further_ahead_than_it_may() -> None:
    begun: list[int] = []
    three = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if len(begun) == 3:
            three.set()
        return number

    with ahead(work, range(100), Headstart(count=3, threads=1)) as results:
        assert three.wait(20)
        assert begun == [0, 1, 2]
        for number in results:
            assert len(begun) <= number + 4


def test_what_goes_wrong_comes_out_in_its_place_and_ends_the_work() -> None:
    begun: list[int] = []

    def work(number: int) -> float:
        begun.append(number)
        return 1 / (2 - number)

    found: list[float] = []
    with (
        pytest.raises(ZeroDivisionError),
        ahead(work, range(100), Headstart(count=3, threads=1)) as results,
    ):
        found.extend(results)
    assert found == [0.5, 1.0]
    assert max(begun) <= 5


def test_what_is_not_wanted_any_more_is_not_begun() -> None:
    held = threading.Event()
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        assert held.wait(20)

    with ahead(work, range(10), Headstart(count=5, threads=1)):
        held.set()
    assert len(begun) < 5
