"""What other programs rely on: OGC API Tiles, other origins, tiles for small pixels."""

from urllib.parse import unquote

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.tiler.scenes import COLLECTION
from tests.tiler.test_tiles import ITEM, TILE, raw
from tiler.app import create_app
from tiler.settings import TilerSettings

pytestmark = [
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
    pytest.mark.filterwarnings("ignore::morecantile.errors.PointOutsideTMSBounds"),
]

MOSAIC = f"/collections/{COLLECTION}"
# OGC 20-057, annex A; OGC 19-072 for the last.
CLASSES = {
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/png",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
}


def test_it_conforms_to_ogc_api_tiles(client: TestClient) -> None:
    said = client.get("/conformance").json()["conformsTo"]
    assert set(said) >= CLASSES
    landing = client.get("/").json()
    assert any(link["rel"].endswith("/tiling-schemes") for link in landing["links"])


@pytest.mark.parametrize("base", [ITEM, MOSAIC])
def test_from_the_list_of_tilesets_a_client_finds_its_way_to_a_tile(
    client: TestClient, base: str
) -> None:
    listed = client.get(f"{base}/tiles").json()["tilesets"]
    (mercator,) = (each for each in listed if "3857" in each["crs"] and "Quad" in each["title"])
    link = next(each["href"] for each in mercator["links"] if each["rel"] == "self")
    tileset = client.get(link).json()
    assert (tileset["dataType"], "3857" in tileset["crs"]) == ("map", True)
    scheme = next(each for each in tileset["links"] if each["rel"].endswith("tiling-scheme"))
    matrices = client.get(scheme["href"]).json()["tileMatrices"]
    assert {"13"} <= {matrix["id"] for matrix in matrices}
    template = unquote(next(each["href"] for each in tileset["links"] if each["rel"] == "tile"))
    for name, value in {"z": 13, "x": 4405, "y": 2661}.items():
        template = template.replace(f"{{{name}}}", str(value))
    answer = client.get(template)
    assert (answer.status_code, answer.headers["content-type"][:6]) == (200, "image/")
    assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/EPSG/0/3857>"


def test_pages_of_other_origins_may_ask_and_read_every_header(client: TestClient) -> None:
    origin = {"origin": "https://map.example"}
    for path in (f"{TILE}.png", f"{MOSAIC}/tiles/WebMercatorQuad/13/4405/2661.png", "/nowhere"):
        for _ in range(2):
            headers = client.get(path, headers=origin).headers
            assert headers["access-control-allow-origin"] == "*"
            assert headers["access-control-expose-headers"] == "*"
    asked = {**origin, "access-control-request-method": "POST"}
    assert client.options("/searches/register", headers=asked).status_code == 200
    narrow = TilerSettings(cors_origins=("https://friend.example",))
    with TestClient(create_app(narrow)) as strict:
        assert "access-control-allow-origin" not in strict.get("/", headers=origin).headers
        friend = strict.get("/", headers={"origin": "https://friend.example"})
        assert friend.headers["access-control-allow-origin"] == "https://friend.example"


@pytest.mark.parametrize("base", [ITEM, MOSAIC])
def test_a_map_may_ask_for_tiles_of_twice_the_size(client: TestClient, base: str) -> None:
    tile = f"{base}/tiles/WebMercatorQuad/13/4405/2661"
    for scale in (1, 2, 4):
        for query in ({}, {"classes": "cloud"}):
            wanted = raw(client, tile, tilesize=str(256 * scale), **query)
            drawn = raw(client, f"{tile}@{scale}x", **query)
            assert np.array_equal(drawn, wanted)
            assert drawn.shape == (256 * scale, 256 * scale)
    assert client.get(f"{tile}@2x").headers["content-type"].startswith("image/")
    assert client.get(f"{tile}@9x.png").status_code in {404, 422}
