"""Footprints as vector tiles, decoded and compared with the Items themselves."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import morecantile
import numpy as np
import psycopg
import pytest
from shapely.geometry import Polygon, mapping, shape
from starlette.testclient import TestClient

from producer.storage import Storage
from tests.tiler.scenes import Scene, catalogue, collection, landscape, store_scene
from tiler.app import create_app

TMS = morecantile.tms.get("WebMercatorQuad")
START = datetime(2024, 6, 1, 10, tzinfo=UTC)
PLACES, DAYS = 3, 4

pytestmark = pytest.mark.filterwarnings("ignore::morecantile.errors.PointOutsideTMSBounds")


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Read the fields of a protobuf message, as protobuf.dev describes it."""
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            length = varint()
            yield key >> 3, data[place : place + length]
            place += length
        else:
            length = 8 if key & 7 == 1 else 4
            yield key >> 3, struct.unpack("<d" if length == 8 else "<f", data[place:][:length])[0]
            place += length


def numbers(data: bytes) -> list[int]:
    found, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            found.append(value)
            value = shift = 0
    return found


def ring(commands: list[int]) -> list[tuple[int, int]]:
    """Read the first ring of a geometry, as the Vector Tile Specification 2.1 encodes it."""
    x = y = place = 0
    points = []
    while place < len(commands):
        command, count = commands[place] & 7, commands[place] >> 3
        place += 1
        if command == 7:
            break
        for _ in range(count):
            dx, dy = commands[place : place + 2]
            place += 2
            x, y = x + ((dx >> 1) ^ -(dx & 1)), y + ((dy >> 1) ^ -(dy & 1))
            points.append((x, y))
    return points


def decoded(content: bytes) -> list[dict[str, Any]]:
    """Give the properties of every feature, and its outline in the 4096 units of the tile."""
    features = []
    for _, layer in fields(content):
        parts = list(fields(layer))
        keys = [value.decode() for number, value in parts if number == 3]
        values = []
        for number, value in parts:
            if number == 4:
                ((kind, held),) = fields(value)
                signed = (held >> 1) ^ -(held & 1) if kind == 6 else held
                values.append(held.decode() if kind == 1 else signed)
        for number, value in parts:
            if number == 2:
                own = dict(fields(value))
                tags = numbers(own[2])
                pairs = zip(tags[::2], tags[1::2], strict=True)
                said = {keys[key]: values[held] for key, held in pairs}
                features.append({**said, "outline": ring(numbers(own[4]))})
    return features


def scenes() -> list[Scene]:
    """Some days of three tiles, each a little cloudier than the one before."""
    classes = landscape(64, 64, 1)
    return [
        Scene(
            f"P{place}-{day}",
            32633,
            399960 + place * 100_000,
            5900040,
            classes,
            START + timedelta(days=day),
            "prints",
            {
                "grid:code": f"MGRS-33U{place}",
                "eo:cloud_cover": 10.0 * day,
                "nimbostac:clear": 1 - 0.1 * day,
            },
        )
        for place in range(PLACES)
        for day in range(DAYS)
    ]


def stored(scene: Scene, store: Storage) -> dict[str, Any]:
    """Store a scene whose Item reaches over 100 km, as those of Sentinel-2 do."""
    item = store_scene(scene, store)
    wide = replace(scene, classes=np.broadcast_to(np.uint8(1), (10_000, 10_000)))
    polygon = Polygon(wide.footprint())
    return {**item, "geometry": mapping(polygon), "bbox": list(polygon.bounds)}


@pytest.fixture(scope="module")
def items(catalogued: Storage) -> dict[str, dict[str, Any]]:
    many = [stored(scene, catalogued) for scene in scenes()]
    other = stored(replace(scenes()[0], id="OTHER", collection="other"), catalogued)
    catalogue(*many, other)
    return {item["id"]: item for item in [*many, other]}


@pytest.fixture(scope="module")
def client(items: dict[str, Any]) -> Iterator[TestClient]:
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield client


def ask(client: TestClient, zoom: int, **query: str) -> list[dict[str, Any]]:
    tile = TMS.tile(15.0, 52.8, zoom)
    query = {"collections": "prints", **query}
    answer = client.get(f"/footprints/{tile.z}/{tile.x}/{tile.y}.pbf", params=query)
    assert answer.status_code == 200, answer.text
    return decoded(answer.content)


@pytest.mark.parametrize("zoom", [0, 3, 4, 5])
def test_far_away_the_newest_of_a_place_stands_for_all(client: TestClient, zoom: int) -> None:
    found = {each["id"]: each for each in ask(client, zoom)}
    assert set(found) == {f"P{place}-{DAYS - 1}" for place in range(PLACES)}
    one = found["P1-3"]
    assert (one["collection"], one["grid"], one["count"]) == ("prints", "MGRS-33U1", DAYS)
    assert one["datetime"] == "2024-06-04T10:00:00Z"
    assert (one["cloud_cover"], one["clear"]) == (pytest.approx(30), pytest.approx(0.7))
    assert one["mean_cloud_cover"] == pytest.approx(15)


def test_far_away_only_the_time_that_is_asked_for_counts(client: TestClient) -> None:
    found = {each["id"]: each["count"] for each in ask(client, 4, datetime="../2024-06-02")}
    assert found == {f"P{place}-1": 2 for place in range(PLACES)}
    day = ask(client, 4, datetime="2024-06-03")
    assert {(each["id"], each["count"]) for each in day} == {(f"P{n}-2", 1) for n in range(PLACES)}
    assert ask(client, 4, datetime="2020-01-01/2020-02-01") == []


@pytest.mark.parametrize("zoom", [2, 9])
def test_every_collection_counts_where_none_is_named(client: TestClient, zoom: int) -> None:
    lon, lat = items_middle()
    tile = TMS.tile(lon, lat, zoom)
    content = client.get(f"/footprints/{tile.z}/{tile.x}/{tile.y}.pbf").content
    assert {each["collection"] for each in decoded(content)} >= {"prints", "other"}


def items_middle() -> tuple[float, float]:
    return 13.9, 52.9


@pytest.mark.parametrize("zoom", [6, 9, 11])
def test_outlines_lie_where_the_footprints_are(
    client: TestClient, items: dict[str, dict[str, Any]], zoom: int
) -> None:
    tile = TMS.tile(*items_middle(), zoom)
    path = f"/footprints/{tile.z}/{tile.x}/{tile.y}.pbf?collections=prints"
    found = decoded(client.get(path).content)
    one = next(each for each in found if each["id"] == "P0-3")
    west, south, east, north = TMS.xy_bounds(tile)
    truth = [TMS.xy(*corner) for corner in shape(items["P0-3"]["geometry"]).exterior.coords]
    wanted = Polygon(
        [
            ((x - west) / (east - west) * 4096, (north - y) / (north - south) * 4096)
            for x, y in truth
        ]
    )
    window = Polygon([(-64, -64), (4160, -64), (4160, 4160), (-64, 4160)])
    got = Polygon(one["outline"])
    # Coordinates are whole numbers.
    assert got.symmetric_difference(wanted & window).area < 0.02 * wanted.area + 1.5 * got.length


def test_near_every_item_has_its_footprint(client: TestClient) -> None:
    tile = TMS.tile(*items_middle(), 9)
    path = f"/footprints/{tile.z}/{tile.x}/{tile.y}.pbf?collections=prints"
    found = decoded(client.get(path).content)
    assert sorted(each["id"] for each in found) == [f"P0-{day}" for day in range(DAYS)]
    assert {each["id"]: each["clear"] for each in found}["P0-3"] == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({"filter": '"eo:cloud_cover" < 15'}, {0, 1}),
        ({"ids": "P0-2,P1-2,P2-2"}, {2}),
        ({"sortby": "+datetime"}, {0, 1, 2, 3}),
        ({"sortby": "-datetime"}, {3}),
    ],
)
def test_far_away_a_filter_is_answered_item_by_item(
    client: TestClient, query: dict[str, str], days: set[int]
) -> None:
    found = ask(client, 4, **query)
    assert {each["id"] for each in found} == {f"P{n}-{day}" for n in range(PLACES) for day in days}


def test_what_is_left_out_is_said(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    tile = TMS.tile(*items_middle(), 9)
    path = f"/footprints/{tile.z}/{tile.x}/{tile.y}.pbf?collections=prints"
    said = "shown=4, items=4, left-out=0"
    assert client.get(path).headers["nimbostac-footprints"] == said
    far = client.get("/footprints/0/0/0.pbf?collections=prints").headers["nimbostac-footprints"]
    assert far == f"shown={PLACES}, items={PLACES * DAYS}, left-out=0"
    monkeypatch.setattr("tiler.footprints.MOST", 3)
    answer = client.get(path)
    assert len(decoded(answer.content)) == 3
    assert "shown=3, items=3, left-out=more" in answer.headers["nimbostac-footprints"]


def test_a_tile_is_not_sent_twice(client: TestClient) -> None:
    etag = client.get("/footprints/0/0/0.pbf").headers["etag"]
    again = client.get("/footprints/0/0/0.pbf", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def everywhere() -> dict[str, tuple[str, int]]:
    with TestClient(create_app()) as client:
        answer = client.get("/footprints/0/0/0.pbf", params={"collections": "fresh"})
        return {each["grid"]: (each["id"], each["count"]) for each in decoded(answer.content)}


def test_places_follow_what_is_written_replaced_moved_and_deleted(
    catalogued: Storage, items: dict[str, Any]
) -> None:
    one = replace(scenes()[0], id="ONE", collection="fresh")
    two = replace(one, id="TWO", sensed=START + timedelta(days=40))
    catalogue(stored(one, catalogued), stored(two, catalogued))
    assert everywhere() == {"MGRS-33U0": ("TWO", 2)}
    # Another date, and so another partition; another place.
    moved = replace(two, sensed=START - timedelta(days=70), properties={"grid:code": "MGRS-1A"})
    catalogue(stored(moved, catalogued))
    assert everywhere() == {"MGRS-33U0": ("ONE", 1), "MGRS-1A": ("TWO", 1)}
    with psycopg.connect(autocommit=True) as database:
        database.execute("SET search_path TO pgstac, public")
        database.execute("SELECT delete_item('ONE', 'fresh')")
        assert everywhere() == {"MGRS-1A": ("TWO", 1)}
        database.execute("SELECT delete_collection('fresh')")
        assert everywhere() == {}
        kept = database.execute(
            "SELECT count(*) FROM nimbostac.footprints WHERE collection = 'fresh'"
        ).fetchone()
        assert kept == (0,)


def test_a_database_that_lacks_the_places_shows_footprints_all_the_same(
    items: dict[str, Any],
) -> None:
    with psycopg.connect(autocommit=True) as database:
        database.execute("ALTER SCHEMA nimbostac RENAME TO away")
        try:
            with TestClient(create_app()) as client:
                assert len(ask(client, 4)) == PLACES * DAYS
        finally:
            database.execute("ALTER SCHEMA away RENAME TO nimbostac")


def test_items_that_were_there_before_have_their_places_after_a_migration(
    pgstac: str, catalogued: Storage
) -> None:
    from ingest import pgstac as loading

    with psycopg.connect(autocommit=True) as database:
        database.execute("DROP SCHEMA nimbostac CASCADE")
        catalogue(*(stored(scene, catalogued) for scene in scenes()[:2]))
        loading.migrate()
        rows = database.execute("SELECT id FROM nimbostac.footprints ORDER BY id").fetchall()
        assert [row[0] for row in rows] == ["P0-0", "P0-1"]
        # Once more it changes nothing.
        loading.migrate()
        with loading.opened() as opened:
            opened.save(collection("prints"))
        assert database.execute("SELECT count(*) FROM nimbostac.footprints").fetchone() == (2,)
