"""The application: every route of titiler-pgstac answers, and no address of a client is opened."""

import importlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from producer.storage import Storage
from tests.tiler.scenes import COLLECTION, Scene, catalogue, store_scene
from tiler.app import create_app, lifespan
from tiler.settings import TilerSettings

ITEM = f"/collections/{COLLECTION}/items/S2A_TEST"
MOSAIC = f"/collections/{COLLECTION}"
TILE = "tiles/WebMercatorQuad/13/4405/2661"
BOX = "13.55,53.15,13.6,53.2"
FEATURE = {
    "type": "Feature",
    "properties": {},
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[13.55, 53.15], [13.6, 53.15], [13.6, 53.2], [13.55, 53.15]]],
    },
}

# TiTiler's own pages warn of what pyproj loses in a PROJ string.
pytestmark = [
    pytest.mark.filterwarnings("ignore:You will likely lose important projection"),
    # Not every tiling scheme covers every place.
    pytest.mark.filterwarnings("ignore::morecantile.errors.PointOutsideTMSBounds"),
]


def operations(app: FastAPI) -> set[tuple[str, str]]:
    paths = app.openapi()["paths"]
    return {(method, path) for path, methods in paths.items() for method in methods}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def stock_app(monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    # These two open what a client names, or an asset that is no raster of ours; off by default.
    monkeypatch.setenv("TITILER_PGSTAC_API_ENABLE_ASSETS_ENDPOINTS", "FALSE")
    monkeypatch.setenv("TITILER_PGSTAC_API_ENABLE_EXTERNAL_DATASET_ENDPOINTS", "FALSE")
    app: FastAPI = importlib.import_module("titiler.pgstac.main").app
    return app


def generic(path: str) -> str:
    for name in ("algorithmId", "algorithm_id"):
        path = path.replace(name, "algorithm")
    return path


def test_every_route_of_titiler_pgstac_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    stock = {(method, generic(path)) for method, path in operations(stock_app(monkeypatch))}
    ours = {(method, generic(path)) for method, path in operations(create_app())}
    assert len(stock) > 70
    assert stock - ours == set()


SINGLE = (
    "/",
    "/?f=html",
    "/conformance",
    "/conformance?f=html",
    "/api",
    "/api.html",
    "/healthz",
    "/healthz/ready",
    "/tileMatrixSets",
    "/tileMatrixSets/WebMercatorQuad",
    "/colorMaps",
    "/colorMaps/classes",
    "/colorMaps/classes?f=png",
    "/algorithms",
    "/legend.json",
    "/legend.png",
    "/legend.svg",
    "/searches/",
    "/searches/list",
)
SHARED = (
    "/info",
    "/tiles",
    "/tiles?f=html",
    "/tiles/WebMercatorQuad",
    f"/{TILE}",
    *(f"/{TILE}.{kind}" for kind in ("png", "webp", "npy", "tif", "tiff", "pngraw", "jpg", "jp2")),
    f"/{TILE}.png?tilesize=512",
    "/WebMercatorQuad/tilejson.json",
    "/WebMercatorQuad/map.html",
    "/WMTSCapabilities.xml",
    "/point/13.6,53.2",
    f"/bbox/{BOX}.png",
    f"/bbox/{BOX}/64x64.webp",
)
ONLY_ITEM = (
    "/info.geojson",
    "/assets",
    "/asset_statistics",
    "/statistics",
    "/preview",
    "/preview.png",
    "/preview/100x100.png",
    "/renders",
    "/renders/classes",
)
ONLY_MOSAIC = (f"/bbox/{BOX}/assets", "/point/13.6,53.2/assets", f"/{TILE}/assets")


def test_every_route_answers(client: TestClient) -> None:
    search = client.post("/searches/register", json={"collections": [COLLECTION]}).json()["id"]
    paths = [
        *SINGLE,
        *(ITEM + path for path in (*SHARED, *ONLY_ITEM)),
        *(MOSAIC + path for path in (*SHARED, *ONLY_MOSAIC)),
        *(f"/searches/{search}" + path for path in (*SHARED, *ONLY_MOSAIC)),
    ]
    answers = {path: client.get(path).status_code for path in paths}
    for base in (ITEM, MOSAIC, f"/searches/{search}"):
        for path in ("/feature", "/feature.png", "/feature/32x32.png", "/statistics"):
            answers[base + path] = client.post(base + path, json=FEATURE).status_code
    assert {path: status for path, status in answers.items() if status != 200} == {}


def test_links_of_a_registered_search_lead_somewhere(client: TestClient) -> None:
    links = client.post("/searches/register", json={"collections": [COLLECTION]}).json()["links"]
    assert {link["rel"] for link in links} == {"metadata", "tilejson", "map", "wmts"}
    for link in links:
        href = link["href"].replace("{tileMatrixSetId}", "WebMercatorQuad")
        assert client.get(href).status_code == 200


def test_statistics_count_the_classes(client: TestClient, scene: Scene) -> None:
    counted = client.get(f"{ITEM}/statistics?max_size=1024").json()["b1"]["histogram"]
    truth = [int((scene.classes == value).sum()) for value in range(1, 6)]
    assert counted == [truth, [1, 2, 3, 4, 5]]


def test_the_preview_is_drawn_in_its_own_colours(client: TestClient) -> None:
    statistics = client.get(f"{ITEM}/statistics?assets=preview").json()
    assert list(statistics) == ["b1", "b2", "b3"]
    assert client.get(f"{ITEM}/{TILE}.jpg?assets=preview").status_code == 200


def test_zooms_are_those_of_the_data(client: TestClient) -> None:
    tilejson = client.get(f"{ITEM}/WebMercatorQuad/tilejson.json").json()
    # 10 m at 53.2 degrees north are 16.7 m of Web Mercator; a pixel of zoom 13 has 19.1 m.
    assert (tilejson["minzoom"], tilejson["maxzoom"]) == (10, 13)
    assert client.get(f"{MOSAIC}/WebMercatorQuad/tilejson.json").json()["maxzoom"] == 14


@pytest.mark.parametrize("parameter", ["crs", "coord_crs", "dst_crs"])
@pytest.mark.parametrize("text", ["/etc/passwd", "http://127.0.0.1:9/", "+proj=utm +zone=33", "x"])
def test_a_coordinate_system_is_a_name_and_never_a_file_or_address(
    client: TestClient, parameter: str, text: str
) -> None:
    for path in ("/info.geojson", "/preview.png", f"/bbox/{BOX}.png", "/tiles"):
        answer = client.get(ITEM + path, params={parameter: text})
        assert answer.status_code == 400
        assert "names no coordinate system" in answer.json()["detail"]


@pytest.mark.parametrize(
    "name", ["EPSG:3857", "epsg:32633", "http://www.opengis.net/def/crs/EPSG/0/4326"]
)
def test_a_coordinate_system_can_be_named(client: TestClient, name: str) -> None:
    assert client.get(f"{ITEM}/info.geojson", params={"crs": name}).status_code == 200


def test_no_parameter_opens_an_address(client: TestClient) -> None:
    paths = client.app.openapi()["paths"]  # type: ignore[attr-defined]
    names = {
        parameter["name"]
        for methods in paths.values()
        for operation in methods.values()
        for parameter in operation.get("parameters", [])
    }
    assert not names & {"url", "path", "expression", "algorithm", "algorithm_params", "colormap"}
    for asset in ("/etc/passwd", "file:///etc/passwd", "metadata"):
        assert client.get(f"{ITEM}/info", params={"assets": asset}).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        f"{ITEM}/{TILE}.png?tilesize=100000",
        f"{ITEM}/preview/90000x90000.png",
        f"{ITEM}/bbox/{BOX}/90000x90000.png",
        f"{MOSAIC}/{TILE}.png?tilesize=100000",
    ],
)
def test_an_enormous_image_is_refused(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert "too large" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        f"/collections/{COLLECTION}/items/NONE/{TILE}.png",
        f"/collections/none/{TILE}.png",
        f"/searches/none/{TILE}.png",
        f"{ITEM}/tiles/WebMercatorQuad/13/0/0.png",
        f"{ITEM}/renders/none",
        "/nowhere",
    ],
)
def test_what_is_not_there_is_not_found_and_not_cached(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["detail"]


def test_an_answer_names_no_storage_address(client: TestClient, catalogued: Storage) -> None:
    secret = str(catalogued.folder).encode()
    for path in (*SHARED, *ONLY_ITEM):
        assert secret not in client.get(ITEM + path).content
    for path in (*SHARED, *ONLY_MOSAIC):
        assert secret not in client.get(MOSAIC + path).content


def test_a_mask_that_is_gone_is_an_error_that_says_no_more(
    client: TestClient, catalogued: Storage, scene: Scene
) -> None:
    lost = replace(scene, id="S2A_LOST", collection="lost")
    catalogue(store_scene(lost, catalogued))
    for cog in (catalogued.folder or Path()).rglob("S2A_LOST*.tif"):
        cog.unlink()
    answer = client.get(f"/collections/lost/items/S2A_LOST/{TILE}.png")
    assert answer.status_code == 500
    assert str(catalogued.folder) not in answer.text


@pytest.fixture
def mounted(scene: Scene) -> Iterator[TestClient]:
    inner = create_app()

    @asynccontextmanager
    async def both(_app: FastAPI) -> AsyncIterator[None]:
        async with lifespan(inner):
            yield

    outer = FastAPI(lifespan=both)
    outer.mount("/tiler", inner)
    with TestClient(outer, base_url="https://masks.example") as client:
        yield client


def test_mounted_its_links_say_where(mounted: TestClient) -> None:
    base = "https://masks.example/tiler"
    tilejson = mounted.get(f"/tiler{ITEM}/WebMercatorQuad/tilejson.json").json()
    assert tilejson["tiles"][0].startswith(f"{base}{ITEM}/tiles/")
    assert f"{base}{ITEM}/tiles/" in mounted.get(f"/tiler{ITEM}/WMTSCapabilities.xml").text
    for link in mounted.get("/tiler/").json()["links"]:
        assert link["href"].startswith(base)
        if not link.get("templated"):
            assert mounted.get(link["href"]).status_code == 200
    registered = mounted.post("/tiler/searches/register", json={"collections": [COLLECTION]})
    for link in registered.json()["links"]:
        assert link["href"].startswith(f"{base}/searches/")
    assert mounted.get(f"/tiler{ITEM}/{TILE}.png").status_code == 200


def test_it_is_alive_but_not_ready_without_its_database(
    catalogued: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    with TestClient(create_app(TilerSettings(db_timeout_s=0.2))) as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/healthz/ready")
        assert (ready.status_code, ready.headers["cache-control"]) == (503, "no-store")
        assert client.get(f"{ITEM}/{TILE}.png").status_code == 503


def test_it_is_not_ready_before_pgstac_is_migrated(
    catalogued: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATABASE", "template1")
    with TestClient(create_app()) as client:
        ready = client.get("/healthz/ready")
        assert ready.status_code == 503
        assert "nimbostac migrate" in ready.json()["detail"]
