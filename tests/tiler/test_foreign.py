"""Masks of others: strips, LZW, no overviews, another no-data value; the same answers."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import morecantile
import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from shapely.geometry import Polygon, mapping
from starlette.testclient import TestClient

from producer.storage import Storage
from tests.tiler.clear import oracle
from tests.tiler.scenes import COLLECTION, Scene, catalogue, store_scene
from tests.tiler.test_tiles import raw
from tiler.app import create_app

TMS = morecantile.tms.get("WebMercatorQuad")

pytestmark = [
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
    pytest.mark.filterwarnings("ignore::morecantile.errors.PointOutsideTMSBounds"),
]


@pytest.fixture(scope="module")
def strips(scene: Scene, catalogued: Storage) -> dict[str, Any]:
    """The same mask as strips, with 9 for no data and 7 for what says nothing."""
    item = store_scene(replace(scene, id="STRIPS"), catalogued)
    values = np.where(scene.classes == 0, 9, np.where(scene.classes == 5, 7, scene.classes))
    grid = scene.grid
    with rasterio.open(
        item["assets"]["mask"]["href"].removeprefix("file://"),
        "w",
        driver="GTiff",
        dtype="uint8",
        count=1,
        height=grid.shape[0],
        width=grid.shape[1],
        crs=f"EPSG:{grid.epsg}",
        transform=rasterio.Affine(*list(grid.transform)[:6]),
        compress="lzw",
        nodata=9,
    ) as raster:
        raster.write(values.astype(np.uint8), 1)
    catalogue(item)
    return item


@pytest.fixture(scope="module")
def client(strips: dict[str, Any]) -> Iterator[TestClient]:
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("zoom", [13, 14])
def test_its_tiles_are_those_of_the_cog(client: TestClient, scene: Scene, zoom: int) -> None:
    west, south, east, north = Polygon(scene.footprint()).bounds
    seen = 0
    for tile in list(TMS.tiles(west, south, east, north, [zoom]))[:8]:
        place = f"tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}"
        own, other = (
            raw(client, f"/collections/{COLLECTION}/items/{name}/{place}")
            for name in ("S2A_TEST", "STRIPS")
        )
        assert np.array_equal(own, other)
        seen += int((own > 0).sum())
    assert seen > 10_000


def test_far_away_its_tiles_look_like_those_of_the_cog(client: TestClient, scene: Scene) -> None:
    middle = Polygon(scene.footprint()).centroid
    for zoom in (4, 8, 10):
        tile = TMS.tile(middle.x, middle.y, zoom)
        place = f"tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}"
        for base in (f"/collections/{COLLECTION}/items/STRIPS", f"/collections/{COLLECTION}"):
            assert raw(client, f"{base}/{place}").any()


def test_the_sky_over_a_polygon_is_counted_in_it(
    client: TestClient, scene: Scene, strips: dict[str, Any]
) -> None:
    back = Transformer.from_crs(scene.epsg, 4326, always_xy=True)
    corners = [(1500, 900), (6000, 700), (7100, 6000), (3000, 4000)]
    field = Polygon([back.transform(scene.west + x, scene.north - y) for x, y in corners])
    body = {"intersects": mapping(field), "ids": ["STRIPS", "S2A_TEST"]}
    found = {
        feature["id"]: feature["properties"]
        for feature in client.post("/clear", json=body).json()["features"]
    }
    path = client.app.state.items.get((COLLECTION, "S2A_TEST")).assets["mask"].href  # type: ignore[attr-defined]
    truth = oracle.properties(path, field)
    for name in ("S2A_TEST", "STRIPS"):
        assert {key: found[name][key] for key in truth} == pytest.approx(truth, abs=1e-12)


def test_it_is_compared_like_any_other(client: TestClient) -> None:
    names = (f"/collections/{COLLECTION}/items/S2A_TEST", f"{COLLECTION}/items/STRIPS")
    found = client.get(f"/compare{names[0]}/with/{names[1]}").json()
    assert (found["agreement"], found["pixels_only_a"], found["pixels_only_b"]) == (1, 0, 0)
