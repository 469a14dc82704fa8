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


@np.errstate(invalid="ignore")
def oracle(path: str, scene: Scene, view: View) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Give the classes of a view, and where they may lie on either side of an edge."""
    xs, ys = np.meshgrid(
        view.left + (np.arange(view.width) + 0.5) * view.dx,
        view.top - (np.arange(view.height) + 0.5) * view.dy,
    )
    to_utm = Transformer.from_crs(view.crs, scene.epsg, always_xy=True)
    east, north = to_utm.transform(xs, ys)
    # PROJ projects the other side of the world too; no pixel there belongs to the mask.
    back_x, back_y = Transformer.from_crs(scene.epsg, view.crs, always_xy=True).transform(
        east, north
    )
    off_x, off_y = back_x - xs, np.abs(back_y - ys)
    if view.period:
        off_x = (off_x + view.period / 2) % view.period - view.period / 2
    away = ~((np.abs(off_x) < view.dx / 9) & (off_y < view.dy / 9))
    away |= ~np.isfinite(east)
    east, north = np.where(away, 1e9, east), np.where(away, 1e9, north)
    level = overview(path, view, east, north, away)
    options = {} if level < 0 else {"overview_level": level}
    with rasterio.open(path, **options) as raster:
        classes = raster.read(1)
        columns, rows = ~raster.transform @ (east, north)
    columns, rows = np.where(away, -9, columns), np.where(away, -9, rows)
    height, width = classes.shape
    padded = np.pad(classes, 1)
    x = np.clip(np.floor(columns).astype(int), -1, width) + 1
    y = np.clip(np.floor(rows).astype(int), -1, height) + 1
    near = np.minimum(np.abs(columns - np.round(columns)), np.abs(rows - np.round(rows)))
    return padded[y, x], near <= EDGE_PX


def overview(
    path: str,
    view: View,
    east: NDArray[np.float64],
    north: NDArray[np.float64],
    away: NDArray[np.bool_],
) -> int:
    """Choose by the true size of the pixels of the view, where the mask is."""
    with rasterio.open(path) as raster:
        left, bottom, right, top = raster.bounds
        factors = [1, *raster.overviews(1)]
        sizes = [raster.width // 1]
        for number in range(len(factors) - 1):
            with rasterio.open(path, overview_level=number) as smaller:
                sizes.append(smaller.width)
        resolution = raster.res[0]
    centre = np.array([(left + right) / 2, (bottom + top) / 2])
    distance = np.where(away, np.inf, np.hypot(east - centre[0], north - centre[1]))
    y, x = np.unravel_index(np.argmin(distance), distance.shape)
    y, x = min(y, east.shape[0] - 2), min(x, east.shape[1] - 2)
    across = np.hypot(east[y, x + 1] - east[y, x], north[y, x + 1] - north[y, x])
    down = np.hypot(east[y + 1, x] - east[y, x], north[y + 1, x] - north[y, x])
    scale = min(across, down) / resolution
    return max(i for i, size in enumerate(sizes) if sizes[0] / size <= max(scale * 1.2, 1)) - 1


def check(drawn: NDArray[np.uint8] | int | None, scene: Scene, item: StoredItem, view: View) -> int:
    path = item.assets["mask"].href.removeprefix("file://")
    wanted, unsure = oracle(path, scene, view)
    got = drawn if isinstance(drawn, np.ndarray) else np.full(wanted.shape, drawn or 0)
    wrong = (got != wanted) & ~unsure
    assert wrong.sum() == 0, f"{wrong.sum()} of {wrong.size} pixels, {np.argwhere(wrong)[:3]}"
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
        around = [tile] if zoom < 9 or zoom > 13 else [tile, *tms.neighbors(tile)]
        for each in around:
            view = tile_view(tms, each.x, each.y, each.z, None)
            assert view is not None
            drawn = draw(rasters, item.assets["mask"], view)
            seen += check(drawn, scene, item, view)
    assert seen > 100_000
