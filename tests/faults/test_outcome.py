"""What tells a disturbed site from an undisturbed one must see what it is there for."""

from dataclasses import replace

import pytest

from tests.faults.outcome import End, compare

ROW = ("done", "1.0.0", "c/P/P_1.0.0.json", None)
GOOD = End(
    files={"c/P/P_1.0.0.tif": "aa", "c/P/P_1.0.0.json": "bb"},
    pixels={"c/P/P_1.0.0.tif": [0, 400, 0, 0, 0, 0]},
    items={"P": [{"id": "P"}]},
    ledger={"P": ROW},
    scratch=[],
)


def test_the_same_is_the_same() -> None:
    assert not compare(GOOD, replace(GOOD))


@pytest.mark.parametrize(
    "end",
    [
        replace(GOOD, items={}),
        replace(GOOD, ledger={}),
        replace(GOOD, ledger={"P": ("failed", "1.0.0", ROW[2], "away")}),
        replace(GOOD, files={"c/P/P_1.0.0.json": "bb"}),
    ],
)
def test_a_product_that_is_not_all_the_way_done_is_lost(end: End) -> None:
    assert compare(GOOD, end).lost == ("P",)


@pytest.mark.parametrize(
    "end",
    [
        replace(GOOD, items={"P": [{"id": "P"}, {"id": "P"}]}),
        replace(GOOD, pixels={**GOOD.pixels, "c/P/P_1.1.0.tif": [0, 400, 0, 0, 0, 0]}),
    ],
)
def test_what_is_there_twice_is_doubled(end: End) -> None:
    assert compare(GOOD, end).doubled == ("P",)


@pytest.mark.parametrize(
    "end",
    [
        replace(GOOD, pixels={"c/P/P_1.0.0.tif": [0, 399, 1, 0, 0, 0]}),
        replace(GOOD, files={**GOOD.files, "c/P/P_1.0.0.json": "cc"}),
        replace(GOOD, files={**GOOD.files, "c/P/more": "cc"}),
        replace(GOOD, scratch=["12-3"]),
    ],
)
def test_anything_else_is_told(end: End) -> None:
    assert len(compare(GOOD, end).other) == 1
