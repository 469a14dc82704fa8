"""Tiles of one Item: what is in the image, what a client may ask for, what caches are told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import morecantile
import numpy as np
import psycopg
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.io import MemoryFile
from scipy import ndimage
from starlette.testclient import TestClient

from producer.classes import CLASSES
from producer.storage import Storage
from tests.tiler.scenes import COLLECTION, Scene, catalogue, store_scene
from tiler.app import create_app
from tiler.settings import TilerSettings

ITEM = f"/collections/{COLLECTION}/items/S2A_TEST"
TILE = f"{ITEM}/tiles/WebMercatorQuad/13/4405/2661"

pytestmark = [
    # An image on its own lies nowhere.
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
    pytest.mark.filterwarnings("ignore::rio_tiler.errors.NoOverviewWarning"),
    pytest.mark.filterwarnings("ignore::morecantile.errors.PointOutsideTMSBounds"),
]


def pixels(content: bytes) -> NDArray[np.uint8]:
    with MemoryFile(content) as memory, memory.open() as image:
        values: NDArray[np.uint8] = image.read(1)
        return values


def raw(client: TestClient, path: str, **query: str) -> NDArray[np.uint8]:
    answer = client.get(f"{path}.pngraw", params=query)
    assert answer.status_code == 200, answer.text
    return pixels(answer.content)


def palette(content: bytes) -> dict[int, tuple[int, ...]]:
    colors = content[content.index(b"PLTE") + 4 :]
    opacities = content[content.index(b"tRNS") + 4 :]
    count = int.from_bytes(content[content.index(b"PLTE") - 4 : content.index(b"PLTE")]) // 3
    return {i: (*colors[3 * i : 3 * i + 3], opacities[i]) for i in range(count)}


def test_the_palette_holds_the_colours_of_the_classes_and_no_other(client: TestClient) -> None:
    content = client.get(f"{TILE}.png").content
    assert palette(content) == {info.value.value: info.color for info in CLASSES}
    assert np.array_equal(pixels(content), raw(client, TILE))


def test_every_format_shows_the_same_classes(client: TestClient) -> None:
    truth = raw(client, TILE)
    assert set(np.unique(truth)) > {1, 2, 4}
    assert np.array_equal(np.load(BytesIO(client.get(f"{TILE}.npy").content))[0], truth)
    assert np.array_equal(pixels(client.get(f"{TILE}.tif").content), truth)
    colors = np.array([info.color for info in CLASSES], np.uint8)
    with MemoryFile(client.get(f"{TILE}.webp").content) as memory, memory.open() as image:
        drawn = image.read().transpose(1, 2, 0)
    opaque = truth > 0
    assert np.array_equal(drawn[opaque], colors[truth][opaque])
    assert not drawn[~opaque][:, 3].any()


def test_resampling_is_nearest_whatever_is_asked(client: TestClient) -> None:
    query = {"resampling": "bilinear", "reproject": "cubic", "colormap_name": "viridis"}
    plain = client.get(f"{TILE}.png").content
    assert client.get(f"{TILE}.png", params={**query, "rescale": "0,9"}).content == plain


@pytest.mark.parametrize("size", [256, 512, 300, 127])
def test_a_tile_has_the_size_that_is_asked(client: TestClient, size: int) -> None:
    assert raw(client, TILE, tilesize=str(size)).shape == (size, size)


def test_classes_can_be_left_out(client: TestClient) -> None:
    truth = raw(client, TILE)
    shown = raw(client, TILE, classes="cloud,cloud_shadow")
    assert np.array_equal(shown, np.where((truth == 4) | (truth == 2), truth, 0))
    answer = client.get(f"{TILE}.png", params={"classes": "fog"})
    assert (answer.status_code, "cloud_shadow" in answer.text) == (400, True)


@pytest.mark.parametrize("buffer_m", ["-1", "nan", "inf", "9999", "x"])
def test_a_distance_has_bounds(client: TestClient, buffer_m: str) -> None:
    assert client.get(f"{TILE}.png", params={"buffer_m": buffer_m}).status_code == 400


def grown(classes: NDArray[np.uint8], distance_px: float) -> NDArray[np.uint8]:
    wanted = classes.copy()
    for kind in (4, 2):
        near = ndimage.distance_transform_edt(classes != kind) <= distance_px
        wanted[near & (wanted == 1)] = kind
    return wanted


@pytest.mark.parametrize("distance_m", [10, 75, 300])
def test_cloud_and_shadow_grow_over_clear_ground(
    client: TestClient, scene: Scene, distance_m: int
) -> None:
    # The preview of full size is the raster itself, pixel by pixel.
    size = scene.classes.shape[0]
    drawn = raw(client, f"{ITEM}/preview/{size}x{size}", buffer_m=str(distance_m))
    assert np.array_equal(drawn, grown(scene.classes, distance_m / 10))


def test_what_has_grown_meets_at_the_edges_of_tiles(client: TestClient) -> None:
    parts = [
        [
            raw(client, f"{ITEM}/tiles/WebMercatorQuad/14/{x}/{y}", buffer_m="300")
            for x in (8810, 8811)
        ]
        for y in (5322, 5323)
    ]
    whole = raw(
        client, f"{ITEM}/tiles/WebMercatorQuad/13/4405/2661", tilesize="512", buffer_m="300"
    )
    assert np.array_equal(np.block(parts), whole)


def test_a_tile_without_data_costs_nothing(client: TestClient) -> None:
    tms = morecantile.tms.get("WebMercatorQuad")
    bounds = client.get(f"{ITEM}/WebMercatorQuad/tilejson.json").json()["bounds"]
    tile = tms.tile(bounds[0] + 0.001, (bounds[1] + bounds[3]) / 2 + 0.02, 17)
    path = f"{ITEM}/tiles/WebMercatorQuad/17/{tile.x}/{tile.y}.png"
    answer = client.get(path)
    assert (answer.status_code, not pixels(answer.content).any()) == (200, True)
    assert len(answer.content) < 300
    with TestClient(create_app(TilerSettings(empty_status=204))) as terse:
        for _ in range(2):
            answer = terse.get(path)
            assert (answer.status_code, answer.content) == (204, b"")
        assert terse.get(f"{TILE}.png").status_code == 200


def test_a_tile_has_a_strong_etag_and_is_not_sent_twice(client: TestClient) -> None:
    first = client.get(f"{TILE}.png")
    etag = first.headers["etag"]
    assert etag.startswith('"')
    for _ in range(2):
        again = client.get(f"{TILE}.png", headers={"If-None-Match": f'"other", {etag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get(f"{TILE}.png", headers={"If-None-Match": '"other"'}).status_code == 200


def test_an_address_that_names_the_version_can_be_kept_for_ever(client: TestClient) -> None:
    tiles = client.get(f"{ITEM}/WebMercatorQuad/tilejson.json").json()["tiles"][0]
    path = tiles.replace("{z}/{x}/{y}", "13/4405/2661")
    assert "immutable" in client.get(path).headers["cache-control"]
    assert client.get(f"{TILE}.png").headers["cache-control"] == "public, max-age=5"
    stale = client.get(path.partition("v=")[0] + "v=0123")
    assert (stale.status_code, "immutable" in stale.headers["cache-control"]) == (200, False)
    assert "v=" in client.get(f"{ITEM}/WMTSCapabilities.xml").text


def test_threads_get_what_one_gets(client: TestClient) -> None:
    tms = morecantile.tms.get("WebMercatorQuad")
    bounds = client.get(f"{ITEM}/WebMercatorQuad/tilejson.json").json()["bounds"]
    tiles = [tile for zoom in (12, 13, 14) for tile in tms.tiles(*bounds, [zoom])]
    paths = [f"{ITEM}/tiles/WebMercatorQuad/{t.z}/{t.x}/{t.y}.png" for t in tiles]
    alone = [client.get(path).content for path in paths]
    small = TilerSettings(block_cache_bytes=300_000, datasets=1, item_age_s=0.01)
    with TestClient(create_app(small)) as busy, ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda path: busy.get(path).content, paths * 3))
    assert together == alone * 3


@pytest.fixture
def two_processes(scene: Scene) -> Iterator[list[TestClient]]:
    settings = TilerSettings(item_age_s=0.2)
    with TestClient(create_app(settings)) as one, TestClient(create_app(settings)) as other:
        yield [one, other]


def wait_until(check: object, *, tries: int = 60) -> bool:
    import time

    for _ in range(tries):
        if check():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def test_an_item_that_is_replaced_or_deleted_is_seen_by_every_process(
    two_processes: list[TestClient], scene: Scene, catalogued: Storage
) -> None:
    path = f"/collections/news/items/N/{TILE.partition('S2A_TEST/')[2]}.pngraw"
    old = replace(scene, id="N", collection="news", classes=np.full((1024, 1024), 1, np.uint8))
    catalogue(store_scene(old, catalogued))
    for client in two_processes:
        assert set(np.unique(pixels(client.get(path).content))) == {1}
    new = replace(old, version="2", classes=np.full((1024, 1024), 4, np.uint8))
    catalogue(store_scene(new, catalogued))
    for client in two_processes:
        assert wait_until(lambda c=client: 4 in pixels(c.get(path).content))
    with psycopg.connect(autocommit=True) as database:
        database.execute("DELETE FROM pgstac.items WHERE collection = 'news'")
    for client in two_processes:
        assert wait_until(lambda c=client: c.get(path).status_code == 404)


def test_a_mask_of_another_encoding_is_drawn_too(
    client: TestClient, scene: Scene, catalogued: Storage
) -> None:
    other = replace(scene, id="LZW", collection="lzw")
    item = store_scene(other, catalogued)
    path = item["assets"]["mask"]["href"].removeprefix("file://")
    with rasterio.open(path) as source:
        values, profile = source.read(1), source.profile
    with rasterio.open(path, "w", **{**profile, "compress": "lzw", "nbits": 8}) as target:
        target.write(values, 1)
    catalogue(item)
    lzw = raw(client, f"/collections/lzw/items/LZW/{TILE.partition('S2A_TEST/')[2]}")
    assert (lzw == raw(client, TILE)).mean() > 0.99


def test_the_legend_names_every_class(client: TestClient) -> None:
    entries = client.get("/legend.json").json()["classes"]
    assert [entry["name"] for entry in entries] == [info.name for info in CLASSES[1:]]
    svg = client.get("/legend.svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert all(info.title in svg.text for info in CLASSES[1:])
    some = client.get("/legend.json?classes=cloud").json()["classes"]
    assert [entry["color"] for entry in some] == ["#FFFFFF"]
    assert set(np.unique(pixels(client.get("/legend.png").content))) == {0, 1, 2, 3, 4, 5}
