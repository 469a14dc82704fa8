"""Two masks compared, against counts by rasterio, shapely and PROJ over every pixel."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import morecantile
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.features import geometry_mask
from shapely import Polygon
from shapely.geometry import mapping
from starlette.testclient import TestClient

from producer.storage import Storage
from tests.tiler.scenes import Scene, catalogue, landscape, store_scene
from tests.tiler.test_tiles import palette, pixels, raw
from tiler.app import create_app
from tiler.settings import TilerSettings

pytestmark = [
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
    pytest.mark.filterwarnings("ignore::morecantile.errors.PointOutsideTMSBounds"),
]

PRODUCT = "S2A_MSIL1C_20240509T100031_N0510_R122_T33UUU_20240509T120000"
LATER = "S2A_MSIL1C_20240519T100031_N0510_R122_T33UUU_20240519T120000"
LEVEL_2 = "S2A_MSIL2A_20240509T100031_N0510_R122_T33UUU_20240509T130000"
OTHER_TILE = LEVEL_2.replace("33UUU", "33UVU")
TMS = morecantile.tms.get("WebMercatorQuad")
NAMES = ("clear", "cloud_shadow", "semi_transparent", "cloud", "missing")
EDGE_PX = 1373


def scenes() -> list[Scene]:
    sensed = datetime(2024, 5, 9, 10, 2, tzinfo=UTC)
    base = Scene(PRODUCT, 32633, 399960, 5900040, landscape(EDGE_PX, EDGE_PX, 1), sensed, "one-l1c")
    half = {"eo:cloud_cover": 50.0, "nimbostac:engine": "two"}
    # The zone beside, where the same place has other rows and columns.
    east, north = Transformer.from_crs(32633, 32632, always_xy=True).transform(399960, 5900040)
    return [
        base,
        replace(
            base, collection="two-l1c", classes=landscape(EDGE_PX, EDGE_PX, 2), properties=half
        ),
        replace(
            base,
            id=LATER,
            west=base.west + 1230,
            north=base.north - 770,
            classes=landscape(900, 1100, 3),
            sensed=sensed + timedelta(days=10),
        ),
        replace(base, id=LEVEL_2, collection="one-l2a", classes=landscape(EDGE_PX, EDGE_PX, 4)),
        replace(base, id=OTHER_TILE, collection="one-l2a", west=base.west + 13730),
        Scene(
            "ZONE", 32632, round(east, -1) + 3, round(north, -1) - 4, landscape(1300, 1200, 5),
            sensed, "zone",
        ),
        replace(base, id="FAR", collection="zone", north=base.north + 500_000),
    ]  # fmt: skip


@dataclass(frozen=True)
class World:
    client: TestClient
    items: dict[tuple[str, str], dict[str, Any]]

    def path(self, key: tuple[str, str]) -> str:
        return str(self.items[key]["assets"]["mask"]["href"])


@pytest.fixture(scope="module")
def world(catalogued: Storage) -> Iterator[World]:
    items = [store_scene(scene, catalogued) for scene in scenes()]
    catalogue(*items)
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield World(client, {(item["collection"], item["id"]): item for item in items})


ONE, TWO, SHIFTED = ("one-l1c", PRODUCT), ("two-l1c", PRODUCT), ("one-l1c", LATER)
ZONE, FAR = ("zone", "ZONE"), ("zone", "FAR")


def address(a: tuple[str, str], b: tuple[str, str]) -> str:
    return f"/compare/collections/{a[0]}/items/{a[1]}/with/{b[0]}/items/{b[1]}"


def truth(a: str, b: str, polygon: Polygon | None = None) -> NDArray[np.int64]:
    """Every pixel of a, b at its centre by PROJ, and counts by class and class."""
    with rasterio.open(a) as one, rasterio.open(b) as other:
        mine, theirs = one.read(1), np.pad(other.read(1), 1)
        row, column = np.mgrid[: one.height, : one.width]
        x, y = one.transform @ (column.ravel() + 0.5, row.ravel() + 0.5)
        if one.crs != other.crs:
            x, y = Transformer.from_crs(one.crs, other.crs, always_xy=True).transform(x, y)
        columns, rows = ~other.transform @ (np.asarray(x), np.asarray(y))
        seen = theirs[
            np.clip(np.floor(rows).astype(int), -1, other.height) + 1,
            np.clip(np.floor(columns).astype(int), -1, other.width) + 1,
        ].reshape(mine.shape)
        if polygon is not None:
            to_metres = Transformer.from_crs(4326, one.crs, always_xy=True)
            ring = [
                to_metres.transform(*point) for point in polygon.segmentize(0.0005).exterior.coords
            ]
            inside = geometry_mask([Polygon(ring)], mine.shape, one.transform, invert=True)
            mine, seen = mine[inside], seen[inside]
    return np.bincount(mine.ravel() * 6 + seen.ravel(), minlength=36).reshape(6, 6)


def kappa(valid: NDArray[np.int64]) -> float:
    total = valid.sum()
    chance = sum(valid[k].sum() * valid[:, k].sum() for k in range(4)) / total**2
    return float((np.trace(valid) / total - chance) / (1 - chance))


def check(found: dict[str, Any], counts: NDArray[np.int64]) -> None:
    covered, valid = counts[1:, 1:], counts[1:5, 1:5]
    assert found["classes"] == list(NAMES)
    assert np.array_equal(found["matrix"], covered)
    assert np.allclose(found["shares"], covered / covered.sum())
    assert (found["pixels_both"], found["pixels_valid"]) == (covered.sum(), valid.sum())
    assert found["pixels_only_a"] == counts[1:, 0].sum()
    assert found["pixels_only_b"] == counts[0, 1:].sum()
    assert found["area_km2"] == pytest.approx(valid.sum() * 1e-4)
    assert found["agreement"] == pytest.approx(np.trace(valid) / valid.sum())
    assert found["kappa"] == pytest.approx(kappa(valid))
    for number, name in enumerate(NAMES[:4]):
        own = found["by_class"][name]
        hit = valid[number, number]
        assert own["precision"] == pytest.approx(hit / valid[number].sum())
        assert own["recall"] == pytest.approx(hit / valid[:, number].sum())
        assert own["f1"] == pytest.approx(2 / (1 / own["precision"] + 1 / own["recall"]))
    cloud = found["by_class"]["any_cloud"]
    assert cloud["pixels_agreed"] == valid[2:, 2:].sum()
    assert cloud["iou"] == pytest.approx(
        valid[2:, 2:].sum() / (valid[2:].sum() + valid[:, 2:].sum() - valid[2:, 2:].sum())
    )


@pytest.mark.parametrize(("b", "grids"), [(TWO, "equal"), (SHIFTED, "aligned")])
def test_every_pixel_of_two_masks_is_counted(world: World, b: tuple[str, str], grids: str) -> None:
    for one, other in ((ONE, b), (b, ONE)):
        found = world.client.get(address(one, other)).json()
        check(found, truth(world.path(one), world.path(other)))
        assert found["grids"] == grids
        assert (found["a"]["collection"], found["b"]["item"]) == (one[0], other[1])


def test_masks_of_two_zones_are_compared_in_the_pixels_of_the_first(world: World) -> None:
    found = world.client.get(address(ONE, ZONE)).json()
    counts = truth(world.path(ONE), world.path(ZONE))
    assert found["grids"] == "nearest"
    # A centre that lies on an edge but for a hundredth of a pixel may fall on either side.
    off = np.abs(np.array(found["matrix"]) - counts[1:, 1:]).sum()
    assert off < 0.005 * counts[1:, 1:].sum()
    assert found["pixels_both"] == pytest.approx(counts[1:, 1:].sum(), rel=0.001)


def field() -> Polygon:
    back = Transformer.from_crs(32633, 4326, always_xy=True)
    corners = [(402000, 5898000), (409000, 5896500), (407100, 5889000), (405000, 5895000)]
    return Polygon([back.transform(*corner) for corner in corners])


@pytest.mark.parametrize("b", [TWO, SHIFTED])
def test_pixels_within_a_polygon_are_counted(world: World, b: tuple[str, str]) -> None:
    geometry = mapping(field())
    feature = {"type": "Feature", "properties": {}, "geometry": geometry}
    counts = truth(world.path(ONE), world.path(b), field())
    assert counts.sum() > 100_000
    for body in (geometry, feature):
        answer = world.client.post(address(ONE, b), json=body)
        check(answer.json(), counts)
        assert answer.json()["intersects"]["type"] == "Polygon"


def test_pixels_within_a_box_are_counted(world: World) -> None:
    west, south, east, north = field().bounds
    found = world.client.get(f"{address(ONE, TWO)}?bbox={west},{south},{east},{north}").json()
    ring = [(west, south), (east, south), (east, north), (west, north)]
    counts = truth(world.path(ONE), world.path(TWO), Polygon(ring))
    check(found, counts)


def test_masks_that_share_no_place_have_nothing_in_common(world: World) -> None:
    found = world.client.get(address(ONE, FAR)).json()
    assert (found["pixels_both"], found["agreement"], found["kappa"]) == (0, None, None)
    assert found["by_class"]["cloud"]["f1"] is None
    assert world.client.get(f"{address(ONE, FAR)}/WebMercatorQuad/tilejson.json").status_code == 404


def test_a_mask_agrees_with_itself(world: World) -> None:
    found = world.client.get(address(ONE, ONE)).json()
    assert (found["agreement"], found["kappa"]) == (1, 1)
    assert found["pixels_only_a"] == found["pixels_only_b"] == 0


def agreed(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.uint8]:
    cloud_a, cloud_b = np.isin(a, (3, 4)), np.isin(b, (3, 4))
    valid = (a > 0) & (a < 5) & (b > 0) & (b < 5)
    conditions = [
        ~valid,
        cloud_a & cloud_b,
        cloud_a,
        cloud_b,
        (a == 1) & (b == 1),
        (a == 2) & (b == 2),
    ]
    return np.select(conditions, [0, 2, 4, 5, 1, 3], 6).astype(np.uint8)


@pytest.mark.parametrize("b", [TWO, SHIFTED, ZONE])
@pytest.mark.parametrize("zoom", [9, 11, 13])
def test_an_agreement_tile_lays_both_over_each_other(
    world: World, b: tuple[str, str], zoom: int
) -> None:
    base, seen = address(ONE, b), set[int]()
    for tile in TMS.tiles(13.52, 53.12, 13.66, 53.22, [zoom]):
        place = f"tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}"
        parts = [f"/collections/{c}/items/{i}/{place}" for c, i in (ONE, b)]
        if any(world.client.get(f"{part}.png").status_code == 404 for part in parts):
            assert world.client.get(f"{base}/{place}.png").status_code == 404
            continue
        wanted = agreed(*(raw(world.client, part) for part in parts))
        # From a thread, then from memory.
        for _ in range(2):
            assert np.array_equal(raw(world.client, f"{base}/{place}"), wanted)
        picture = world.client.get(f"{base}/{place}.png").content
        assert np.array_equal(pixels(picture), wanted)
        assert np.array_equal(pixels(world.client.get(f"{base}/{place}").content), wanted)
        seen |= set(np.unique(wanted).tolist())
    assert seen == {0, 1, 2, 3, 4, 5, 6}


def test_the_legend_says_what_the_palette_holds(world: World) -> None:
    tile = TMS.tile(13.58, 53.17, 12)
    path = f"{address(ONE, TWO)}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}"
    colors = palette(world.client.get(f"{path}.png").content)
    entries = world.client.get("/compare/legend.json").json()["classes"]
    assert [entry["value"] for entry in entries] == [1, 2, 3, 4, 5, 6]
    for entry in entries:
        *rgb, opacity = colors[entry["value"]]
        assert entry["color"] == "#{:02X}{:02X}{:02X}".format(*rgb)
        assert entry["opacity"] == pytest.approx(opacity / 255, abs=0.001)
    assert colors[0][3] == 0
    whole, some = raw(world.client, path), raw(world.client, path, classes="only_a_cloud")
    assert np.array_equal(some, np.where(whole == 4, 4, 0))
    assert raw(world.client, path, tilesize="512").shape == (512, 512)
    for bad in ({"classes": "fog"}, {"tilesize": "99999"}):
        assert world.client.get(f"{path}.png", params=bad).status_code == 400


def test_a_tile_names_what_it_is_made_of(world: World) -> None:
    tilejson = world.client.get(f"{address(ONE, SHIFTED)}/WebMercatorQuad/tilejson.json").json()
    boxes = [world.items[key]["bbox"] for key in (ONE, SHIFTED)]
    assert tilejson["bounds"] == [
        *(max(box[k] for box in boxes) for k in (0, 1)),
        *(min(box[k] for box in boxes) for k in (2, 3)),
    ]
    assert (tilejson["minzoom"], tilejson["maxzoom"]) == (10, 13)
    lon, lat, _ = tilejson["center"]
    tile = TMS.tile(lon, lat, 12)
    path = tilejson["tiles"][0].replace("{z}/{x}/{y}", f"{tile.z}/{tile.x}/{tile.y}")
    first = world.client.get(path)
    assert "immutable" in first.headers["cache-control"]
    etag = first.headers["etag"]
    again = world.client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert world.client.get(path.partition("?")[0]).headers["cache-control"] == "public, max-age=5"
    other = world.client.get(path.replace(LATER, PRODUCT))
    assert other.headers["etag"] != etag
    numbers = world.client.get(address(ONE, TWO))
    known = {"If-None-Match": numbers.headers["etag"]}
    assert world.client.get(address(ONE, TWO), headers=known).status_code == 304


def test_a_tile_without_data_costs_nothing_where_that_is_wanted(world: World) -> None:
    back = Transformer.from_crs(32633, 4326, always_xy=True)
    tile = TMS.tile(*back.transform(400_400, 5_899_600), 17)
    path = f"{address(ONE, TWO)}/tiles/WebMercatorQuad/17/{tile.x}/{tile.y}.png"
    answer = world.client.get(path)
    assert (answer.status_code, not pixels(answer.content).any()) == (200, True)
    with TestClient(create_app(TilerSettings(empty_status=204))) as terse:
        assert (terse.get(path).status_code, terse.get(path).content) == (204, b"")


def test_a_product_has_the_masks_of_all_engines_and_then_those_of_its_scene(world: World) -> None:
    found = world.client.get(f"/compare/items/{PRODUCT}").json()
    assert [(each["collection"], each["item"], each["same"]) for each in found["masks"]] == [
        (*ONE, "product"),
        (*TWO, "product"),
        ("one-l2a", LEVEL_2, "scene"),
    ]
    second = found["masks"][1]
    assert (second["cloud_cover"], second["engine"]) == (50.0, "two")
    assert second["datetime"] == "2024-05-09T10:02:00Z"
    for each in found["masks"]:
        assert world.client.get(each["tilejson"]).status_code == 200
        assert world.client.get(each["preview"]).status_code == 200
    assert len(found["pairs"]) == 3
    for pair in found["pairs"]:
        answer = world.client.get(pair["href"]).json()
        assert [answer["a"]["collection"], answer["a"]["item"]] == pair["a"]
        assert [answer["b"]["collection"], answer["b"]["item"]] == pair["b"]
    alone = world.client.get("/compare/items/ZONE").json()
    assert [each["item"] for each in alone["masks"]] == ["ZONE"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/compare/items/NONE", 404),
        (f"/compare/items/{PRODUCT.replace('L1C', 'L2A')}", 404),
        (address(ONE, ("one-l1c", "NONE")), 404),
        (address(("none", PRODUCT), ONE), 404),
        (f"{address(ONE, TWO)}?bbox=1,2,x,4", 400),
        (f"{address(ONE, TWO)}?bbox=1,2", 400),
        (f"{address(ONE, TWO)}/tiles/WebMercatorQuad/3/9/0.png", 404),
        (f"{address(ONE, TWO)}/tiles/Nowhere/3/1/0.png", 422),
        (f"{address(ONE, TWO)}/tiles/WebMercatorQuad/3/1/x.png", 422),
    ],
)
def test_what_cannot_be_compared_is_said(world: World, path: str, status: int) -> None:
    answer = world.client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_point_is_no_polygon_to_count_in(world: World) -> None:
    answer = world.client.post(
        address(ONE, TWO), json={"type": "Point", "coordinates": [13.5, 53.2]}
    )
    assert (answer.status_code, "no polygon" in answer.text) == (400, True)
