"""Thousands of Items in a running stack: copies of one that it has, at other places and times.

``NIMBOSTAC_HOME=... python -m tests.web.crowd`` gives the catalogue of that stack 300 places and
20 days each, for measuring the page with. Tiles and pictures are those of the Item copied.
"""

import copy
import json
import random
from datetime import timedelta
from typing import Any

import psycopg
from shapely import affinity
from shapely.geometry import mapping, shape

from deploy.settings import DeploySettings
from deploy.stack.home import Home
from ingest import collection, items, pgstac
from producer.product import ProductName

PLACES_ACROSS, PLACES, DAYS = 20, 300, 20
_STEP_DEG = 1.3
_REVISIT = timedelta(days=5)


def copies(first: dict[str, Any], places: int = PLACES, days: int = DAYS) -> list[dict[str, Any]]:
    """Make Items of one: a grid of places east and south of it, and days before its own."""
    chance = random.Random(11)
    name = ProductName.parse(first["id"])
    made = []
    for place in range(places):
        row, column = divmod(place, PLACES_ACROSS)
        moved = affinity.translate(shape(first["geometry"]), column * _STEP_DEG, -row * _STEP_DEG)
        for day in range(days):
            sensed = name.sensed - (day + 1) * _REVISIT - timedelta(hours=place)
            clear = round(chance.random(), 3)
            item = copy.deepcopy(first)
            item["id"] = f"{first['id'][:11]}{sensed:%Y%m%dT%H%M%S}{first['id'][26:]}-{place}"
            item["geometry"] = json.loads(json.dumps(mapping(moved)))
            item["bbox"] = list(items.bbox(item["geometry"]))
            item["properties"] |= {
                "datetime": f"{sensed:%Y-%m-%dT%H:%M:%SZ}",
                "grid:code": f"MGRS-{10 + row:02}X{chr(65 + column)}{chr(65 + row)}",
                "nimbostac:clear": clear,
                "eo:cloud_cover": round(100 - 100 * clear, 1),
            }
            made.append(item)
    return made


def fill() -> int:
    """Load copies of the newest Item of the database that the PG* variables mean; gives how many.

    Raises:
        SystemExit: There is none.
    """
    with psycopg.connect(options="-c search_path=pgstac,public") as connection:
        row = connection.execute(
            "SELECT content_hydrate(items), collections.content FROM items"
            " JOIN collections ON collections.id = items.collection"
            " ORDER BY items.datetime DESC LIMIT 1"
        ).fetchone()
    if row is None:
        raise SystemExit("the catalogue is empty; nimbostac demo fills it")
    first, home = row
    made = copies(first)
    with pgstac.opened() as database:
        # An extent only grows.
        database.save({**home, "extent": collection.extent_of(made)})
        database.load(made)
    return len(made)


def main() -> None:
    """Fill the stack that the environment names."""
    Home(DeploySettings().home_path).join()
    print(f"{fill()} Items were loaded")  # noqa: T201


if __name__ == "__main__":
    main()
