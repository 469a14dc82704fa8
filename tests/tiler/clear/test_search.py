"""Clear-sky search over HTTP, as its clients use it, against brute force."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI
from pyproj import Transformer
from pystac_client import Client, ItemSearch
from shapely import Polygon
from shapely.geometry import mapping, shape
from starlette.testclient import TestClient

from producer.storage import Storage
from tests import servers
from tests.tiler.clear import oracle
from tests.tiler.scenes import COLLECTION, Scene, catalogue, landscape, store_scene
from tiler.app import create_app
from tiler.settings import TilerSettings

WEST, NORTH, EDGE_PX, DAYS = 399_960.0, 5_900_040.0, 512, 12
START = datetime(2024, 5, 1, 10, tzinfo=UTC)


def masks() -> list[Scene]:
    return [
        Scene(
            f"DAY-{day:02}",
            32633,
            WEST,
            NORTH,
            landscape(EDGE_PX, EDGE_PX, day),
            sensed=START + timedelta(days=day),
            properties={"platform": "sentinel-2a" if day % 2 else "sentinel-2b"},
        )
        for day in range(DAYS)
    ]


@pytest.fixture(scope="module")
def items(catalogued: Storage) -> list[dict[str, Any]]:
    found = [
        store_scene(scene, catalogued, preview=not number) for number, scene in enumerate(masks())
    ]
    catalogue(*found)
    return found


@pytest.fixture(scope="module")
def client(items: list[dict[str, Any]], catalogued: Storage) -> Iterator[TestClient]:
    settings = TilerSettings(
        store_url=catalogued.url, clear_items=DAYS, clear_area_km2=500, clear_vertices=50
    )
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def field() -> Polygon:
    back = Transformer.from_crs(32633, 4326, always_xy=True)
    x, y = WEST + 2000, NORTH - 2100
    corners = [(x, y), (x + 1000, y - 130), (x + 900, y - 1000), (x + 400, y - 300)]
    return Polygon([back.transform(*corner) for corner in corners])


@pytest.fixture(scope="module")
def truth(items: list[dict[str, Any]], field: Polygon) -> dict[str, dict[str, Any]]:
    paths = {item["id"]: item["assets"]["mask"]["href"] for item in items}
    return {name: oracle.properties(path, field) for name, path in paths.items()}


def asked(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/clear", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    found: dict[str, Any] = answer.json()
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [feature["id"] for feature in found["features"]]


def clearest(truth: dict[str, dict[str, Any]]) -> list[str]:
    """The clearest first; of equals, the latest."""
    latest = sorted(truth, reverse=True)
    return sorted(latest, key=lambda name: -truth[name]["aoi:clear"])


def test_every_item_carries_what_its_mask_says_about_the_polygon(
    client: TestClient, field: Polygon, truth: dict[str, dict[str, Any]]
) -> None:
    found = asked(client, intersects=mapping(field))
    assert ids(found) == sorted(truth, reverse=True)
    assert found["numberMatched"] == found["numberReturned"] == DAYS
    for feature in found["features"]:
        mine = feature["properties"]
        expected = truth[feature["id"]]
        assert {name: mine[name] for name in expected} == pytest.approx(expected, abs=1e-12)
        assert (mine["aoi:error"], mine["aoi:resolution_m"]) == (0, 10)


def test_items_are_the_catalogues_own_but_for_addresses(
    client: TestClient, field: Polygon, items: list[dict[str, Any]]
) -> None:
    [feature] = asked(client, intersects=mapping(field), ids=["DAY-00"])["features"]
    original = items[0]
    own = {k: v for k, v in feature["properties"].items() if not k.startswith("aoi:")}
    assert own == original["properties"]
    assert shape(feature["geometry"]).equals_exact(shape(original["geometry"]), 1e-9)
    assert feature["bbox"] == pytest.approx(original["bbox"])
    assert feature["stac_version"] == "1.1.0"
    links = {link["rel"]: link["href"] for link in feature["links"]}
    home = f"http://testserver/stac/collections/{original['collection']}"
    assert links["self"] == f"{home}/items/DAY-00"
    assert links["collection"] == home
    assert feature["assets"]["mask"]["href"] == f"{home}/items/DAY-00/download/DAY-00-1.tif"
    assert feature["assets"]["mask"]["file:checksum"] == original["assets"]["mask"]["file:checksum"]
    assert "file://" not in json.dumps(feature)


def test_items_are_chosen_and_sorted_by_their_sky(
    client: TestClient, field: Polygon, truth: dict[str, dict[str, Any]]
) -> None:
    by_clear = clearest(truth)
    bound = truth[by_clear[5]]["aoi:clear"] - 1e-9
    order = [{"field": "aoi:clear", "direction": "desc"}]
    said = {"intersects": mapping(field), "sortby": order}
    assert ids(asked(client, **said)) == by_clear
    assert ids(asked(client, **said, min_clear=bound)) == by_clear[:6]
    condition = {"op": ">=", "args": [{"property": "aoi:clear"}, bound]}
    platform = {"op": "=", "args": [{"property": "platform"}, "sentinel-2a"]}
    assert ids(asked(client, **said, filter=condition)) == by_clear[:6]
    both = {"op": "and", "args": [platform, condition]}
    odd = [name for name in by_clear[:6] if int(name[-2:]) % 2]
    assert ids(asked(client, **said, filter=both)) == odd
    cloudy = {"op": "not", "args": [{"op": "<", "args": [bound, {"property": "aoi:clear"}]}]}
    assert ids(asked(client, **said, filter=cloudy)) == by_clear[6:]


def test_pages_follow_each_other_until_all_rows_were_given(
    client: TestClient, field: Polygon
) -> None:
    body = {"intersects": mapping(field), "limit": 5, "sortby": [{"field": "aoi:cloud"}]}
    everything = ids(asked(client, **{**body, "limit": 100}))
    found, pages = [], 0
    page = asked(client, **body)
    while True:
        pages += 1
        found += ids(page)
        following = [link for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        assert following[0]["method"] == "POST"
        page = client.post(following[0]["href"], json=following[0]["body"]).json()
    assert (found, pages) == (everything, 3)


def test_get_asks_the_same_of_a_box(client: TestClient, field: Polygon) -> None:
    box = ",".join(map(str, field.bounds))
    found = client.get("/clear", params={"bbox": box, "sortby": "-aoi:clear", "limit": 7}).json()
    posted = asked(
        client,
        bbox=list(field.bounds),
        sortby=[{"field": "aoi:clear", "direction": "desc"}],
    )
    assert ids(found) == ids(posted)[:7]
    [following] = [link["href"] for link in found["links"] if link["rel"] == "next"]
    assert ids(client.get(following).json()) == ids(posted)[7:]
    text = json.dumps(mapping(field))
    polygon = client.get("/clear", params={"intersects": text, "best": 1}).json()
    assert len(ids(polygon)) == 1


def test_get_takes_a_filter_as_text_and_as_json(
    client: TestClient, field: Polygon, truth: dict[str, dict[str, Any]]
) -> None:
    by_clear = clearest(truth)
    bound = truth[by_clear[5]]["aoi:clear"] - 1e-9
    query = {"intersects": json.dumps(mapping(field)), "sortby": "-aoi:clear"}
    text = f"\"aoi:clear\" >= {bound!r} AND platform = 'sentinel-2a'"
    odd = [name for name in by_clear[:6] if int(name[-2:]) % 2]
    condition = json.dumps({"op": ">=", "args": [{"property": "aoi:clear"}, bound]})
    for more, wanted in (
        ({"filter": text}, odd),
        ({"filter": text, "filter-lang": "cql2-text"}, odd),
        ({"filter": condition}, by_clear[:6]),
        ({"filter": condition, "filter-lang": "cql2-json"}, by_clear[:6]),
    ):
        assert ids(client.get("/clear", params={**query, **more}).json()) == wanted
    bad = client.get("/clear", params={**query, "filter": "platform ="})
    assert (bad.status_code, "no CQL2" in bad.text) == (400, True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"intersects": {"type": "Point", "coordinates": [1, 2]}}, "got 'Point'"),
        ({"bbox": [0, 0, 1, 1, 1]}, "4 numbers or 6"),
        ({"bbox": [13, 53, 14, 54]}, "at most 500"),
        ({"bbox": [13, 53, 13.01, 53.01], "datetime": "yesterday or so"}, "yesterday"),
        ({"bbox": [13, 53, 13.01, 53.01], "sortby": [{"field": "aoi:sun"}]}, "aoi:sun"),
        ({"bbox": [13, 53, 13.01, 53.01], "token": "x"}, "token"),
        (
            {
                "bbox": [13, 53, 13.01, 53.01],
                "filter": {
                    "op": "or",
                    "args": [
                        {"op": "=", "args": [{"property": "platform"}, "a"]},
                        {"op": ">", "args": [{"property": "aoi:clear"}, 0.5]},
                    ],
                },
            },
            "by and",
        ),
        (
            {
                "intersects": {
                    "type": "Polygon",
                    "coordinates": [
                        [[13 + np.cos(i) / 99, 53 + np.sin(i) / 99] for i in range(60)]
                        + [[13 + 1 / 99, 53]]
                    ],
                }
            },
            "at most 50",
        ),
    ],
)
def test_what_cannot_be_asked_is_answered_with_the_limit_or_what_is_wanted(
    client: TestClient, body: dict[str, Any], words: str
) -> None:
    answer = client.post("/clear", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"bbox": [13, 53, 13.1, 53.1], "min_claer": 1},
        {"bbox": [13, 53, 13.1, 53.1], "limit": 0},
    ],
)
def test_a_misspelt_or_missing_member_is_an_error(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post("/clear", json=body).status_code == 422


def test_a_mask_that_is_gone_spoils_no_other_row(
    client: TestClient, catalogued: Storage, field: Polygon
) -> None:
    scene = Scene("GONE", 32633, WEST, NORTH, landscape(64, 64), collection="broken")
    item = store_scene(scene, catalogued)
    item["geometry"] = mapping(field.buffer(0.1))
    item["assets"]["mask"]["href"] += ".gone"
    catalogue(item)
    try:
        [feature] = asked(client, intersects=mapping(field), collections=["broken"])["features"]
        assert feature["properties"]["aoi:clear"] is None
        assert feature["properties"]["aoi:coverage"] == 0
        assert "cannot be read" in feature["properties"]["aoi:problem"]
        merged = asked(
            client, intersects=mapping(field), collections=["broken"], group="acquisition"
        )
        assert "cannot be read" in merged["features"][0]["properties"]["aoi:problem"]
    finally:
        # The other tests share this catalogue, and the server takes no more Items than theirs.
        with psycopg.connect() as connection:
            connection.execute("DELETE FROM pgstac.items WHERE id = 'GONE'")


def test_a_body_is_not_read_when_it_is_too_large_or_of_unknown_length(
    client: TestClient,
) -> None:
    large = client.post("/clear", content=b" " * (8 * 1024 * 1024 + 1))
    unknown = client.post("/timeseries", content=iter([b"{}"]))
    for answer in (large, unknown):
        assert answer.status_code == 400
        assert "at most 8.38861e+06" in answer.json()["detail"]


def test_more_products_than_one_request_may_look_at_is_said(
    items: list[dict[str, Any]], field: Polygon
) -> None:
    with TestClient(create_app(TilerSettings(clear_items=3))) as narrow:
        answer = narrow.post("/clear", json={"intersects": mapping(field)})
    assert answer.status_code == 400
    assert "more than 3, and at most 3" in answer.json()["detail"]


def test_addresses_are_right_where_the_server_is_mounted(
    client: TestClient, field: Polygon
) -> None:
    site = FastAPI()
    site.mount("/tiler", client.app)
    outside = TestClient(site, base_url="https://masks.example")
    links = outside.get("/tiler/clear/stac").json()["links"]
    search = next(link["href"] for link in links if link["rel"] == "search")
    assert search == "https://masks.example/tiler/clear"
    body = {"intersects": mapping(field), "ids": ["DAY-00"], "collections": [COLLECTION]}
    [feature] = outside.post(search, json=body).json()["features"]
    home = f"https://masks.example/stac/collections/{COLLECTION}/items/DAY-00"
    assert feature["assets"]["mask"]["href"] == f"{home}/download/DAY-00-1.tif"
    answer = outside.post(search, json={"intersects": mapping(field), "limit": 1})
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["links"][0]["href"] == search


@pytest.fixture(scope="module")
def address(client: TestClient) -> Iterator[str]:
    port = servers.free_port()
    # The client of the module holds what the application needs while it runs.
    config = uvicorn.Config(client.app, port=port, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    servers.wait_for_port(port)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_pystac_client_searches_by_the_sky(
    address: str, field: Polygon, truth: dict[str, dict[str, Any]]
) -> None:
    by_clear = clearest(truth)
    bound = truth[by_clear[7]]["aoi:clear"] - 1e-9
    search = Client.open(f"{address}/clear/stac").search(
        collections=[COLLECTION],
        intersects=mapping(field),
        datetime="2024-05-01/2024-05-31",
        filter={"op": ">=", "args": [{"property": "aoi:clear"}, bound]},
        sortby=[{"field": "aoi:clear", "direction": "desc"}],
        limit=3,
    )
    found = list(search.items())
    assert [item.id for item in found] == by_clear[:8]
    assert search.matched() == 8
    direct = ItemSearch(
        f"{address}/clear?min_clear={bound}",
        method="POST",
        collections=[COLLECTION],
        intersects=mapping(field),
        limit=3,
    )
    assert sorted(item.id for item in direct.items()) == sorted(by_clear[:8])
    said = {"collections": [COLLECTION], "bbox": list(field.bounds), "limit": 5}
    get = ItemSearch(f"{address}/clear", method="GET", **said)
    assert len(list(get.items())) == DAYS
