from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box, mapping

from ingest.filters import Candidate, Filters, Reason, area_of, area_of_bbox, sift
from producer.product import ProductName
from producer.tiles import tile_outline
from tests.ingest.sources.listings import name

BASELINES = ("0204", "0207", "0500", "0511")


def candidate(product: str | None = None, **told: Any) -> Candidate:
    return Candidate(ProductName.parse(product or name()), "/somewhere", **told)


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        (Filters(), None),
        (Filters(level="L1C"), None),
        (Filters(level="L2A"), Reason.LEVEL),
        (Filters(start=date(2020, 5, 1), end=date(2020, 5, 1)), None),
        (Filters(start=date(2020, 5, 2)), Reason.DATES),
        (Filters(end=date(2020, 4, 30)), Reason.DATES),
        (Filters(tiles=frozenset({"33UUU", "34UCD"})), None),
        (Filters(tiles=frozenset({"34UCD"})), Reason.TILE),
        (Filters(baseline_min="02.09"), None),
        (Filters(baseline_min="02.10"), Reason.BASELINE),
        (Filters(area=area_of_bbox(13, 52.9, 13.1, 53)), None),
        (Filters(area=area_of_bbox(15, 52.9, 16, 53)), Reason.AREA),
    ],
)
def test_a_product_is_judged_by_its_name(filters: Filters, reason: Reason | None) -> None:
    assert filters.judge(candidate()) is reason


def test_cloud_counts_where_it_is_told_and_is_kept_and_counted_where_not() -> None:
    filters = Filters(max_cloud=60)
    clear, cloudy, unknown = (
        candidate(name(day), cloud_cover=cover) for day, cover in enumerate((60, 60.1, None))
    )
    sifted = sift([clear, cloudy, unknown], filters)
    assert sifted.wanted == (clear, unknown)
    assert sifted.skipped == {Reason.CLOUD: 1, Reason.CLOUD_UNKNOWN: 1}


def test_a_footprint_that_is_told_counts_more_than_the_square_of_the_tile() -> None:
    west, south, east, north = tile_outline("33UUU").bounds
    sliver = mapping(box(west, south, west + 0.1, north))
    area = area_of_bbox(east - 0.4, south + 0.4, east - 0.3, south + 0.5)
    assert Filters(area=area).judge(candidate()) is None
    assert Filters(area=area).judge(candidate(geometry=sliver)) is Reason.AREA
    assert Filters(area=area).judge(candidate(geometry={"type": "Nonsense"})) is None


@pytest.mark.parametrize(
    "area",
    [
        area_of_bbox(179.5, -17, -179.5, -16.5),
        area_of(mapping(box(179.5, -17, 180.5, -16.5))),
        area_of(mapping(box(-180.5, -17, -179.5, -16.5))),
    ],
)
def test_an_area_over_the_antimeridian_finds_tiles_on_both_sides(area: Any) -> None:
    filters = Filters(area=area)
    assert filters.judge(candidate(name(tile="01KAB"))) is None
    assert filters.judge(candidate(name(tile="60KYG"))) is None
    assert filters.judge(candidate(name(tile="30UXC"))) is Reason.AREA


@pytest.mark.parametrize(
    "told",
    [
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": [[[0, 0], [0, 1]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [0, 91], [1, 1], [0, 0]]]},
        {"type": "Polygon"},
        {},
    ],
)
def test_what_is_no_area_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        area_of(told)


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(BASELINES), st.booleans())))
def test_of_each_acquisition_exactly_the_newest_baseline_is_kept(
    listed: list[tuple[int, str, bool]],
) -> None:
    products = [
        name(day, "34UCD" if other else "33UUU", baseline=each) for day, each, other in listed
    ]
    sifted = sift([candidate(product) for product in products], Filters())
    newest = {
        max((p for p in products if (p[:26], p[38:44]) == key), key=lambda p: p[28:32])
        for key in {(product[:26], product[38:44]) for product in products}
    }
    assert {one.product for one in sifted.wanted} == newest
    assert sifted.skipped.total() == len(set(products)) - len(newest) or len(products) != len(
        set(products)
    )


def test_parts_of_one_pass_are_kept_both() -> None:
    parts = [name()[:-6] + end for end in ("111504", "222222")]
    assert len(sift([candidate(part) for part in parts], Filters()).wanted) == 2


def test_a_folder_reaches_as_far_as_its_days_and_one_more() -> None:
    filters = Filters(start=date(2020, 5, 10), end=date(2020, 5, 20))
    assert filters.reaches(date(2020, 5, 9), date(2020, 5, 9))
    assert not filters.reaches(date(2020, 5, 8), date(2020, 5, 8))
    assert filters.reaches(date(2020, 5, 21), date(2020, 5, 21))
    assert not filters.reaches(date(2020, 5, 22), date(2020, 5, 31))
    assert filters.reaches(date(2020, 1, 1), date(2020, 12, 31))
