"""What class was at a point on every date, against rasterio."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from starlette.testclient import TestClient

from producer.classes import CLASSES
from producer.storage import Storage
from tests.tiler.scenes import Scene, catalogue, landscape, store_scene
from tiler.app import create_app

START = datetime(2023, 1, 1, 10, tzinfo=UTC)
DATES, DISTINCT = 230, 7
WEST, NORTH = 399960, 5900040


@dataclass(frozen=True)
class World:
    client: TestClient
    items: list[dict[str, Any]]

    def truth(self, lon: float, lat: float) -> list[tuple[str, str, int]]:
        """Date, Item and class, the latest first, of all masks that the point lies in."""
        x, y = Transformer.from_crs(4326, 32633, always_xy=True).transform(lon, lat)
        values = {}
        for href in {item["assets"]["mask"]["href"] for item in self.items}:
            with rasterio.open(href) as mask:
                values[href] = int(next(mask.sample([(x, y)]))[0])
        found = [
            (item["properties"]["datetime"], item["id"], values[item["assets"]["mask"]["href"]])
            for item in self.items
        ]
        return sorted(sorted(found, key=lambda one: one[1]), key=lambda one: one[0], reverse=True)

    def pages(self, address: str) -> Iterator[list[dict[str, Any]]]:
        following: str | None = address
        while following is not None:
            answer = self.client.get(following)
            assert answer.status_code == 200, answer.text
            body = answer.json()
            yield body["values"]
            following = next((link["href"] for link in body["links"]), None)


@pytest.fixture(scope="module")
def world(catalogued: Storage) -> Iterator[World]:
    base = Scene("0", 32633, WEST, NORTH, np.zeros((64, 64), np.uint8), START, "history")
    files = [
        store_scene(replace(base, id=f"F{seed}", classes=landscape(700, 700, seed)), catalogued)
        for seed in range(DISTINCT)
    ]
    items = []
    for number in range(DATES):
        # Two of a date every now and then, so that a page may end between them.
        sensed = START + timedelta(days=number - number % 3 // 2)
        said = {"datetime": f"{sensed:%Y-%m-%dT%H:%M:%SZ}"}
        file = files[number % DISTINCT]
        properties = {**file["properties"], **said}
        items.append({**file, "id": f"D{number:03}", "properties": properties})
    catalogue(*items)
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield World(client, items)


def places() -> list[tuple[float, float]]:
    back = Transformer.from_crs(32633, 4326, always_xy=True)
    chance = np.random.default_rng(3)
    return [
        back.transform(WEST + east, NORTH - south)
        for east, south in chance.uniform(5, 6995, (6, 2))
    ]


@pytest.mark.parametrize("place", places())
def test_every_date_has_the_class_of_its_pixel(world: World, place: tuple[float, float]) -> None:
    lon, lat = place
    truth = world.truth(lon, lat)
    (whole,) = world.pages(f"/history/{lon},{lat}?collections=history")
    assert [(one["datetime"], one["item"], one["value"]) for one in whole] == truth
    names = {info.value.value: info.name for info in CLASSES}
    assert all(one["class"] == names[one["value"]] for one in whole)
    assert len(whole) == DATES


@pytest.mark.parametrize("limit", [1000, 100, 41])
def test_pages_hold_every_date_once(world: World, limit: int) -> None:
    lon, lat = places()[0]
    pages = list(world.pages(f"/history/{lon},{lat}?collections=history&limit={limit}"))
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    found = [(one["datetime"], one["item"], one["value"]) for page in pages for one in page]
    assert found == world.truth(lon, lat)


def test_some_time_can_be_asked_for(world: World) -> None:
    lon, lat = places()[1]
    (found,) = world.pages(f"/history/{lon},{lat}?datetime=2023-02-01/2023-02-28")
    dates = [one["datetime"] for one in found]
    assert dates == [
        date for date, *_ in world.truth(lon, lat) if "2023-02-01" <= date < "2023-03-01"
    ]
    assert list(world.pages("/history/0,0")) == [[]]


def test_a_mask_that_cannot_be_read_is_said_and_stops_nothing(
    world: World, catalogued: Storage
) -> None:
    lost = store_scene(
        Scene("LOST", 32633, WEST, NORTH, landscape(64, 64), START, "lost"), catalogued
    )
    Path(lost["assets"]["mask"]["href"].removeprefix("file://")).unlink()
    catalogue(lost, {**world.items[0], "collection": "lost"})
    back = Transformer.from_crs(32633, 4326, always_xy=True)
    lon, lat = back.transform(WEST + 300, NORTH - 300)
    (found,) = world.pages(f"/history/{lon},{lat}?collections=lost")
    told = {one["item"]: (one["value"], "problem" in one) for one in found}
    assert told["LOST"] == (None, True)
    assert told["D000"][1] is False


@pytest.mark.parametrize(
    "path",
    [
        "/history/x,1",
        "/history/13,91",
        "/history/nan,1",
        "/history/13,53?token=abc",
        "/history/13,53?token=WzEsMiwzXQ",
    ],
)
def test_what_is_no_point_or_token_is_said(world: World, path: str) -> None:
    answer = world.client.get(path)
    assert answer.status_code == 400
    assert "no longitude" in answer.text or "token" in answer.text
