"""Tiles: ours against stock titiler-pgstac, on the same Items, in turns.

``python -m tests.bench.tiles [--quick] [--json]``. Each server is one uvicorn process; every
client keeps one connection. Ratios are of throughput, ours over stock. ``europe_z4`` is ours alone:
a map of Europe over 10,000 Items, milliseconds. ``--memory [N]`` asks our server for N tiles of all
kinds and zooms instead, 100,000 by default, and tells its memory as it goes.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import morecantile
import psycopg
from pyproj import Transformer

from ingest import pgstac as loading
from producer.classes import CLASSES
from producer.storage import Storage
from tests import servers
from tests.bench import europe, memory
from tests.bench.serving import Server, uvicorn
from tests.tiler.scenes import COLLECTION, Scene, catalogue, landscape, store_scene

__all__ = ["Server", "tiles_of", "uvicorn"]

SIZE_PX = 10980
ZOOMS = (10, 11, 12, 13, 14)
COLORMAP = quote(json.dumps({info.value.value: info.color for info in CLASSES}))
STOCK_QUERY = f"?assets=mask&colormap={COLORMAP}"


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    tiles: int
    rounds: int
    cold: int
    places: int
    """Grid squares of the map of Europe."""
    days: int


FULL = Plan(tiles=60, rounds=5, cold=6, places=1000, days=10)
QUICK = Plan(tiles=30, rounds=2, cold=3, places=200, days=5)


@contextmanager
def catalogue_of(store: Storage, scenes: Sequence[Scene]) -> Iterator[None]:
    """Run a PostgreSQL with the Items while the block runs."""
    with servers.postgres() as server:
        os.environ.update({**server.environment, "PGDATABASE": "bench"})
        with psycopg.connect(dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        loading.migrate()
        items: list[dict[str, Any]] = []
        encoded: dict[int, dict[str, Any]] = {}
        for scene in scenes:
            known = encoded.get(id(scene.classes))
            if known is None:
                encoded[id(scene.classes)] = known = store_scene(scene, store)
                items.append(known)
            else:
                items.append(copied(known, scene, store))
        catalogue(*items)
        yield


def copied(item: dict[str, Any], scene: Scene, store: Storage) -> dict[str, Any]:
    """Give a scene a file of its own that holds what another one's does."""
    key = f"{scene.collection}/{scene.id}/{scene.id}.tif"
    store.put(key, store.get(store.key(item["assets"]["mask"]["href"])))
    mask = {**item["assets"]["mask"], "href": store.href(key)}
    properties = {**item["properties"], "datetime": scene.sensed.isoformat()}
    own = {"id": scene.id, "collection": scene.collection, "properties": properties}
    return {**item, **own, "assets": {**item["assets"], "mask": mask}}


def tiles_of(scene: Scene, count: int) -> list[str]:
    """Choose tiles of a scene, of all zooms, the same every time."""
    chance = random.Random(4)
    back = Transformer.from_crs(scene.epsg, 4326, always_xy=True)
    west, south, east, north = scene.grid.bounds
    tms = morecantile.tms.get("WebMercatorQuad")
    paths: dict[str, None] = {}
    while len(paths) < count:
        lon, lat = back.transform(
            chance.uniform(west + 15_000, east - 1000), chance.uniform(south, north)
        )
        tile = tms.tile(lon, lat, chance.choice(ZOOMS))
        paths[f"/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png"] = None
    return list(paths)


def compare(
    servers_: tuple[Server, Server], paths: Sequence[str], rounds: int, clients: int = 1
) -> dict[str, float]:
    """Measure both in turns; what is compared is the median round of each."""
    totals: dict[str, list[float]] = {server.name: [] for server in servers_}
    each: dict[str, list[float]] = {server.name: [] for server in servers_}
    for server in servers_:
        server.seconds(paths, clients)
    for _ in range(rounds):
        for server in servers_:
            total, *parts = server.seconds(paths, clients)
            totals[server.name].append(total)
            each[server.name] += parts
    stock, ours = (statistics.median(totals[server.name]) for server in servers_)
    return {
        "ratio": stock / ours,
        "stock_per_s": len(paths) / stock,
        "ours_per_s": len(paths) / ours,
        "stock_p50_ms": statistics.median(each["stock"]) * 1000,
        "ours_p50_ms": statistics.median(each["ours"]) * 1000,
    }


def cold(servers_: tuple[Server, Server], bases: Sequence[str], path: str) -> dict[str, float]:
    """Measure the first tile of Items that neither server has seen."""
    each = {
        server.name: [server.seconds([base + path])[1] for base in bases] for server in servers_
    }
    stock, ours = (statistics.median(each[server.name]) for server in servers_)
    return {"ratio": stock / ours, "stock_ms": stock * 1000, "ours_ms": ours * 1000}


def measure(plan: Plan) -> dict[str, dict[str, float]]:
    """Run everything."""
    first = Scene("FIRST", 32633, 399960, 5900040, landscape(SIZE_PX, SIZE_PX, 1, 60))
    beside = Scene("BESIDE", 32633, 499980, 5900040, landscape(SIZE_PX, SIZE_PX, 2, 60))
    later = timedelta(days=5)
    mosaic = [
        replace(
            scene, id=f"{scene.id}-{day}", collection="mosaic", sensed=scene.sensed + day * later
        )
        for scene in (first, beside)
        for day in (0, 1)
    ]
    fresh = [replace(first, id=f"COLD-{number}") for number in range(plan.cold)]
    with tempfile.TemporaryDirectory(prefix="nimbostac-bench-") as folder:
        store = Storage.from_url(str(Path(folder) / "store"))
        with (
            catalogue_of(store, [first, beside, *mosaic, *fresh]),
            uvicorn("stock", "titiler.pgstac.main:app", query=STOCK_QUERY) as stock,
            uvicorn("ours", "--factory", "tiler.app:create_app", query="") as ours,
        ):
            both = (stock, ours)
            item = f"/collections/{COLLECTION}/items/FIRST"
            paths = tiles_of(first, plan.tiles)
            return {
                "item_1": compare(both, [item + path for path in paths], plan.rounds),
                "item_8": compare(both, [item + path for path in paths], plan.rounds, 8),
                "mosaic_1": compare(
                    both, [f"/collections/mosaic{path}" for path in paths], plan.rounds
                ),
                "cold_1": cold(
                    both,
                    [f"/collections/{COLLECTION}/items/{scene.id}" for scene in fresh],
                    paths[0],
                ),
            }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer tiles, rounds and Items")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--only", choices=["europe_z4"], help="measure nothing else")
    parser.add_argument(
        "--memory",
        type=int,
        nargs="?",
        const=memory.TILES,
        metavar="N",
        help="measure the memory of our server over N tiles instead",
    )
    arguments = parser.parse_args()
    plan = QUICK if arguments.quick else FULL
    found: dict[str, dict[str, float]] = {}
    if arguments.memory:
        found["memory_mib"] = memory.measure(plan.places, plan.days, arguments.memory)
    else:
        if not arguments.only:
            found |= measure(plan)
        found["europe_z4"] = europe.measure(plan.places, plan.days, plan.rounds)
    for name, numbers in found.items():
        shown = "  ".join(f"{key} {value:8.2f}" for key, value in numbers.items())
        print(f"{name:9s} {shown}", file=sys.stderr if arguments.json else sys.stdout)
    if arguments.json:
        print(json.dumps(summary(found)))


def summary(found: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Give ratios by name, and what has none as it is."""
    said: dict[str, Any] = {
        name: round(numbers["ratio"], 2) if "ratio" in numbers else numbers
        for name, numbers in found.items()
    }
    if "item_1" in found:
        said["p50_ms"] = round(found["item_1"]["ours_p50_ms"], 3)
    return {**said, "details": found}


if __name__ == "__main__":
    main()
