"""Products in STAC APIs: our own catalogue, and servers with the manners of others."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from ingest.errors import SourceRefusedError, SourceUnreachableError
from ingest.filters import Filters, Reason, area_of_bbox
from ingest.sources import stac_api
from ingest.sources.layout import Layout
from ingest.sources.stac_api import StacApiSource
from producer.storage import Storage
from tests import records, servers
from tests.ingest.sources.listings import everything, lay_out, name, one_page_a_process, place

NAMES = [name(day) for day in range(7)]
ROOT = "s3://eodata/Sentinel-2/MSI"


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    port = servers.free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        servers.wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


class Api:
    """A STAC API whose pages are numbers; it can forget them, or fall silent."""

    def __init__(self, features: list[dict[str, Any]], page: int = 2) -> None:
        self.features = features
        self.page = page
        self.epoch = 0
        self.status = 200
        self.asked: list[dict[str, Any]] = []
        self.app = FastAPI()
        self.app.get("/")(self.landing)
        self.app.post("/search")(self.search)

    def landing(self, request: Request) -> dict[str, Any]:
        base = str(request.base_url)
        return {
            "type": "Catalog",
            "id": "api",
            "stac_version": "1.0.0",
            "description": "A STAC API",
            "conformsTo": [
                "https://api.stacspec.org/v1.0.0/core",
                "https://api.stacspec.org/v1.0.0/item-search",
            ],
            "links": [
                {"rel": "self", "href": base},
                {"rel": "root", "href": base},
                {
                    "rel": "search",
                    "href": f"{base}search",
                    "type": "application/geo+json",
                    "method": "POST",
                },
            ],
        }

    async def search(self, request: Request) -> JSONResponse:
        body = await request.json()
        self.asked.append(body)
        if self.status != 200:
            return JSONResponse({"detail": "not now"}, self.status)
        epoch, start = body.get("token", [self.epoch, 0])
        if epoch != self.epoch:
            return JSONResponse({"detail": "no such token"}, 400)
        end = start + self.page
        token = {"token": [self.epoch, end]}
        href = f"{request.base_url}search"
        following = {"rel": "next", "href": href, "method": "POST", "body": token, "merge": True}
        more = end < len(self.features)
        found = {"type": "FeatureCollection", "features": self.features[start:end]}
        return JSONResponse({**found, "links": [following] if more else []})


def feature(product: str, /, **assets: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": product,
        "geometry": None,
        "properties": {"eo:cloud_cover": 10},
        "assets": {key: {"href": href} for key, href in assets.items()},
    }


def inside(product: str) -> dict[str, Any]:
    return feature(product, manifest=f"{ROOT}/{place(product)}/manifest.safe")


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api([inside(product) for product in NAMES])
    with serving(made.app) as address:
        made.url = address  # type: ignore[attr-defined]
        yield made


def url(api: Api) -> str:
    return str(api.url)  # type: ignore[attr-defined]


def test_a_listing_that_dies_after_every_page_loses_nothing(api: Api) -> None:
    pages = list(one_page_a_process(StacApiSource(url(api))))
    assert [len(page.candidates) for page in pages] == [2, 2, 2, 1]
    assert [one.product for page in pages for one in page.candidates] == NAMES
    assert [one.product for one in everything(StacApiSource(url(api)))[0]] == NAMES


def test_what_is_wanted_is_asked_for(api: Api) -> None:
    filters = Filters(start=date(2020, 5, 2), end=date(2020, 5, 3), tiles=frozenset({"33UUU"}))
    everything(StacApiSource(url(api), ["sentinel-2-l1c"]), filters)
    asked = api.asked[0]
    assert asked["collections"] == ["sentinel-2-l1c"]
    assert asked["datetime"] == "2020-05-02T00:00:00Z/2020-05-03T23:59:59Z"
    assert asked["intersects"]["type"] == "Polygon"
    api.asked.clear()
    everything(StacApiSource(url(api)), Filters(area=area_of_bbox(170, 50, -170, 60)))
    assert asked["limit"] == api.asked[0]["limit"]
    assert api.asked[0]["intersects"]["type"] == "MultiPolygon"
    assert all(body["limit"] == asked["limit"] for body in api.asked)


def test_a_page_that_the_server_has_forgotten_begins_the_listing_anew(api: Api) -> None:
    source = StacApiSource(url(api))
    first = next(source.pages(Filters()))
    api.epoch = 1
    rest, _ = everything(source, cursor=first.cursor)
    assert [one.product for one in rest] == NAMES
    with pytest.raises(SourceRefusedError, match="400"):
        _list_from_a_forgetful(api, first.cursor)


def _list_from_a_forgetful(api: Api, cursor: str | None) -> None:
    for api.epoch in range(10, 20):
        cursor = next(StacApiSource(url(api)).pages(Filters(), cursor)).cursor


def test_a_server_that_fails_may_answer_later_and_one_that_refuses_will_not(api: Api) -> None:
    source = StacApiSource(url(api))
    for status in (500, 503, 429):
        api.status = status
        with pytest.raises(SourceUnreachableError, match=str(status)):
            next(source.pages(Filters()))
    for status in (400, 401, 403):
        api.status = status
        with pytest.raises(SourceRefusedError, match=str(status)):
            next(source.pages(Filters()))
    with pytest.raises(SourceUnreachableError):
        next(StacApiSource(f"http://127.0.0.1:{servers.free_port()}").pages(Filters()))


def test_what_is_no_stac_api_is_an_error_for_good() -> None:
    app = FastAPI()
    app.get("/")(lambda: {"hello": "world"})
    with serving(app) as address, pytest.raises(SourceRefusedError, match="no STAC API"):
        next(StacApiSource(address).pages(Filters()))


def test_products_are_found_by_the_addresses_of_assets() -> None:
    first, second, third, fourth, fifth = NAMES[:5]
    features = [
        # As the Copernicus Data Space has it: a download, a bucket beside it, files of the product.
        {
            **feature(first),
            "id": f"{first}.SAFE",
            "assets": {
                "thumbnail": {"href": "https://example/odata/Products(1)/Nodes(ql.jpg)/$value"},
                "Product": {"href": f"https://zipper.example/{first}.zip"},
                "safe_manifest": {
                    "href": f"https://web.example/{first}.SAFE/manifest.safe",
                    "alternate": {"s3": {"href": f"{ROOT}/{place(first)}/manifest.safe"}},
                },
            },
        },
        # As Earth Search has it: another id.
        {
            **feature("S2A_33UUU_20200502_0_L1C", product=f"/data/{second}.SAFE"),
            "properties": {"s2:product_uri": f"{second}.SAFE"},
        },
        feature(
            third,
            manifest=f"https://web.example/{third}.SAFE/manifest.safe",
            product=f"https://zipper.example/{third}.zip",
        ),
        feature(fourth, other=f"s3://eodata/{fifth}.SAFE/manifest.safe"),
        feature("S2A_MSI_nonsense", product="s3://eodata/what.SAFE"),
    ]
    api = Api(features, page=10)
    with serving(api.app) as address:
        found, skipped = everything(StacApiSource(address))
        assert {one.product: one.source for one in found} == {
            first: f"{ROOT}/{place(first)}",
            second: f"/data/{second}.SAFE",
            third: f"https://zipper.example/{third}.zip",
        }
        assert skipped == {Reason.NO_ADDRESS: 1, Reason.NO_PRODUCT: 1}
        assert {one.product: one.cloud_cover for one in found}[second] is None
        named, _ = everything(StacApiSource(address, asset="Product"))
        assert [one.source for one in named] == [f"https://zipper.example/{first}.zip"]


def test_masks_of_a_catalogue_lead_to_their_products_by_a_layout(
    pgstac: str, store: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog.app import create_app

    monkeypatch.setattr(stac_api, "_LIMIT", 2)
    days = [records.SENSED + timedelta(days=day) for day in range(5)]
    made = [records.stored_mask(store, sensed=day) for day in days]
    records.catalogued(store, *made)
    products = sorted(one.item for one in made)
    lay_out(tmp_path, *products[:4])
    with serving(create_app()) as address:
        source = StacApiSource(address, ["ukis-csmask-l1c"], layout=Layout(str(tmp_path)))
        pages = list(one_page_a_process(source))
        assert len(pages) >= 3
        found = {one.product: one for page in pages for one in page.candidates}
        assert sorted(found) == products[:4]
        assert sum(page.skipped.get(Reason.ABSENT, 0) for page in pages) == 1
        one = found[products[0]]
        assert one.source == str(tmp_path / "Sentinel-2/MSI" / place(one.product))
        assert one.geometry is not None
        assert one.cloud_cover is not None
        last, _ = everything(source, Filters(start=days[3].date()))
        assert [each.product for each in last] == [products[3]]
