"""Links of Items and Collections: what they lead to, from wherever the site is seen."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.catalog.conftest import COLLECTION
from tests.records import Stored

WEB_MAP_LINKS = "https://stac-extensions.github.io/web-map-links/v1.3.0/schema.json"


def _links(document: dict[str, Any]) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in document["links"]}


def _tile(bbox: list[float], zoom: int) -> dict[str, int]:
    """Web Mercator tile that holds the middle of a box."""
    west, south, east, north = bbox
    longitude, latitude = (west + east) / 2, math.radians((south + north) / 2)
    return {
        "x": int((longitude + 180) / 360 * 2**zoom),
        "y": int((1 - math.asinh(math.tan(latitude)) / math.pi) / 2 * 2**zoom),
        "z": zoom,
    }


def _site() -> FastAPI:
    """Mount the catalogue and the tile server as one site, as the one-process stack does."""
    from catalog import app as catalog
    from tiler import app as tiler

    parts = {"/stac": catalog, "/tiler": tiler}
    mounted = {path: module.create_app() for path, module in parts.items()}

    @asynccontextmanager
    async def lifespan(site: FastAPI) -> AsyncIterator[None]:
        async with (
            catalog.lifespan(mounted["/stac"]),
            tiler.lifespan(mounted["/tiler"]),
        ):
            yield

    site = FastAPI(lifespan=lifespan)
    for path, app in mounted.items():
        site.mount(path, app)
    return site


@pytest.mark.parametrize("way", ["item", "items", "GET", "POST"])
def test_an_item_has_the_same_links_however_it_is_found(
    client: TestClient, masks: list[Stored], way: str
) -> None:
    base, name = "http://testserver", masks[1].item
    path = f"collections/{COLLECTION}/items/{name}"
    found = {
        "item": lambda: client.get(f"/{path}").json(),
        "items": lambda: client.get(f"/{path.rpartition('/')[0]}").json()["features"][-2],
        "GET": lambda: client.get("/search", params={"ids": name}).json()["features"][0],
        "POST": lambda: client.post("/search", json={"ids": [name]}).json()["features"][0],
    }[way]()
    tiles = f"{base}/tiler/{path}"
    assert (
        _links(found).items()
        >= {
            "self": f"{base}/{path}",
            "collection": f"{base}/collections/{COLLECTION}",
            "tilejson": f"{tiles}/WebMercatorQuad/tilejson.json?assets=mask",
            "xyz": f"{tiles}/tiles/WebMercatorQuad/{{z}}/{{x}}/{{y}}.png?assets=mask",
            "wmts": f"{tiles}/WMTSCapabilities.xml?assets=mask",
            "preview": f"{tiles}/preview.png?assets=mask",
            "map": f"{base}/?collection={COLLECTION}&item={name}",
        }.items()
    )
    assert "derived_from" in _links(found)
    assert WEB_MAP_LINKS in found["stac_extensions"]
    assert all(link["href"].startswith(("http://", "s3://")) for link in found["links"])
    for asset in found["assets"].values():
        assert asset["href"].startswith(f"{base}/{path}/download/")


def test_a_collection_has_the_links_of_its_mosaic(client: TestClient) -> None:
    tiles = f"http://testserver/tiler/collections/{COLLECTION}"
    alone = client.get(f"/collections/{COLLECTION}").json()
    listed = client.get("/collections").json()["collections"][0]
    for found in (alone, listed):
        assert (
            _links(found).items()
            >= {
                "tilejson": f"{tiles}/WebMercatorQuad/tilejson.json?assets=mask",
                "wmts": f"{tiles}/WMTSCapabilities.xml?assets=mask",
                "map": f"http://testserver/?collection={COLLECTION}",
            }.items()
        )
        assert found["stac_extensions"].count(WEB_MAP_LINKS) == 1


def test_links_that_were_not_asked_for_are_not_made(client: TestClient) -> None:
    item = client.get("/search", params={"fields": "-links,-stac_extensions"}).json()["features"][0]
    assert not {"links", "stac_extensions"} & item.keys()
    assert item["assets"]["mask"]["href"].startswith("http://testserver/collections/")


# The tile server lists every tiling, those of the poles too.
@pytest.mark.filterwarnings("ignore:Point .* is outside TMS bounds")
def test_every_link_is_answered_by_the_mounted_site(
    environment: dict[str, str], masks: list[Stored]
) -> None:
    with TestClient(_site()) as client:
        page = client.get("/stac/").json()
        item = client.get(f"/stac/collections/{COLLECTION}/items/{masks[1].item}").json()
        collection = client.get(f"/stac/collections/{COLLECTION}").json()
        assert _links(item)["root"] == "http://testserver/stac/"
        assert _links(item)["tilejson"].startswith("http://testserver/tiler/collections/")
        # The map page is another part's, and the source product is nobody's here.
        elsewhere = {"map", "derived_from", "license", "about"}
        for link in [*page["links"], *item["links"], *collection["links"]]:
            if link["rel"] in elsewhere or link.get("method") == "POST":
                continue
            answer = client.get(link["href"].format(**_tile(item["bbox"], 13)))
            assert answer.status_code in (200, 204), (link, answer.text)
            assert answer.headers["content-type"].startswith(link["type"].partition(";")[0]), link
            if link["rel"] == "wmts":
                assert f"<ows:Identifier>{link['wmts:layer']}</ows:Identifier>" in answer.text
        for asset in item["assets"].values():
            assert client.head(asset["href"]).status_code == 200


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({}, "http://testserver"),
        ({"host": "masks.example:8443"}, "http://masks.example:8443"),
        ({"host": "[::1]:8080"}, "http://[::1]:8080"),
        ({"host": "masks.example:443", "x-forwarded-proto": "https"}, "https://masks.example"),
        (
            {"host": "masks.example:8443", "x-forwarded-proto": "https"},
            "https://masks.example:8443",
        ),
        (
            {
                "host": "10.0.0.1:8000",
                "x-forwarded-host": "masks.example",
                "x-forwarded-proto": "https",
                "x-forwarded-port": "443",
            },
            "https://masks.example",
        ),
        (
            {"x-forwarded-host": "masks.example, inner", "x-forwarded-port": "8080, 80"},
            "http://masks.example:8080",
        ),
        ({"x-forwarded-prefix": "/nimbostac/"}, "http://testserver/nimbostac"),
        (
            {"forwarded": 'for=1.2.3.4;host="masks.example:8443";proto=https, for=5.6.7.8'},
            "https://masks.example:8443",
        ),
        ({"forwarded": "for=1.2.3.4;proto=https"}, "https://testserver"),
        ({"x-forwarded-host": "evil/path?", "x-forwarded-proto": "gopher"}, "http://testserver"),
        ({"x-forwarded-prefix": "//evil.example"}, "http://testserver"),
    ],
    ids=str,
)
def test_addresses_are_those_that_the_client_sees(
    environment: dict[str, str], client: TestClient, headers: dict[str, str], base: str
) -> None:
    alone = client.get("/", headers=headers).json()
    assert _links(alone)["self"] == f"{base}/"
    assert _links(alone)["data"] == f"{base}/collections"
    assert _links(alone)["service-desc"] == f"{base}/api"
    page = client.get("/search", params={"limit": 1}, headers=headers).json()
    assert _links(page)["next"].startswith(f"{base}/search?limit=1&token=")
    item = page["features"][0]
    assert _links(item)["self"].startswith(f"{base}/collections/")


@pytest.mark.parametrize("prefix", ["", "/nimbostac"])
def test_below_a_mount_point_all_addresses_follow(
    environment: dict[str, str], masks: list[Stored], prefix: str
) -> None:
    headers = {"x-forwarded-prefix": prefix} if prefix else {}
    base = f"http://testserver{prefix}"
    with TestClient(_site(), headers=headers) as client:
        page = client.get("/stac/search", params={"limit": 1}).json()
        assert _links(page)["next"].startswith(f"{base}/stac/search?limit=1&token=")
        item = page["features"][0]
        path = f"collections/{COLLECTION}/items/{item['id']}"
        assert _links(item)["self"] == f"{base}/stac/{path}"
        assert _links(item)["preview"] == f"{base}/tiler/{path}/preview.png?assets=mask"
        assert _links(item)["map"].startswith(f"{base}/?collection=")
        assert item["assets"]["mask"]["href"].startswith(f"{base}/stac/{path}/download/")
        assert _links(client.get("/stac/").json())["service-desc"] == f"{base}/stac/api"


def test_the_parts_of_the_site_may_live_elsewhere(
    environment: dict[str, str], masks: list[Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.app import create_app

    monkeypatch.setenv("NIMBOSTAC_TILER_URL", "https://tiles.example/")
    monkeypatch.setenv("NIMBOSTAC_WEB_URL", "https://map.example/app")
    with TestClient(create_app()) as client:
        item = client.get(f"/collections/{COLLECTION}/items/{masks[0].item}").json()
    assert _links(item)["preview"].startswith("https://tiles.example/collections/")
    assert _links(item)["map"].startswith("https://map.example/app/?collection=")


def test_browsers_of_other_sites_may_call(
    client: TestClient, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.app import create_app

    origin = {"origin": "https://map.example"}
    asked = {**origin, "access-control-request-method": "POST"}
    allowed = client.options(
        "/search", headers={**asked, "access-control-request-headers": "content-type, range"}
    )
    assert allowed.status_code == 200
    answer = client.get("/", headers=origin)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Content-Range" in answer.headers["access-control-expose-headers"]
    monkeypatch.setenv("NIMBOSTAC_CORS_ORIGINS", "https://a.example, https://b.example")
    with TestClient(create_app()) as strict:
        assert "access-control-allow-origin" not in strict.get("/", headers=origin).headers
        friend = strict.get("/", headers={"origin": "https://b.example"})
        assert friend.headers["access-control-allow-origin"] == "https://b.example"
