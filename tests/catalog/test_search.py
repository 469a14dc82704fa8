"""Search as pystac-client, odc-stac and plain HTTP see it."""

import json
from typing import Any

import numpy as np
import odc.stac
import pystac
import pystac_client
import pytest
from fastapi.testclient import TestClient

from producer.classes import MaskClass
from tests.catalog.conftest import Server
from tests.records import Stored

COLLECTION = "ukis-csmask-l1c"
CLOUD_COVER = [0, 25, 50, 75, 100]


@pytest.fixture
def catalogue(server: Server) -> pystac_client.Client:
    return pystac_client.Client.open(server.address)


def _ids(search: pystac_client.ItemSearch) -> list[str]:
    return [item.id for item in search.items()]


def test_a_mask_is_found_where_it_lies_and_nowhere_else(
    catalogue: pystac_client.Client, masks: list[Stored]
) -> None:
    west, south, east, north = masks[0].record.source.footprint["coordinates"][0][0] * 2
    inside = [west - 0.01, south - 0.01, east + 0.01, north + 0.01]
    assert len(_ids(catalogue.search(collections=[COLLECTION], bbox=inside))) == 5
    outside = [west + 20, south - 0.01, west + 21, north]
    assert _ids(catalogue.search(collections=[COLLECTION], bbox=outside)) == []


def test_a_box_across_the_antimeridian_holds_both_sides_and_nothing_between(
    client: TestClient,
) -> None:
    def found(bbox: str) -> int:
        return len(client.get("/search", params={"bbox": bbox}).json()["features"])

    assert found("170,-80,-170,80") == 0
    assert found("170,-80,20,80") == 5
    assert found("5,-80,-170,80") == 5


def test_a_mask_is_found_by_the_time_it_was_taken(
    catalogue: pystac_client.Client, masks: list[Stored]
) -> None:
    search = catalogue.search(datetime="2020-05-02/2020-05-03")
    assert sorted(_ids(search)) == [masks[1].item, masks[2].item]


@pytest.mark.parametrize(
    "narrowed",
    [
        {"query": {"eo:cloud_cover": {"lt": 30}}},
        {"filter": {"op": "<", "args": [{"property": "eo:cloud_cover"}, 30]}},
        {"filter": '"eo:cloud_cover" < 30', "filter_lang": "cql2-text", "method": "GET"},
    ],
    ids=["query", "cql2-json", "cql2-text"],
)
def test_masks_are_narrowed_by_cloud_cover_and_sorted(
    catalogue: pystac_client.Client, masks: list[Stored], narrowed: dict[str, Any]
) -> None:
    search = catalogue.search(sortby="-properties.eo:cloud_cover", **narrowed)
    assert _ids(search) == [masks[1].item, masks[0].item]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("limit", [1, 2, 4])
def test_paging_gives_every_mask_once(
    catalogue: pystac_client.Client, masks: list[Stored], method: str, limit: int
) -> None:
    search = catalogue.search(limit=limit, method=method, sortby="-properties.eo:cloud_cover")
    pages = list(search.pages())
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert [item.id for page in pages for item in page] == [mask.item for mask in masks[::-1]]


def test_a_page_leads_back_to_the_one_before(client: TestClient, masks: list[Stored]) -> None:
    first = client.get("/search", params={"limit": 2}).json()
    links = {link["rel"]: link["href"] for link in first["links"]}
    second = client.get(links["next"]).json()
    back = {link["rel"]: link["href"] for link in second["links"]}
    again = client.get(back["previous"]).json()
    assert [item["id"] for item in again["features"]] == [item["id"] for item in first["features"]]


def test_every_item_is_valid_stac(catalogue: pystac_client.Client) -> None:
    items = list(catalogue.search(collections=[COLLECTION]).items())
    assert len(items) == 5
    for item in items:
        # The core schema comes with pystac; those of the extensions would have to be fetched.
        pystac.validation.validate_dict(
            item.to_dict(include_self_link=False, transform_hrefs=False) | {"stac_extensions": []}
        )


# odc-geo calls what shapely 2.2 is about to drop.
@pytest.mark.filterwarnings("ignore:The .shapely.ops.transform:DeprecationWarning")
def test_odc_stac_loads_the_mask_over_http(
    catalogue: pystac_client.Client, masks: list[Stored]
) -> None:
    item = next(catalogue.search(ids=[masks[2].item]).items())
    loaded = odc.stac.load([item], bands=["mask"])
    pixels = loaded["mask"].isel(time=0).to_numpy()
    half = len(pixels) // 2
    assert pixels.shape == (256, 256)
    assert np.all(pixels[:half] == MaskClass.CLOUD)
    assert np.all(pixels[half:] == MaskClass.CLEAR)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_only_the_fields_asked_for_are_sent(client: TestClient, method: str) -> None:
    if method == "GET":
        answer = client.get("/search", params={"fields": "properties.datetime,assets.mask.href"})
    else:
        fields = {"include": ["properties.datetime", "assets.mask.href"]}
        answer = client.post("/search", json={"fields": fields})
    item = answer.json()["features"][0]
    assert item["properties"].keys() == {"datetime"}
    assert item["assets"].keys() == {"mask"}
    assert item["assets"]["mask"].keys() == {"href"}
    assert item["assets"]["mask"]["href"].startswith("http://testserver/collections/")


def test_masks_and_collections_are_found_by_words(client: TestClient) -> None:
    for path, key in (("/search", "features"), ("/collections", "collections")):
        assert client.get(path, params={"q": "cloud"}).json()[key], path
        assert not client.get(path, params={"q": "volcano"}).json()[key], path


def test_collections_are_searched_too(client: TestClient) -> None:
    def found(**params: Any) -> list[str]:
        answer = client.get("/collections", params=params).json()
        return [collection["id"] for collection in answer["collections"]]

    assert found(bbox="10,48,20,55", sortby="-id") == [COLLECTION]
    assert found(datetime="1999-01-01T00:00:00Z") == []
    assert found(filter="id = 'ukis-csmask-l1c'") == [COLLECTION]
    limited = client.get("/collections", params={"fields": "id,title"}).json()
    assert limited["collections"][0].keys() == {"id", "title", "links"}


def test_queryables_name_what_the_masks_say(client: TestClient) -> None:
    for path in ("/queryables", f"/collections/{COLLECTION}/queryables"):
        answer = client.get(path)
        assert answer.headers["content-type"] == "application/schema+json"
        properties = answer.json()["properties"]
        assert properties["eo:cloud_cover"]["maximum"] == 100
        assert properties["nimbostac:clear"]["type"] == "number"


def test_the_landing_page_declares_what_works(client: TestClient) -> None:
    page = client.get("/").json()
    assert (page["id"], page["title"]) == ("nimbostac", "Nimbostac")
    declared = " ".join(page["conformsTo"])
    for extension in ("sort", "fields", "query", "free-text"):
        assert f"item-search#{extension}" in declared
        assert f"collection-search#{extension}" in declared
    assert "cql2-text" in declared
    assert "transaction" not in declared
    for link in page["links"]:
        if link["rel"] != "child" and link.get("method", "GET") == "GET":
            assert client.get(link["href"]).status_code == 200, link


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/collections"),
        ("PUT", f"/collections/{COLLECTION}"),
        ("DELETE", f"/collections/{COLLECTION}"),
        ("POST", f"/collections/{COLLECTION}/items"),
        ("DELETE", f"/collections/{COLLECTION}/items/x"),
    ],
)
def test_nothing_can_be_written(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    from catalog.app import create_app

    # The switch of another stac-fastapi in the same environment.
    monkeypatch.setenv("ENABLE_TRANSACTIONS_EXTENSIONS", "TRUE")
    with TestClient(create_app()) as client:
        assert client.request(method, path, json={}).status_code == 405


@pytest.mark.parametrize(
    "params",
    [
        {"bbox": "1,2,3"},
        {"bbox": "a,b,c,d"},
        {"bbox": "0,5,1,4"},
        {"datetime": "yesterday"},
        {"datetime": "2021-01-01T00:00:00Z/2020-01-01T00:00:00Z"},
        {"filter": "eo:cloud_cover <<< 3"},
        {"filter": '{"op": "nonsense", "args": [1, 2]}', "filter-lang": "cql2-json"},
        {"query": "no json"},
        {"query": '{"eo:cloud_cover": {"about": 3}}'},
        {"intersects": "no json"},
        {"token": "next:nowhere"},
        {"limit": "0"},
    ],
    ids=str,
)
def test_a_bad_search_is_answered_with_what_is_wrong(
    client: TestClient, params: dict[str, str]
) -> None:
    answer = client.get("/search", params=params)
    assert answer.status_code == 400
    assert len(str(answer.json().get("description") or answer.json()["detail"])) > 10


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {"a": 1}},
        {"filter": {"op": "nonsense", "args": [{"property": "x"}, 1]}},
        {"bbox": [1, 2, 3]},
        {"datetime": "yesterday"},
        {"sortby": [{"field": "id", "direction": "up"}]},
        {"query": {"id": {"eq": "a"}}, "filter": {"op": "=", "args": [{"property": "id"}, "a"]}},
        [],
        "text",
    ],
    ids=str,
)
def test_a_bad_body_is_answered_with_what_is_wrong(client: TestClient, body: Any) -> None:
    answer = client.post("/search", json=body)
    assert answer.status_code == 400
    assert len(str(answer.json().get("description") or answer.json()["detail"])) > 10


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_a_body_that_is_no_json_is_refused(client: TestClient, content_type: str) -> None:
    headers = {"content-type": content_type}
    assert client.post("/search", content='{"limit":', headers=headers).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/collections/nowhere",
        "/collections/nowhere/items",
        "/collections/nowhere/items/nothing",
        "/collections/nowhere/queryables",
        f"/collections/{COLLECTION}/items/nothing",
        f"/collections/{COLLECTION}/items/nothing/download/mask.tif",
    ],
)
def test_what_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert json.loads(answer.content)["description"]
