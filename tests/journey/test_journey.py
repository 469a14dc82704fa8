"""From a SAFE folder to the colour of a pixel in a browser, through everything that is real."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import rasterio
from defusedxml.ElementTree import fromstring
from numpy.typing import NDArray
from rasterio.warp import transform

from producer.classes import CLASSES
from tests import products
from tests.journey.conftest import ENGINE
from tests.stacks import Stack

COLLECTION = f"{ENGINE}-l1c"
# A PNG has no place on the ground.
pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
_TILE_PX = 256
_EARTH_M = 20037508.342789244


@pytest.fixture(scope="module")
def item(running_stack: Stack, outcome: dict[str, Any]) -> dict[str, Any]:
    """The Item, found as an analyst would: by place, day and cloud."""
    cover = outcome["cloud_cover"]
    found = httpx.post(
        f"{running_stack.status()['stac']}/search",
        json={
            "collections": [COLLECTION],
            "bbox": [20, 50, 35, 65],
            "datetime": "2023-05-09T00:00:00Z/2023-05-10T00:00:00Z",
            "filter-lang": "cql2-json",
            "filter": {
                "op": "between",
                "args": [{"property": "eo:cloud_cover"}, cover - 0.01, cover + 0.01],
            },
        },
        timeout=120,
    ).json()
    (only,) = found["features"]
    return dict(only)


def get(address: str) -> httpx.Response:
    return httpx.get(address, timeout=120)


def links(item: dict[str, Any]) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in item["links"]}


def test_a_product_is_masked_stored_and_found(
    outcome: dict[str, Any], item: dict[str, Any], running_stack: Stack
) -> None:
    assert outcome["state"] == "published"
    assert item["id"] == products.NEW_L1C
    with rasterio.open(mask_file(running_stack)) as mask:
        values = mask.read(1)
    valid = np.isin(values, [1, 2, 3, 4]).sum()
    cloud = np.isin(values, [3, 4]).sum()
    assert item["properties"]["eo:cloud_cover"] == pytest.approx(100 * cloud / valid, abs=0.01)


def test_asking_again_changes_nothing(
    outcome: dict[str, Any], running_stack: Stack, product: Path
) -> None:
    again = running_stack.run("backfill", str(product), "--engine", ENGINE, "--json")
    assert json.loads(again.stdout.splitlines()[-1])["state"] == "unchanged"


def test_a_pixel_of_a_tile_has_the_colour_of_the_class_in_the_mask(
    item: dict[str, Any], running_stack: Stack
) -> None:
    zoom, column, row = tile_at(item, 14)
    span = 2 * _EARTH_M / 2**zoom
    drawn = picture(get(filled(links(item)["xyz"], z=zoom, x=column, y=row)).content)

    # Where each pixel's centre lies in the mask, by another way than the tile server's.
    step = span / _TILE_PX
    xs = -_EARTH_M + column * span + (np.arange(_TILE_PX) + 0.5) * step
    ys = _EARTH_M - row * span - (np.arange(_TILE_PX) + 0.5) * step
    grid_x, grid_y = (axis.ravel() for axis in np.meshgrid(xs, ys))
    with rasterio.open(mask_file(running_stack)) as mask:
        values = mask.read(1)
        eastings, northings = transform("EPSG:3857", mask.crs, grid_x, grid_y)
        columns, rows = ~mask.transform @ (np.array(eastings), np.array(northings))
    rows, columns = rows.astype(int), columns.astype(int)
    inside = (rows >= 1) & (rows < values.shape[0] - 1)
    inside &= (columns >= 1) & (columns < values.shape[1] - 1)
    # Nearest may fall on either side of an edge between two classes; away from edges it may not.
    plain = inside & uniform(values)[rows.clip(0, 479), columns.clip(0, 479)]
    wanted = colors()[values[rows[plain], columns[plain]]]
    assert plain.sum() > _TILE_PX * _TILE_PX / 4
    assert len(np.unique(values[rows[plain], columns[plain]])) > 1
    np.testing.assert_array_equal(drawn.reshape(-1, 4)[plain], wanted)


def test_the_wmts_address_leads_to_the_same_tiles(item: dict[str, Any]) -> None:
    (link,) = (link for link in item["links"] if link["rel"] == "wmts")
    names = {"wmts": "http://www.opengis.net/wmts/1.0", "ows": "http://www.opengis.net/ows/1.1"}
    capabilities = fromstring(get(link["href"]).content)
    (template,) = (
        layer.find("wmts:ResourceURL", names).attrib["template"]
        for layer in capabilities.iterfind(".//wmts:Layer", names)
        if layer.find("ows:Identifier", names).text == link["wmts:layer"]
    )
    z, x, y = tile_at(item, 13)
    by_wmts = get(filled(template, TileMatrix=z, TileCol=x, TileRow=y))
    assert by_wmts.headers["content-type"] == "image/png", by_wmts.text
    by_xyz = get(filled(links(item)["xyz"], z=z, x=x, y=y))
    np.testing.assert_array_equal(picture(by_wmts.content), picture(by_xyz.content))


def test_the_mask_is_read_by_gdal_over_http(item: dict[str, Any], running_stack: Stack) -> None:
    with (
        rasterio.open(f"/vsicurl/{item['assets']['mask']['href']}") as served,
        rasterio.open(mask_file(running_stack)) as stored,
    ):
        assert served.profile == stored.profile
        np.testing.assert_array_equal(served.read(1), stored.read(1))


def test_pictures_of_the_mask_are_there(item: dict[str, Any]) -> None:
    thumbnail = get(item["assets"]["thumbnail"]["href"])
    assert picture(thumbnail.content).shape[2] == 4
    preview = get(links(item)["preview"])
    assert preview.headers["content-type"] == "image/png", preview.text
    assert get(links(item)["map"]).headers["content-type"].startswith("text/html")


def mask_file(running: Stack) -> Path:
    (found,) = (running.home / "masks").rglob(f"{products.NEW_L1C}_{ENGINE}-*[0-9].tif")
    return found


def picture(data: bytes) -> NDArray[np.uint8]:
    """Read a PNG as (row, column, RGBA), its palette applied."""
    with rasterio.MemoryFile(BytesIO(data)) as memory, memory.open() as opened:
        bands = opened.read()
        if opened.count != 1:
            return np.moveaxis(bands, 0, -1)
        palette = opened.colormap(1)
        table = np.array([palette.get(value, (0, 0, 0, 0)) for value in range(256)], np.uint8)
        return table[bands[0]]


def colors() -> NDArray[np.uint8]:
    return np.array([info.color for info in CLASSES], np.uint8)


def uniform(values: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell of each pixel whether all around it are of its class."""
    same = np.zeros(values.shape, bool)
    middle = values[1:-1, 1:-1]
    same[1:-1, 1:-1] = np.logical_and.reduce(
        [
            values[1 + down : values.shape[0] - 1 + down, 1 + right : values.shape[1] - 1 + right]
            == middle
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        ]
    )
    return same


def tile_at(item: dict[str, Any], zoom: int) -> tuple[int, int, int]:
    """Give the tile at the centre of an Item as (zoom, column, row)."""
    west, south, east, north = item["bbox"]
    centre = [(west + east) / 2], [(south + north) / 2]
    (x,), (y,) = transform("EPSG:4326", "EPSG:3857", *centre)
    span = 2 * _EARTH_M / 2**zoom
    return zoom, int((x + _EARTH_M) / span), int((_EARTH_M - y) / span)


def filled(template: str, **values: int) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", str(value))
    return template
