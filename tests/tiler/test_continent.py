"""Maps of continents against brute force: the first of each place, by file and by bucket."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import morecantile
import numpy as np
import obstore
import psycopg
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer
from starlette.testclient import TestClient

from producer.cog import MASK_ENCODING
from producer.storage import Storage
from tests import buckets
from tests.tiler.scenes import Scene, catalogue, landscape, store_scene
from tests.tiler.test_tiles import pixels, raw, wait_until
from tiler import objects
from tiler.app import create_app
from tiler.items import StoredAsset
from tiler.rasters import Rasters
from tiler.settings import TilerSettings

pytestmark = [
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
    pytest.mark.filterwarnings("ignore::morecantile.errors.PointOutsideTMSBounds"),
]

MAP = "/collections/continent"
TMS = morecantile.tms.get("WebMercatorQuad")
BOX = (11.5, 52.7, 14.2, 53.5)
SIZE_PX = 2048
DAY = datetime(2024, 6, 1, 10, tzinfo=UTC)
# A coarse pixel is 160 m wide here; what lies nearer to an edge may be either side of it.
NEAR_M = 320.0


def blocks(seed: int) -> NDArray[np.uint8]:
    """Draw squares of 5 km, of all classes and no data."""
    squares = np.random.default_rng(seed).integers(0, 6, (4, 4))
    return np.kron(squares, np.ones((512, 512))).astype(np.uint8)


def only(values: NDArray[np.uint8], rows: slice) -> NDArray[np.uint8]:
    kept = np.zeros_like(values)
    kept[rows] = values[rows]
    return kept


def scene(name: str, place: str, days: int, classes: NDArray[np.uint8], **where: float) -> Scene:
    base = Scene(name, 32633, 399960, 5900040, classes, DAY - timedelta(days=days), "continent")
    return replace(base, properties={"grid:code": f"MGRS-{place}"}, **where)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def scenes(catalogued: Storage) -> list[Scene]:
    """A pile of seven in one place, one beside it, and one of the neighbouring zone above them."""
    one = np.full((SIZE_PX, SIZE_PX), 1, np.uint8)
    made = [
        scene("newest", "A", 0, only(blocks(1), slice(0, 400))),
        scene("second", "A", 1, only(blocks(2), slice(300, 900))),
        scene("third", "A", 2, only(one * 4, slice(0, 100))),
        scene("fourth", "A", 3, only(blocks(4), slice(800, 1500))),
        # Beneath the first four of their place: never seen in the order of time.
        scene("fifth", "A", 4, one * 3),
        scene("sixth", "A", 5, one * 2),
        scene("seventh", "A", 6, only(one * 5, slice(1024, 2048))),
        scene("beside", "B", 9, blocks(5), west=420440.0),
        scene("zone 32", "C", 0.5, blocks(6), epsg=32632, west=799980.0, north=5910040.0),
    ]
    catalogue(*(store_scene(each, catalogued) for each in made))
    return made


@pytest.fixture(scope="module")
def client(scenes: list[Scene]) -> Iterator[TestClient]:
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield client


def seen(
    tile: morecantile.Tile, order: Sequence[Scene], dx_m: float, dy_m: float
) -> NDArray[np.uint8]:
    """Give the class of every pixel centre of a tile, moved by metres: the first with data."""
    left, bottom, right, top = TMS.xy_bounds(tile)
    steps = (np.arange(256) + 0.5) / 256
    x, y = np.meshgrid(left + steps * (right - left), top - steps * (top - bottom))
    result = np.zeros((256, 256), np.uint8)
    for each in order:
        east, north = Transformer.from_crs(3857, each.epsg, always_xy=True).transform(x, y)
        columns = np.floor((east + dx_m - each.west) / 10).astype(int)
        rows = np.floor((each.north - north - dy_m) / 10).astype(int)
        size = len(each.classes)
        inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
        inside &= result == 0
        result[inside] = each.classes[rows[inside], columns[inside]]
    return result


def layered(scenes: Sequence[Scene], *, newest_first: bool) -> list[Scene]:
    ordered = sorted(scenes, key=lambda each: each.sensed, reverse=newest_first)
    place = [each.properties["grid:code"] for each in ordered]
    return [each for i, each in enumerate(ordered) if place[:i].count(place[i]) < 4]


@pytest.mark.parametrize("zoom", [4, 5, 6])
@pytest.mark.parametrize("order", ["-datetime", "+datetime"])
def test_a_map_shows_the_first_four_of_each_place(
    client: TestClient, scenes: list[Scene], zoom: int, order: str
) -> None:
    query = {} if order == "-datetime" else {"sortby": order}
    compared = np.zeros(6, int)
    for tile in TMS.tiles(*BOX, [zoom]):
        drawn = raw(client, f"{MAP}/tiles/WebMercatorQuad/{zoom}/{tile.x}/{tile.y}", **query)
        chosen = layered(scenes, newest_first=order == "-datetime")
        around = [
            seen(tile, chosen, dx * NEAR_M, dy * NEAR_M) for dx in (-1, 0, 1) for dy in (-1, 0, 1)
        ]
        sure = (np.stack(around) == around[4]).all(axis=0)
        assert np.array_equal(drawn[sure], around[4][sure]), tile
        compared += np.bincount(around[4][sure], minlength=6)
    assert (compared[1:] > 0).sum() >= (4 if zoom == 6 else 1), compared


def test_a_database_without_the_slim_table_gives_the_same_map(
    client: TestClient, scenes: list[Scene]
) -> None:
    paths = [f"{MAP}/tiles/WebMercatorQuad/6/{t.x}/{t.y}" for t in TMS.tiles(*BOX, [6])]
    before = [raw(client, path) for path in paths]
    assert any(drawn.any() for drawn in before)
    with psycopg.connect(autocommit=True) as database:
        database.execute("ALTER SCHEMA nimbostac RENAME TO hidden")
        try:
            with TestClient(create_app()) as other:
                after = [raw(other, path) for path in paths]
        finally:
            database.execute("ALTER SCHEMA hidden RENAME TO nimbostac")
    assert np.array_equal(before, after)


def test_a_map_changes_with_its_items_in_every_process(
    client: TestClient, scenes: list[Scene], catalogued: Storage
) -> None:
    settings = TilerSettings(item_age_s=0.2)
    place = Scene("N", 32633, 399960, 5900040, np.full((512, 512), 1, np.uint8), DAY, "moving")
    catalogue(store_scene(place, catalogued))
    (tile,) = TMS.tiles(13.53, 53.22, 13.54, 53.23, [6])
    path = f"/collections/moving/tiles/WebMercatorQuad/6/{tile.x}/{tile.y}.pngraw"

    def classes(of: TestClient) -> set[int]:
        return set(np.unique(pixels(of.get(path).content)).tolist())

    with TestClient(create_app(settings)) as one, TestClient(create_app(settings)) as other:
        etags = {each.get(path).headers["etag"] for each in (one, other)}
        assert (classes(one), classes(other), len(etags)) == ({0, 1}, {0, 1}, 1)
        for version, value in (("2", 4), ("3", 2)):
            new = replace(place, version=version, classes=np.full((512, 512), value, np.uint8))
            item = store_scene(new, catalogued)
            if version == "3":
                # Without a checksum, and at the address that it had: the Item tells it apart.
                del item["assets"]["mask"]["file:checksum"]
            catalogue(item)
            for each in (one, other):
                assert wait_until(lambda c=each, v=value: classes(c) == {0, v})
                assert each.get(path).headers["etag"] not in etags
        with psycopg.connect(autocommit=True) as database:
            database.execute("DELETE FROM pgstac.items WHERE collection = 'moving'")
        for each in (one, other):
            assert wait_until(lambda c=each: classes(c) == {0})


def write(path: Path, made: Scene, encoding: Mapping[str, str]) -> None:
    """Write a COG that need not be as ours are."""
    rows, columns = made.classes.shape
    profile = {"width": columns, "height": rows, "count": 1, "dtype": "uint8", "nodata": 0}
    place = {"crs": f"EPSG:{made.epsg}", "transform": Affine(*made.grid.transform[:6])}
    with rasterio.open(path, "w", driver="COG", **profile, **place, **encoding) as raster:
        raster.write(made.classes, 1)


ENCODINGS = {
    "as it is": MASK_ENCODING,
    "eight bits": {**MASK_ENCODING, "NBITS": "8"},
    "differences": {**MASK_ENCODING, "NBITS": "8", "PREDICTOR": "YES"},
    "plain": {"BLOCKSIZE": "512", "COMPRESS": "NONE", "OVERVIEW_RESAMPLING": "MODE", "NBITS": "4"},
    "no overview": {**MASK_ENCODING, "OVERVIEWS": "NONE", "BLOCKSIZE": "2048"},
    "big": {**MASK_ENCODING, "BIGTIFF": "YES"},
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("size", [(1373, 1111), (510, 30)])
def test_a_coarse_picture_is_every_fourth_pixel_of_the_coarsest_overview(
    tmp_path: Path, encoding: str, size: tuple[int, int]
) -> None:
    made = Scene("S", 32633, 399960, 5900040, landscape(*size))
    path = tmp_path / "mask.tif"
    write(path, made, ENCODINGS[encoding])
    with rasterio.open(path) as raster:
        last = len(raster.overviews(1)) - 1
    with rasterio.open(path, **({"overview_level": last} if last >= 0 else {})) as raster:
        whole = raster.read(1)
    rasters = Rasters(TilerSettings())
    cog = rasters.coarse(StoredAsset("mask", str(path), "", "1"))
    (level,) = cog.levels
    rows, columns = (np.minimum(np.arange(2, n + 2, 4), n - 1) for n in whole.shape)
    assert np.array_equal(level.pixels, whole[np.ix_(rows, columns)])
    # From now on the file may go: nothing of it is open.
    path.unlink()
    assert rasters.coarse(StoredAsset("mask", str(path), "", "1")) is cog
    assert (cog.width, cog.height, cog.bounds) == (size[1], size[0], made.grid.bounds)


def test_a_mask_whose_coarsest_overview_is_large_is_drawn_from_the_open_file(
    tmp_path: Path,
) -> None:
    made = Scene("S", 32633, 399960, 5900040, landscape(1400, 1400))
    paths = [tmp_path / f"{number}.tif" for number in range(5)]
    for path in paths:
        write(path, made, {**MASK_ENCODING, "OVERVIEWS": "NONE"})
    rasters = Rasters(TilerSettings(datasets=2))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in paths:
        assert len(rasters.coarse(StoredAsset("mask", str(path), "", "1")).levels) == 1
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


def test_masks_in_a_bucket_take_one_request_each_and_are_read_side_by_side(
    client: TestClient, scenes: list[Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tile,) = TMS.tiles(13.53, 53.1, 13.54, 53.11, [6])
    path = f"tiles/WebMercatorQuad/6/{tile.x}/{tile.y}"
    requests: list[str] = []
    plain = obstore.get

    def counted(*arguments: object, **named: object) -> object:
        requests.append(str(arguments[1]))
        return plain(*arguments, **named)  # type: ignore[call-overload]

    with buckets.bucket("masks") as address:
        objects._bucket.cache_clear()
        store = Storage.from_url(f"{address}/deep")
        catalogue(*(store_scene(replace(each, collection="far"), store) for each in scenes))
        monkeypatch.setattr(obstore, "get", counted)
        monkeypatch.setattr(obstore, "get_ranges", counted)
        with TestClient(create_app()) as far:
            drawn = raw(far, f"/collections/far/{path}")
            first = list(requests)
            assert np.array_equal(drawn, raw(far, f"/collections/far/{path}"))
    objects._bucket.cache_clear()
    assert np.array_equal(drawn, raw(client, f"{MAP}/{path}"))
    assert 0 < len(first) == len(set(first)) <= len(scenes)
    assert requests == first
