"""Timelines, compared with a count over the Items themselves."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from shapely.geometry import Polygon, box, mapping, shape
from starlette.testclient import TestClient

from ingest import pgstac as loading
from producer.storage import Storage
from tests import records
from tiler.app import create_app

START = datetime(2024, 6, 1, 10, tzinfo=UTC)
PLACES = {"33UUU": (12.0, 52.0), "33UVU": (13.5, 52.0), "01VCK": (179.5, 60.0)}


@pytest.fixture
def items(pgstac: str, store: Storage) -> list[dict[str, object]]:
    """Three days over two places and one that lies across the antimeridian."""
    stored = records.stored_mask(store, "33UUU", START - timedelta(days=1000))
    records.catalogued(store, stored)
    with psycopg.connect(pgstac, autocommit=True) as connection:
        connection.execute("DELETE FROM pgstac.items")
    base = records_item(store, stored)
    made = []
    for tile, (west, south) in PLACES.items():
        for day in range(3):
            sensed = START + timedelta(days=day)
            item = {**base, "id": str(records.product_name(tile, sensed))}
            outline = box(west, south, west + 1, south + 1)
            if west + 1 > 180:
                outline = box(west, south, 180, south + 1).union(
                    box(-180, south, -179.5, south + 1)
                )
            item["geometry"] = mapping(outline)
            item["bbox"] = list(outline.bounds)
            clear = 0.25 * (day + 1)
            item["properties"] = {
                **base["properties"],
                "datetime": f"{sensed:%Y-%m-%dT%H:%M:%SZ}",
                "grid:code": f"MGRS-{tile}",
                "nimbostac:clear": clear,
            }
            made.append(item)
    with loading.opened() as database:
        database.load(made)
    return made


def records_item(store: Storage, stored: records.Stored) -> dict[str, object]:
    from ingest import items

    return items.item(stored.record, f"{store.url}/{stored.stem.rpartition('/')[0]}")


@pytest.fixture
def client(items: list[dict[str, object]]) -> Iterator[TestClient]:
    with TestClient(create_app()) as client:
        yield client


@pytest.mark.parametrize(
    ("bbox", "view"),
    [
        ("10,50,16,55", box(10, 50, 16, 55)),
        ("12.5,52.2,12.6,52.3", box(12.5, 52.2, 12.6, 52.3)),
        ("13.2,50,13.4,55", Polygon()),
        ("170,55,190,65", box(170, 55, 180, 65).union(box(-180, 55, -170, 65))),
        ("179.9,55,-179.9,65", box(179.9, 55, 180, 65).union(box(-180, 55, -179.9, 65))),
        ("-181,55,-179.8,65", box(179, 55, 180, 65).union(box(-180, 55, -179.8, 65))),
        ("-180,-85,180,85", box(-180, -90, 180, 90)),
    ],
)
def test_days_are_counted_where_somebody_looks(
    client: TestClient, items: list[dict[str, object]], bbox: str, view: Polygon
) -> None:
    seen = [item for item in items if shape(item["geometry"]).intersects(view)]
    wanted = Counter(str(item["properties"]["datetime"])[:10] for item in seen)
    asked = {"collections": "ukis-csmask-l1c", "bbox": bbox}
    days = client.get("/timeline", params=asked).json()["days"]
    assert {day["day"]: day["count"] for day in days} == wanted
    for number, day in enumerate(days):
        assert day["clear"] == pytest.approx(0.25 * (number + 1))


def test_other_collections_and_no_box_are_told_apart(client: TestClient) -> None:
    assert client.get("/timeline", params={"collections": "kappamask-l1c"}).json() == {"days": []}
    everywhere = client.get("/timeline").json()["days"]
    assert [day["count"] for day in everywhere] == [3, 3, 3]
    answer = client.get("/timeline", params={"bbox": "1,2,3"})
    assert answer.status_code == 400
    assert "west,south,east,north" in answer.json()["detail"]
