"""Acquisitions, time series, calendar, cover and statistics, against brute force."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely import Polygon
from shapely.geometry import mapping
from starlette.testclient import TestClient

from producer.storage import Storage
from tests.tiler.clear import oracle
from tests.tiler.scenes import Scene, catalogue, landscape, store_scene
from tiler.app import create_app
from tiler.clear.acquisitions import acquisition_of
from tiler.clear.candidates import Candidate
from tiler.items import StoredAsset
from tiler.settings import TilerSettings

EDGE_PX, STEP_PX, DAYS = 512, 400, 6
START = datetime(2023, 12, 28, 10, 30, tzinfo=UTC)
NORTH = 5_900_040.0
LON, LAT = 18.0, 53.0
"""On the border of zones 33 and 34."""


def corner(epsg: int) -> tuple[float, float]:
    x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(LON, LAT)
    return x // 10 * 10, y // 10 * 10


def scenes() -> list[Scene]:
    """Two tiles of zone 33 that overlap, and one of zone 34, every second day."""
    found = []
    x, y = corner(32633)
    far_x, far_y = corner(32634)
    for day in range(DAYS):
        sensed = START + timedelta(days=2 * day)
        common = {
            "sensed": sensed,
            "properties": {"nimbostac:datatake": f"GS2A_{sensed:%Y%m%dT%H%M%S}_012345_N02.04"},
        }
        places = {
            "A": (32633, x - 4500, y + 2500),
            "B": (32633, x - 4500 + STEP_PX * 10, y + 2500),
            "C": (32634, far_x - 500, far_y + 2500),
        }
        for number, (name, place) in enumerate(places.items()):
            classes = landscape(EDGE_PX, EDGE_PX, 10 * day + number, 24)
            found.append(Scene(f"{name}-{day}", *place, classes, **common))
    return found


@dataclass(frozen=True)
class World:
    client: TestClient
    items: dict[str, dict[str, Any]]

    def ask(self, path: str, **body: Any) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def path(self, name: str) -> str:
        return self.items[name]["assets"]["mask"]["href"]


@pytest.fixture(scope="module")
def world(catalogued: Storage) -> Iterator[World]:
    items = [store_scene(scene, catalogued) for scene in scenes()]
    catalogue(*items)
    with TestClient(create_app(TilerSettings(clear_features=40))) as client:
        yield World(client, {item["id"]: item for item in items})


def field(x_m: float, y_m: float, size_m: float) -> Polygon:
    """A quadrangle whose corner lies so far from that of the zones, in zone 33."""
    x, y = corner(32633)
    back = Transformer.from_crs(32633, 4326, always_xy=True)
    corners = [(0, 0), (1, 0.1), (0.9, -0.8), (0.1, -1)]
    return Polygon(
        [back.transform(x + x_m + dx * size_m, y + y_m + dy * size_m) for dx, dy in corners]
    )


# Across the edge of B, all of it in A.
WEST_FIELD = field(-1000, 1500, 1100)
# Farther east than A and into zone 34, but most of it in zone 33, whose pixels are counted.
BORDER_FIELD = field(-900, 900, 1700)


def merged(world: World, names: list[str], polygon: Polygon) -> NDArray[np.uint8]:
    """Every pixel of zone 33 once: the first mask with a valid class, by nearest neighbour."""
    with rasterio.open(world.path(names[0])) as first:
        to_metres = Transformer.from_crs(4326, first.crs, always_xy=True)
        outline = shapely.transform(
            polygon, lambda xy: np.column_stack(to_metres.transform(xy[:, 0], xy[:, 1]))
        )
        (top, left), (bottom, right) = (
            first.index(outline.bounds[0], outline.bounds[3]),
            first.index(outline.bounds[2], outline.bounds[1]),
        )
        column, row = np.meshgrid(np.arange(left - 2, right + 3), np.arange(top - 2, bottom + 3))
        x, y = first.transform @ (column + 0.5, row + 0.5)
        degrees = Transformer.from_crs(first.crs, 4326, always_xy=True).transform(x, y)
        inside = shapely.contains_xy(polygon, *degrees)
        longitude, latitude = (axis[inside] for axis in degrees)
    found = np.zeros(longitude.size, np.uint8)
    for name in names:
        with rasterio.open(world.path(name)) as mask:
            x, y = Transformer.from_crs(4326, mask.crs, always_xy=True).transform(
                longitude, latitude
            )
            rows, columns = (
                np.floor(axis).astype(int) for axis in (~mask.transform @ (x, y))[::-1]
            )
            held = (rows >= 0) & (rows < mask.height) & (columns >= 0) & (columns < mask.width)
            values = np.zeros(found.size, np.uint8)
            values[held] = mask.read(1)[rows[held], columns[held]]
        lacking = (found == 0) | ((found == 5) & (values != 0))
        found[lacking] = values[lacking]
    return found


def expected(world: World, day: int, polygon: Polygon) -> dict[str, Any]:
    values = merged(world, [f"{name}-{day}" for name in "ABC"], polygon)
    return oracle.shares(values[values > 0], len(values))


def test_an_acquisition_is_what_one_pass_took_whatever_the_baseline() -> None:
    def product(name: str, **properties: str) -> Candidate:
        mask = StoredAsset("mask", "", "", "")
        return Candidate("c", name, properties, (0, 0, 0, 0), mask)

    first = "S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102204"
    names = {
        first: "S2A_20170216T102101_R065",
        first.replace("33UUU", "33UUV").replace("N0204", "N0500"): "S2A_20170216T102101_R065",
        first.replace("S2A", "S2B"): "S2B_20170216T102101_R065",
        first.replace("20170216T102101", "20170226T102101"): "S2A_20170226T102101_R065",
    }
    assert {name: acquisition_of(product(name)) for name in names} == names
    known = {"platform": "p", "datetime": "2017-02-16T10:21:01Z", "sat:relative_orbit": "65"}
    assert acquisition_of(product("x", **known)) == "p_65_2017-02-16T10"
    assert acquisition_of(product("x", **known, **{"nimbostac:datatake": "d"})) == "d"


@pytest.mark.parametrize("polygon", [WEST_FIELD, BORDER_FIELD])
def test_an_acquisition_counts_every_pixel_once(world: World, polygon: Polygon) -> None:
    found = world.ask("/clear", intersects=mapping(polygon), group="acquisition")["features"]
    assert len(found) == DAYS
    for number, feature in enumerate(reversed(found)):
        mine, truth = feature["properties"], expected(world, number, polygon)
        assert {name: mine[name] for name in truth} == pytest.approx(truth, abs=1e-12)
        assert mine["aoi:coverage"] > 0.99
        assert mine["aoi:acquisition"].startswith("GS2A_")
        assert {name[-1] for name in mine["aoi:items"]} == {str(number)}
        assert len(mine["aoi:items"]) > 1
        related = [link for link in feature["links"] if link["rel"] == "item"]
        assert len(related) == len(mine["aoi:items"]) - 1


def test_the_best_acquisitions_saw_most_of_the_polygon_clear(world: World) -> None:
    truth = [expected(world, day, WEST_FIELD) for day in range(DAYS)]
    seen = [one["aoi:clear"] * one["aoi:coverage"] for one in truth]
    found = world.ask("/clear", intersects=mapping(WEST_FIELD), best=3)["features"]
    days = [int(feature["id"][-1]) for feature in found]
    assert days == sorted(range(DAYS), key=lambda day: -seen[day])[:3]


def test_a_time_series_is_the_same_as_json_and_as_a_table(world: World) -> None:
    body = {"intersects": mapping(WEST_FIELD)}
    series = world.ask("/timeseries", **body)["acquisitions"]
    assert [one["datetime"] for one in series] == sorted(one["datetime"] for one in series)
    for day, one in enumerate(series):
        truth = expected(world, day, WEST_FIELD)
        names = ("clear", "cloud_shadow", "semi_transparent", "cloud", "missing", "coverage")
        assert [one[name] for name in names] == pytest.approx(
            [truth[f"aoi:{name}"] for name in names]
        )
    answer = world.client.post("/timeseries", json=body, headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert [float(row["clear"]) for row in table] == [one["clear"] for one in series]
    assert [row["items"].split() for row in table] == [one["items"] for one in series]
    assert world.client.post("/timeseries?f=csv", json=body).text == answer.text


def test_a_calendar_has_a_cell_a_day_and_a_block_a_year(world: World) -> None:
    body = {"intersects": mapping(WEST_FIELD)}
    days = world.ask("/clear/calendar", **body)["days"]
    assert [day["date"] for day in days] == [
        f"{START + timedelta(days=2 * day):%Y-%m-%d}" for day in range(DAYS)
    ]
    truth = [expected(world, day, WEST_FIELD) for day in range(DAYS)]
    assert [day["clear_seen"] for day in days] == pytest.approx(
        [one["aoi:clear"] * one["aoi:coverage"] for one in truth]
    )
    answer = world.client.post("/clear/calendar?f=svg", json=body)
    assert answer.headers["content-type"].startswith("image/svg+xml")
    drawn = ET.fromstring(answer.text)
    space = "{http://www.w3.org/2000/svg}"
    cells = [each.text for each in drawn.iterfind(f"{space}rect/{space}title")]
    assert cells == [f"{day['date']}: {day['clear_seen']:.0%} seen clear" for day in days]
    words = [each.text for each in drawn.iterfind(f"{space}text")]
    assert {"2023", "2024"} <= set(words)
    # 365 + 366 days, the ground, and six colours of the legend.
    assert len(list(drawn.iterfind(f"{space}rect"))) == 365 + 366 + 1 + 6


def test_a_set_of_acquisitions_covers_what_it_says_in_as_few_as_there_can_be(world: World) -> None:
    pixels = [
        merged(world, [f"{name}-{day}" for name in "ABC"], WEST_FIELD) == 1 for day in range(DAYS)
    ]
    total = pixels[0].size
    answer = world.ask("/clear/cover", intersects=mapping(WEST_FIELD), share=0.8)
    days = [int(step["items"][0][-1]) for step in answer["acquisitions"]]
    together = np.zeros(total, np.bool_)
    for step, day in zip(answer["acquisitions"], days, strict=True):
        gain = int((pixels[day] & ~together).sum())
        best = max(int((other & ~together).sum()) for other in pixels)
        assert gain == best
        together |= pixels[day]
        assert step["adds"] == pytest.approx(gain / total)
        assert step["achieved"] == pytest.approx(together.mean())
    assert answer["achieved"] == pytest.approx(together.mean())
    assert answer["achieved"] >= 0.8
    fewer = combinations(pixels, len(days) - 1)
    assert all(np.logical_or.reduce(some).mean() < 0.8 for some in fewer)


def test_a_set_says_how_far_it_got_where_the_sky_was_never_clear(world: World) -> None:
    body = {"intersects": mapping(WEST_FIELD), "share": 1.0, "ids": ["A-0", "A-1"]}
    answer = world.ask("/clear/cover", **body)
    assert answer["achieved"] < 1
    assert len(answer["acquisitions"]) == 2
    assert len(world.ask("/clear/cover", **body, most=1)["acquisitions"]) == 1
    nothing = world.ask("/clear/cover", **{**body, "ids": ["nobody"]})
    assert (nothing["achieved"], nothing["acquisitions"]) == (0, [])


def collection_of(*polygons: Polygon) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": n,
                "properties": {"crop": "rye"},
                "geometry": mapping(polygon),
            }
            for n, polygon in enumerate(polygons)
        ],
    }


def test_statistics_of_an_item_are_told_for_each_feature(world: World) -> None:
    fields = [field(-4000 + 150 * n, 2000 - 120 * n, 90 + 7 * n) for n in range(20)]
    far = Polygon([(10, 50), (10.1, 50), (10, 50.1)])
    answer = world.ask("/clear/statistics", ids=["A-1"], features=collection_of(*fields, far))
    *found, nowhere = answer["features"]
    for number, (feature, polygon) in enumerate(zip(found, fields, strict=True)):
        truth = oracle.properties(world.path("A-1"), polygon)
        mine = feature["properties"]
        assert {name: mine[name] for name in truth} == pytest.approx(truth, abs=1e-12)
        assert (feature["id"], mine["crop"], mine["aoi:items"]) == (number, "rye", ["A-1"])
    assert nowhere["properties"] == {"crop": "rye", "aoi:coverage": 0, "aoi:items": []}


def test_statistics_of_a_mosaic_take_the_latest_valid_pixel(world: World) -> None:
    names = ["A-4", "A-2", "A-0"]
    answer = world.ask(
        "/clear/statistics", ids=sorted(names), features=collection_of(WEST_FIELD, BORDER_FIELD)
    )
    for feature, polygon in zip(answer["features"], (WEST_FIELD, BORDER_FIELD), strict=True):
        values = merged(world, names, polygon)
        truth = oracle.shares(values[values > 0], len(values))
        mine = feature["properties"]
        assert {name: mine[name] for name in truth} == pytest.approx(truth, abs=1e-12)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/timeseries", {}),
        ("/timeseries", {"min_clear": "0.3", "f": "csv"}),
        ("/clear/calendar", {"f": "svg"}),
        ("/clear/calendar", {"datetime": "2023-12-29T00:00:00Z/2024-01-03T00:00:00Z"}),
        ("/clear/cover", {"share": "0.7", "most": "2"}),
        ("/clear/cover", {"filter": '"aoi:clear" > 0.2'}),
    ],
)
def test_the_same_is_told_to_who_asks_by_address(
    world: World, path: str, more: dict[str, str]
) -> None:
    box = [round(value, 4) for value in WEST_FIELD.bounds]
    body: dict[str, Any] = {name: value for name, value in more.items() if name != "f"}
    for name in {"share", "most", "min_clear"} & set(body):
        body[name] = float(body[name])
    if "filter" in body:
        body["filter"] = {"op": ">", "args": [{"property": "aoi:clear"}, 0.2]}
    query = {"f": more["f"]} if "f" in more else {}
    posted = world.client.post(path, json={**body, "bbox": box}, params=query)
    got = world.client.get(path, params={**more, "bbox": ",".join(map(str, box))})
    assert (got.status_code, got.content) == (200, posted.content), got.text
    polygon = json.dumps(mapping(WEST_FIELD))
    drawn = world.client.post(path, json={**body, "intersects": mapping(WEST_FIELD)}, params=query)
    assert world.client.get(path, params={**more, "intersects": polygon}).content == drawn.content


def test_statistics_are_told_of_a_box_in_the_address(world: World) -> None:
    west, south, east, north = WEST_FIELD.bounds
    box = Polygon([(west, south), (east, south), (east, north), (west, north)])
    query = {"bbox": f"{west},{south},{east},{north}", "ids": "A-1"}
    (feature,) = world.client.get("/clear/statistics", params=query).json()["features"]
    truth = oracle.properties(world.path("A-1"), box)
    mine = feature["properties"]
    assert {name: mine[name] for name in truth} == pytest.approx(truth, abs=1e-12)
    assert world.client.get("/clear/statistics").status_code == 400


@pytest.mark.parametrize(
    ("polygons", "words"),
    [([WEST_FIELD] * 41, "41, and at most 40"), ([shapely.Point(18, 53)], "features[0]")],
)
def test_statistics_say_their_limits(world: World, polygons: list[Any], words: str) -> None:
    answer = world.client.post("/clear/statistics", json={"features": collection_of(*polygons)})
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
