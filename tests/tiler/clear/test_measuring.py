"""Shares of one mask within a polygon, against brute force at full resolution."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely import MultiPolygon, Polygon
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from producer.storage import Storage
from tests.tiler.clear import oracle
from tests.tiler.scenes import Scene, landscape, store_scene
from tiler.clear.acquisitions import Acquisition, common_lattice, merge
from tiler.clear.candidates import Candidate
from tiler.clear.coverage import Field
from tiler.clear.fractions import Fractions
from tiler.clear.lattice import Place
from tiler.clear.measuring import Meter
from tiler.clear.polygons import Area, Limits
from tiler.items import StoredItem
from tiler.rasters import Rasters
from tiler.settings import TilerSettings

LIMITS = Limits(vertices=10_000, area_km2=100_000)
WEST, NORTH, EDGE_PX = 499_980.0, 5_900_040.0, 1200


@dataclass(frozen=True)
class Mask:
    item: StoredItem
    meter: Meter

    @property
    def path(self) -> str:
        return self.item.assets["mask"].href.removeprefix("file://")

    def fractions(self, polygon: BaseGeometry | dict[str, Any]) -> Fractions:
        geojson = polygon if isinstance(polygon, dict) else mapping(polygon)
        return self.meter.fractions(self.item.assets["mask"], Field(Area.of(geojson, LIMITS)))

    def assert_exact(self, polygon: BaseGeometry) -> None:
        mine, truth = self.fractions(polygon).properties(), oracle.properties(self.path, polygon)
        assert {name: mine[name] for name in truth} == pytest.approx(truth, abs=1e-12)
        assert mine["aoi:error"] == 0


def stored(scene: Scene, store: Storage, exact_km2: float = 100) -> Mask:
    return Mask(
        StoredItem.of(store_scene(scene, store)), Meter(Rasters(TilerSettings()), exact_km2)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    return Storage.from_url(str(tmp_path_factory.mktemp("masks")))


@pytest.fixture(scope="module")
def mask(folder: Storage) -> Mask:
    return stored(Scene("A", 32633, WEST, NORTH, landscape(EDGE_PX, EDGE_PX, 3)), folder)


def in_degrees(shape: BaseGeometry, epsg: int = 32633) -> BaseGeometry:
    back = Transformer.from_crs(epsg, 4326, always_xy=True)
    return shapely.transform(shape, lambda xy: np.column_stack(back.transform(xy[:, 0], xy[:, 1])))


@st.composite
def stars(draw: st.DrawFn, smallest_m: float, largest_m: float) -> Polygon:
    """Polygons around a point in or near the mask, mostly concave, in metres."""
    # Off the round numbers that are drawn first: centres on an edge are another test's.
    x = WEST + draw(st.floats(-0.1, 1.1)) * EDGE_PX * 10 + 0.123
    y = NORTH - draw(st.floats(-0.1, 1.1)) * EDGE_PX * 10 + 0.377
    radius = draw(st.floats(smallest_m, largest_m))
    reach = draw(st.lists(st.floats(0.05, 1), min_size=3, max_size=12))
    turns = np.linspace(0, 2 * np.pi, len(reach), endpoint=False)
    return Polygon(
        [
            (x + radius * r * np.cos(turn), y + radius * r * np.sin(turn))
            for r, turn in zip(reach, turns, strict=True)
        ]
    )


few = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@few
@given(star=stars(30, 3000))
def test_shares_of_a_field_are_those_of_its_own_pixels(mask: Mask, star: Polygon) -> None:
    mask.assert_exact(in_degrees(star))


@few
@given(star=stars(0.1, 12))
def test_a_polygon_smaller_than_a_pixel_has_the_pixels_that_it_touches(
    mask: Mask, star: Polygon
) -> None:
    mask.assert_exact(in_degrees(star))


@few
@given(star=stars(100, 3000), width=st.floats(0.01, 3), turn=st.floats(0, np.pi))
def test_a_sliver_has_the_pixels_that_it_touches(
    mask: Mask, star: Polygon, width: float, turn: float
) -> None:
    x, y = star.representative_point().coords[0]
    half = np.array([np.cos(turn), np.sin(turn)]) * 200
    side = np.array([-half[1], half[0]]) / 200 * width
    corners = [half, half + side, -half + side, -half]
    mask.assert_exact(in_degrees(Polygon(corners + np.array([x + 3.3, y + 1.7]))))


@few
@given(star=stars(300, 3000), other=stars(300, 3000), share=st.floats(0.1, 0.9))
def test_holes_and_parts_count_as_they_should(
    mask: Mask, star: Polygon, other: Polygon, share: float
) -> None:
    hole = shapely.affinity.scale(star, share, share, origin=star.centroid)
    shape = shapely.difference(star, hole)
    apart = shapely.difference(other, star.convex_hull)
    parts = [
        part
        for each in (shape, apart)
        for part in shapely.get_parts(each).tolist()
        if isinstance(part, Polygon) and part.area > 1
    ]
    mask.assert_exact(in_degrees(MultiPolygon(parts)))


@pytest.mark.parametrize("epsg", [32633, 32634])
def test_a_polygon_at_the_border_of_two_zones_is_the_same_place_in_both(
    folder: Storage, epsg: int
) -> None:
    to_metres = Transformer.from_crs(4326, epsg, always_xy=True)
    x, y = to_metres.transform(18, 53)
    west, north = (x // 10 - 600) * 10, (y // 10 + 600) * 10
    scene = Scene(f"ZONE-{epsg}", epsg, west, north, landscape(EDGE_PX, EDGE_PX, epsg))
    both = stored(scene, folder)
    polygon = Polygon(
        [(17.95, 52.98), (18.06, 52.97), (18.03, 53.04), (18.0, 53.0), (17.96, 53.03)]
    )
    both.assert_exact(polygon)


@pytest.mark.parametrize(
    "rings",
    [
        [
            [
                [179.98, -16.02],
                [180.02, -16.02],
                [180.02, -15.98],
                [179.98, -15.98],
                [179.98, -16.02],
            ]
        ],
        [
            [
                [179.98, -16.02],
                [-179.98, -16.02],
                [-179.98, -15.98],
                [179.98, -15.98],
                [179.98, -16.02],
            ]
        ],
    ],
)
def test_a_polygon_across_the_antimeridian_is_one_piece(folder: Storage, rings: list[Any]) -> None:
    # Tile 01KAB reaches over the antimeridian to the west.
    scene = Scene("DATE", 32701, 176_000, 8_236_000, landscape(EDGE_PX, EDGE_PX, 5))
    dateline = stored(scene, folder)
    square = Polygon([(179.98, -16.02), (180.02, -16.02), (180.02, -15.98), (179.98, -15.98)])
    truth = oracle.properties(dateline.path, square)
    assert truth["aoi:coverage"] > 0.9
    split = {
        "type": "MultiPolygon",
        "coordinates": [
            [[[179.98, -16.02], [180, -16.02], [180, -15.98], [179.98, -15.98], [179.98, -16.02]]],
            [
                [
                    [-180, -16.02],
                    [-179.98, -16.02],
                    [-179.98, -15.98],
                    [-180, -15.98],
                    [-180, -16.02],
                ]
            ],
        ],
    }
    for geojson in ({"type": "Polygon", "coordinates": rings}, split):
        mine = dateline.fractions(geojson).properties()
        assert {name: mine[name] for name in truth} == pytest.approx(truth, abs=1e-12)


def test_a_ring_that_crosses_itself_is_taken_by_the_even_odd_rule(mask: Mask) -> None:
    x, y = WEST + 6000, NORTH - 6000
    bow = Polygon([(x, y), (x + 2000, y + 1500), (x + 2000, y), (x, y + 1500)])
    degrees = in_degrees(bow)
    truth = oracle.properties(mask.path, shapely.make_valid(degrees))
    mine = mask.fractions(degrees).properties()
    assert {name: mine[name] for name in truth} == pytest.approx(truth, abs=1e-12)


@few
@given(star=stars(300, 3000), share=st.floats(0.2, 0.8))
def test_two_fields_with_a_common_edge_share_no_pixel_and_miss_none(
    mask: Mask, star: Polygon, share: float
) -> None:
    degrees = in_degrees(star)
    west, south, east, north = degrees.bounds
    cut = west + share * (east - west)
    halves = [
        shapely.intersection(degrees, shapely.box(*box))
        for box in ((west, south, cut, north), (cut, south, east, north))
    ]
    pixels = [mask.fractions(MultiPolygon(_polygons(half))).pixels for half in halves]
    # A sliver has the pixels that it touches, which may be another's too.
    assume(min(pixels) > 50)
    assert sum(pixels) == mask.fractions(MultiPolygon(_polygons(degrees))).pixels


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    return [each for each in shapely.get_parts(shape).tolist() if isinstance(each, Polygon)]


def test_where_the_mask_is_not_nothing_is_said_and_nothing_divided_by(mask: Mask) -> None:
    far = Polygon([(13.0, 51.0), (13.01, 51.0), (13.0, 51.01)])
    found = mask.fractions(far)
    assert (found.shares, found.coverage, found.pixels, found.clear_seen) == (None, 0, 0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_shares_of_a_large_polygon_are_off_by_no_more_than_they_say(
    folder: Storage, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    size = 2000
    classes = landscape(size, size, seed, scale_px=float(rng.choice([3, 12, 60])))
    if seed % 3 == 0:
        # Small clouds in a clear sky are what an overview misses.
        classes[classes > 1] = 1
        classes[rng.random(classes.shape) < 0.02] = 4
    scene = Scene(f"LARGE-{seed}", 32633, WEST, NORTH, classes)
    large = stored(scene, folder, exact_km2=10)
    points = rng.uniform(0, size * 10, (8, 2)) * [1, -1] + [WEST, NORTH]
    polygon = in_degrees(shapely.MultiPoint(points).convex_hull)
    mine, exact = (
        large.fractions(polygon),
        replace(large, meter=replace(large.meter, exact_km2=1e6)),
    )
    truth = exact.fractions(polygon)
    assert truth.error == 0 < mine.error < 0.15
    assert truth.shares is not None
    assert mine.shares is not None
    assert np.abs(np.subtract(mine.shares, truth.shares)).max() <= mine.error
    assert sum(mine.shares) == pytest.approx(1)
    assert mine.coverage == pytest.approx(truth.coverage, abs=0.02)
    assert mine == large.fractions(polygon)


def test_an_acquisition_over_a_large_polygon_is_off_by_no_more_than_it_says(
    folder: Storage,
) -> None:
    # Two tiles that overlap, and a polygon of more than a million pixels over both.
    tiles = [
        stored(Scene(name, 32633, west, NORTH, landscape(EDGE_PX, EDGE_PX, seed)), folder, 20)
        for seed, (name, west) in enumerate({"PART-0": WEST, "PART-1": WEST + 6000}.items())
    ]
    corners = np.array([(0, 0), (17500, -300), (17000, -11500), (0, -9000)])
    polygon = in_degrees(Polygon(np.add(corners, [WEST + 200, NORTH - 200])))
    field, coarse = Field(Area.of(mapping(polygon), LIMITS)), tiles[0].meter
    products = [
        Candidate("c", tile.item.id, {}, tile.item.bbox, tile.item.assets["mask"]) for tile in tiles
    ]
    both = Acquisition(tuple(products))
    lattice = common_lattice(coarse, field, products)
    assert lattice.width == 20
    mine = merge(coarse, field, lattice, both).fractions
    cog = coarse.rasters.open(products[0].mask)
    own = Place.of(cog, cog.levels[0]).lattice
    truth = merge(replace(coarse, exact_km2=1e6), field, own, both).fractions
    assert truth.error == 0 < mine.error < 0.1
    assert mine.shares is not None
    assert truth.shares is not None
    assert np.abs(np.subtract(mine.shares, truth.shares)).max() <= mine.error
    assert mine.coverage == pytest.approx(truth.coverage, abs=0.001)
