"""Drawing against brute force: every pixel projected by PROJ, every class read by GDAL."""

import morecantile
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer

from producer.storage import Storage
from tests.tiler.scenes import Scene, landscape, store_scene
from tiler.draw import draw
from tiler.items import StoredItem
from tiler.rasters import Rasters
from tiler.settings import TilerSettings
from tiler.views import View, tile_view

SETS = morecantile.tms
EDGE_PX = 0.125
# Zone, hemisphere and place of real Sentinel-2 tiles: all zones of Europe, the far north, both
# sides of the antimeridian, the equator from both sides, and the far south.
PLACES = {
    "26N Azores": (32626, 600000, 4300020),
    "27N Iceland": (32627, 399960, 7100040),
    "28N Canaries": (32628, 399960, 3200040),
    "29N Lisbon": (32629, 499980, 4300020),
    "30N Paris west": (32630, 799980, 5500020),
    "31N Paris": (32631, 399960, 5500020),
    "32N Alps": (32632, 600000, 5200020),
    "33N Berlin": (32633, 399960, 5900040),
    "34N Sweden": (32634, 199980, 7600020),
    "35N Tallinn": (32635, 399960, 6600000),
    "36N Kyiv": (32636, 300000, 5700000),
    "37N Moscow": (32637, 399960, 6200040),
    "38N Caucasus": (32638, 499980, 4800000),
    "39N Ural": (32639, 600000, 7100040),
    "33X Svalbard": (32633, 499980, 8800020),
    "60N Fiji side": (32660, 799980, 1900020),
    "1N date line": (32601, 199980, 7400040),
    "1S Fiji": (32701, 199980, 8200000),
    "60S Fiji": (32760, 799980, 8100040),
    "31N equator": (32631, 399960, 50020),
    "31S equator": (32731, 399960, 10000000),
    "19S Patagonia": (32719, 399960, 4500040),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    return Storage.from_url(str(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def rasters() -> Rasters:
    return Rasters(TilerSettings())


def stored(name: str, store: Storage, size: int = 1373) -> tuple[Scene, StoredItem]:
    epsg, west, north = PLACES[name]
    scene = Scene(name.replace(" ", "-"), epsg, west, north, landscape(size, size, seed=epsg))
    return scene, StoredItem.of(store_scene(scene, store))


def sample(view: View) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose pixels: all along the edges of the tile, and many inside."""
    chance = np.random.default_rng(int(view.left) % 1000)
    rows = chance.integers(0, view.height, 2500)
    columns = chance.integers(0, view.width, 2500)
    along, zeros = np.arange(view.width), np.zeros(view.width, np.intp)
    edges_y = [zeros, zeros + view.height - 1, along, along]
    edges_x = [along, along, zeros, zeros + view.width - 1]
    return np.concatenate([rows, *edges_y]), np.concatenate([columns, *edges_x])


@np.errstate(invalid="ignore")
def oracle(
    path: str, scene: Scene, view: View, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Give the classes of pixels, and which may lie on either side of an edge."""
    to_utm = Transformer.from_crs(view.crs, scene.epsg, always_xy=True)
    to_view = Transformer.from_crs(scene.epsg, view.crs, always_xy=True)

    def project(dx: float, dy: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x = view.left + (columns + 0.5 + dx) * view.dx
        east, north = to_utm.transform(x, view.top - (rows + 0.5 + dy) * view.dy)
        return east, north

    east, north = project(0, 0)
    # PROJ projects the other side of the world too; no pixel there belongs to the mask.
    back_x, back_y = to_view.transform(east, north)
    off_x = back_x - (view.left + (columns + 0.5) * view.dx)
    off_y = np.abs(back_y - (view.top - (rows + 0.5) * view.dy))
    if view.period:
        off_x = (off_x + view.period / 2) % view.period - view.period / 2
    away = ~((np.abs(off_x) < view.dx / 9) & (off_y < view.dy / 9) & np.isfinite(east))
    with rasterio.open(path) as raster:
        left, bottom, right, top = raster.bounds
    distance = np.hypot(east - (left + right) / 2, north - (bottom + top) / 2)
    nearest = int(np.argmin(np.where(away, np.inf, distance)))
    steps = [
        np.hypot(moved[0] - east, moved[1] - north)[nearest]
        for moved in (project(1, 0), project(0, 1))
    ]
    level = overview(path, min(steps) / 10)
    with rasterio.open(path, **({} if level < 0 else {"overview_level": level})) as raster:
        classes = raster.read(1)
        inverse = ~raster.transform
    east, north = np.where(away, 1e9, east), np.where(away, 1e9, north)
    x, y = inverse @ (east, north)
    height, width = classes.shape
    across = np.clip(np.floor(x).astype(int), -1, width) + 1
    down = np.clip(np.floor(y).astype(int), -1, height) + 1
    near = np.minimum(np.abs(x - np.round(x)), np.abs(y - np.round(y)))
    return np.pad(classes, 1)[down, across], near <= EDGE_PX


def overview(path: str, scale: float) -> int:
    """Choose the overview for pixels that are so many times as large as the mask's."""
    with rasterio.open(path) as raster:
        sizes = [raster.width]
        count = len(raster.overviews(1))
    for number in range(count):
        with rasterio.open(path, overview_level=number) as smaller:
            sizes.append(smaller.width)
    return max(i for i, size in enumerate(sizes) if sizes[0] / size <= max(scale * 1.2, 1)) - 1


def check(drawn: NDArray[np.uint8] | int | None, scene: Scene, item: StoredItem, view: View) -> int:
    rows, columns = sample(view)
    path = item.assets["mask"].href.removeprefix("file://")
    wanted, unsure = oracle(path, scene, view, rows, columns)
    got = drawn[rows, columns] if isinstance(drawn, np.ndarray) else np.full(len(rows), drawn or 0)
    wrong = (got != wanted) & ~unsure
    assert wrong.sum() == 0, f"{wrong.sum()} of {wrong.size} pixels"
    return int((wanted > 0).sum())


def middle(scene: Scene) -> tuple[float, float]:
    west, south, east, north = scene.grid.bounds
    back = Transformer.from_crs(scene.epsg, 4326, always_xy=True)
    lon, lat = back.transform((west + east) / 2, (south + north) / 2)
    return lon, lat


@pytest.mark.parametrize("name", PLACES)
def test_every_pixel_is_the_one_that_lies_there(
    name: str, store: Storage, rasters: Rasters
) -> None:
    scene, item = stored(name, store)
    tms = SETS.get("WebMercatorQuad")
    lon, lat = middle(scene)
    seen = 0
    for zoom in range(17):
        tile = tms.tile(lon, lat, zoom)
        around = [tile, *tms.neighbors(tile)] if zoom in {10, 12} else [tile]
        for each in around:
            view = tile_view(tms, each.x, each.y, each.z, None)
            assert view is not None
            drawn = draw(rasters, item.assets["mask"], view)
            seen += check(drawn, scene, item, view)
    assert seen > 10_000


@pytest.mark.parametrize("size_px", [512, 1000])
@pytest.mark.parametrize(
    "scheme", ["WebMercatorQuad", "WorldCRS84Quad", "UTM31WGS84Quad", "EuropeanETRS89_LAEAQuad"]
)
def test_other_sizes_and_tiling_schemes_are_as_exact(
    scheme: str, size_px: int, store: Storage, rasters: Rasters
) -> None:
    scene, item = stored("33N Berlin", store)
    tms = SETS.get(scheme)
    lon, lat = middle(scene)
    seen = 0
    for zoom in range(max(tms.minzoom, 4), min(tms.maxzoom, 16), 3):
        tile = tms.tile(lon, lat, zoom)
        view = tile_view(tms, tile.x, tile.y, tile.z, size_px)
        assert view is not None
        seen += check(draw(rasters, item.assets["mask"], view), scene, item, view)
    assert seen > 1000


def test_a_mask_is_drawn_whole_across_the_antimeridian(store: Storage, rasters: Rasters) -> None:
    east, north = Transformer.from_crs(4326, 32760, always_xy=True).transform(180, -17)
    scene = Scene(
        "date-line", 32760, round(east, -1) - 7000, round(north, -1), landscape(1373, 1373)
    )
    item = StoredItem.of(store_scene(scene, store))
    tms = SETS.get("WebMercatorQuad")
    for zoom in (3, 6, 11):
        seen = []
        for lon in (-179.99, 179.99):
            tile = tms.tile(lon, -17.05, zoom)
            view = tile_view(tms, tile.x, tile.y, tile.z, 2048 if zoom == 3 else None)
            assert view is not None
            drawn = draw(rasters, item.assets["mask"], view)
            check(drawn, scene, item, view)
            half = slice(0, view.width // 2) if lon < 0 else slice(view.width // 2, None)
            seen.append(bool(np.any(drawn[:, half])) if isinstance(drawn, np.ndarray) else False)
        assert seen == [True, True], zoom
