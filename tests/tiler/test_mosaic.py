"""Mosaics against brute force: which Item is on top, and that nothing is left out unsaid."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import morecantile
import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from producer.storage import Storage
from tests.tiler.scenes import Scene, catalogue, landscape, store_scene
from tests.tiler.test_tiles import pixels, raw
from tiler.app import create_app

pytestmark = [
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
    pytest.mark.filterwarnings("ignore::morecantile.errors.PointOutsideTMSBounds"),
]

MOSAIC = "/collections/mosaic"
TMS = morecantile.tms.get("WebMercatorQuad")
FIRST_DAY = datetime(2024, 6, 1, 10, tzinfo=UTC)


def half(seed: int, *, left: bool) -> NDArray[np.uint8]:
    """Give a mask that holds data on one side only, as at the edge of an orbit."""
    classes = landscape(768, 768, seed)
    classes[classes == 0] = 1
    columns = np.arange(768)
    classes[:, columns > 500 if left else columns < 250] = 0
    return classes


@pytest.fixture(scope="module")
def scenes(catalogued: Storage) -> dict[str, Scene]:
    """Two products of one tile and day, an older one, and the tile beside it."""
    base = Scene("west", 32633, 399960, 5900040, half(1, left=True), FIRST_DAY, "mosaic")
    clear, cloudy = {"eo:cloud_cover": 1.0}, {"eo:cloud_cover": 80.0}
    scenes = [
        replace(base, properties=cloudy),
        replace(
            base,
            id="east",
            classes=half(2, left=False),
            sensed=FIRST_DAY - timedelta(seconds=15),
            properties=cloudy,
        ),
        replace(
            base,
            id="older",
            classes=np.where(landscape(768, 768, 3) == 0, 1, landscape(768, 768, 3)).astype("u1"),
            sensed=FIRST_DAY - timedelta(days=5),
            properties=clear,
        ),
        replace(base, id="beside", west=base.west + 7680, classes=half(4, left=True)),
    ]
    catalogue(*(store_scene(scene, catalogued) for scene in scenes))
    return {scene.id: scene for scene in scenes}


@pytest.fixture(scope="module")
def client(scenes: dict[str, Scene]) -> Iterator[TestClient]:
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield client


def tiles(zoom: int) -> list[str]:
    box = (13.5, 53.17, 13.72, 53.24)
    return [f"tiles/WebMercatorQuad/{t.z}/{t.x}/{t.y}" for t in TMS.tiles(*box, [zoom])]


def laid(client: TestClient, tile: str, order: tuple[str, ...]) -> NDArray[np.uint8]:
    result = np.zeros((256, 256), np.uint8)
    for name in order:
        path = f"{MOSAIC}/items/{name}/{tile}.pngraw"
        answer = client.get(path)
        if answer.status_code == 200:
            result = np.where(result == 0, raw(client, path.removesuffix(".pngraw")), result)
    return result


@pytest.mark.parametrize("zoom", [9, 11, 13])
@pytest.mark.parametrize(
    ("query", "order"),
    [
        ({}, ("beside", "west", "east", "older")),
        ({"sortby": "eo:cloud_cover,-datetime"}, ("beside", "older", "west", "east")),
        ({"sortby": "+datetime"}, ("older", "east", "west", "beside")),
        ({"datetime": "2024-06-01T00:00:00Z/2024-06-02T00:00:00Z"}, ("beside", "west", "east")),
        ({"datetime": "../2024-05-30T00:00:00Z"}, ("older",)),
        ({"ids": "east"}, ("east",)),
    ],
)
def test_a_mosaic_is_its_items_in_their_order_without_holes(
    client: TestClient, zoom: int, query: dict[str, str], order: tuple[str, ...]
) -> None:
    if "eo:cloud_cover" in query.get("sortby", ""):
        # pgstac sorts what says nothing last; the tile beside touches none of the others.
        order = ("older", "west", "east", "beside")
    seen = 0
    for tile in tiles(zoom):
        # From the endpoint, then from memory.
        for _ in range(2):
            drawn = raw(client, f"{MOSAIC}/{tile}", **query)
            assert np.array_equal(drawn, laid(client, tile, order)), tile
        seen += int((drawn > 0).sum())
    assert seen > 50


def test_a_registered_search_is_a_mosaic_in_its_own_order(client: TestClient) -> None:
    search = {
        "collections": ["mosaic"],
        "sortby": [{"field": "datetime", "direction": "asc"}],
        "filter": {"op": "<", "args": [{"property": "eo:cloud_cover"}, 50]},
        "filter-lang": "cql2-json",
    }
    key = client.post("/searches/register", json=search).json()["id"]
    for tile in tiles(12):
        drawn = raw(client, f"/searches/{key}/{tile}")
        assert np.array_equal(drawn, laid(client, tile, ("older",)))


def test_the_item_of_least_cloud_can_lie_on_top(client: TestClient) -> None:
    newest = {"collections": ["mosaic"], "sortby": [{"field": "datetime", "direction": "desc"}]}
    key = client.post("/searches/register", json=newest).json()["id"]
    differs = False
    for tile in tiles(12):
        wanted = laid(client, tile, ("older", "west", "east", "beside"))
        for base in (MOSAIC, f"/searches/{key}"):
            for _ in range(2):
                drawn = raw(client, f"{base}/{tile}", pixel_selection="least_cloud")
                assert np.array_equal(drawn, wanted)
            differs |= not np.array_equal(raw(client, f"{base}/{tile}"), wanted)
    assert differs
    tilejson = client.get(
        f"{MOSAIC}/WebMercatorQuad/tilejson.json", params={"pixel_selection": "least_cloud"}
    ).json()
    assert "pixel_selection=least_cloud" in tilejson["tiles"][0]
    bad = client.get(f"{MOSAIC}/{tiles(12)[0]}.png", params={"pixel_selection": "median"})
    assert bad.status_code == 422


def test_a_filter_chooses_items(client: TestClient) -> None:
    tile = tiles(11)[0]
    query = {"filter": '"eo:cloud_cover" < 50'}
    assert np.array_equal(raw(client, f"{MOSAIC}/{tile}", **query), laid(client, tile, ("older",)))
    for bad in ("((", "DROP TABLE items"):
        answer = client.get(f"{MOSAIC}/{tile}.png", params={"filter": bad})
        assert (answer.status_code, "no CQL2" in answer.text) == (400, True)


def test_a_map_writes_nothing_to_the_database(client: TestClient) -> None:
    before = client.get("/searches/list?limit=1000").json()["context"]["matched"]
    for day in range(1, 5):
        query = {"datetime": f"2024-05-0{day}T00:00:00Z/.."}
        assert client.get(f"{MOSAIC}/{tiles(11)[0]}.png", params=query).status_code == 200
    assert client.get("/searches/list?limit=1000").json()["context"]["matched"] == before


def test_what_is_hidden_or_left_out_is_said(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = [client.get(f"{MOSAIC}/{tile}.png").headers["nimbostac-items"] for tile in tiles(13)]
    assert all("left-out=0" in count for count in counts)
    assert any("hidden=1" in count for count in counts), counts
    monkeypatch.setattr("tiler.mosaic.MOST_ITEMS", 1)
    with TestClient(create_app()) as narrow:
        said = narrow.get(f"{MOSAIC}/{tiles(10)[0]}.png").headers["nimbostac-items"]
    assert "left-out=more" in said


def test_classes_that_are_not_shown_hide_what_lies_beneath(client: TestClient) -> None:
    tile = tiles(12)[0]
    whole = raw(client, f"{MOSAIC}/{tile}")
    some = raw(client, f"{MOSAIC}/{tile}", classes="cloud")
    assert np.array_equal(some, np.where(whole == 4, whole, 0))


def test_a_place_without_items_is_an_empty_tile(client: TestClient) -> None:
    for _ in range(2):
        answer = client.get(f"{MOSAIC}/tiles/WebMercatorQuad/8/10/10.png")
        assert (answer.status_code, len(answer.content) < 300) == (200, True)


def test_a_mosaic_tile_has_an_etag_that_changes_with_its_items(
    client: TestClient, scenes: dict[str, Scene], catalogued: Storage
) -> None:
    path = f"{MOSAIC}/{tiles(12)[0]}.png"
    etags = {client.get(path).headers["etag"] for _ in range(3)}
    assert len(etags) == 1
    etag = etags.pop()
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    newer = replace(scenes["older"], id="newest", sensed=FIRST_DAY + timedelta(days=1))
    catalogue(store_scene(newer, catalogued))
    with TestClient(create_app()) as fresh:
        assert fresh.get(path).headers["etag"] != etag


def test_a_map_of_a_continent_shows_every_place(client: TestClient, catalogued: Storage) -> None:
    classes = np.full((768, 768), 4, np.uint8)
    places = [
        Scene(f"far-{x}-{y}", 32633, 299960 + x * 109800, 5300040 + y * 109800, classes)
        for x in range(3)
        for y in range(3)
    ]
    catalogue(*(store_scene(replace(p, collection="europe"), catalogued) for p in places))
    for zoom in (3, 4, 5, 6):
        box = (10.0, 46.0, 18.0, 51.0)
        drawn = 0
        for tile in TMS.tiles(*box, [zoom]):
            path = f"/collections/europe/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}"
            drawn += int((raw(client, path) == 4).sum())
        pixel_m = 156543 / 2**zoom
        wanted = 9 * (7680 / 0.66 / pixel_m) ** 2
        assert 0.4 * wanted < drawn < 1.8 * wanted


def test_a_wmts_steps_through_the_days(client: TestClient) -> None:
    answer = client.get(f"{MOSAIC}/WMTSCapabilities.xml")
    root = ET.fromstring(answer.content)
    names = {"w": "http://www.opengis.net/wmts/1.0", "o": "http://www.opengis.net/ows/1.1"}
    layers = {
        layer.findtext("o:Identifier", namespaces=names): layer
        for layer in root.iterfind("w:Contents/w:Layer", names)
    }
    layer = next(each for name, each in layers.items() if name and name.endswith("_by_day"))
    dimension = layer.find("w:Dimension", names)
    assert dimension is not None
    assert dimension.findtext("o:Identifier", namespaces=names) == "TIME"
    days = [value.text for value in dimension.iterfind("w:Value", names)]
    assert "2024-05-27" in days
    assert days == sorted(days, reverse=True)
    template = layer.find("w:ResourceURL", names).get("template", "")  # type: ignore[union-attr]
    tile = TMS.tile(13.55, 53.2, 12)
    for name, value in {"TileMatrix": 12, "TileCol": tile.x, "TileRow": tile.y}.items():
        template = template.replace(f"{{{name}}}", str(value))
    address = template.replace("{TIME}", "2024-05-27").replace(".png", ".pngraw")
    drawn = pixels(client.get(address).content)
    path = f"tiles/WebMercatorQuad/12/{tile.x}/{tile.y}"
    assert np.array_equal(drawn, laid(client, path, ("older",)))
    assert len(layers) > 1


def test_footprints_are_vector_tiles(client: TestClient, scenes: dict[str, Scene]) -> None:
    tile = TMS.tile(13.55, 53.2, 8)
    path = f"/footprints/{tile.z}/{tile.x}/{tile.y}.pbf"
    answer = client.get(path, params={"collections": "mosaic"})
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    for name in scenes:
        assert name.encode() in answer.content
    older = client.get(path, params={"collections": "mosaic", "datetime": "2024-05-27"}).content
    assert (b"older" in older, b"beside" in older) == (True, False)
    clear = client.get(path, params={"collections": "mosaic", "filter": '"eo:cloud_cover" < 50'})
    assert (b"older" in clear.content, b"east" in clear.content) == (True, False)
    whole = client.get("/footprints/0/0/0.pbf", params={"collections": "mosaic"}).content
    # Far smaller than a pixel there, and still a point; the newest stands for its place.
    assert b"west" in whole or b"beside" in whole
    far = {"collections": "mosaic", "sortby": "+datetime"}
    each = client.get("/footprints/0/0/0.pbf", params=far).content
    assert all(name.encode() in each for name in scenes)
    assert client.get("/footprints/8/10/10.pbf").content == b""
    assert client.get("/footprints/2/9/9.pbf").content == b""
