"""Memory of a tile server over many tiles: mixed Items and mosaics, zooms 0 to 16."""

import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import morecantile
from pyproj import Transformer

from producer.storage import Storage
from tests.bench.europe import COLLECTION, continent
from tests.bench.serving import Server, uvicorn

TILES = 100_000
PARTS = 10
DEEPEST = 16
NEAR = 7
"""Shallowest zoom of most mosaic tiles; a hundredth are maps of countries and continents."""

_FAR_SHARE, _MOSAIC_SHARE = 0.01, 0.4
_INSIDE_M = 10_000, 100_000
_CLIENTS = 2


def paths(items: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Choose tiles of Items and mosaics without end, the same every time."""
    chance = random.Random(4)
    tms = morecantile.tms.get("WebMercatorQuad")
    while True:
        item = chance.choice(items)
        said = item["properties"]
        back = Transformer.from_crs(said["proj:code"], 4326, always_xy=True)
        west, north = said["proj:transform"][2], said["proj:transform"][5]
        lon, lat = back.transform(
            west + chance.uniform(*_INSIDE_M), north - chance.uniform(*_INSIDE_M)
        )
        kind = chance.random()
        base, zoom = f"/collections/{COLLECTION}", chance.randint(NEAR, DEEPEST)
        if kind < _FAR_SHARE:
            zoom = chance.randrange(NEAR)
        elif kind > _MOSAIC_SHARE:
            base, zoom = f"{base}/items/{item['id']}", chance.randint(0, DEEPEST)
        tile = tms.tile(lon, lat, zoom)
        yield f"{base}/tiles/WebMercatorQuad/{tile.z}/{tile.x}/{tile.y}.png"


def grown(server: Server, items: Sequence[dict[str, Any]], tiles: int) -> dict[str, float]:
    """Ask for tiles; gives resident memory after each part, MiB by the number of tiles."""
    wanted = paths(items)
    found = {"0": server.resident_mib()}
    part = max(tiles // PARTS, 1)
    for done in range(part, tiles + 1, part):
        server.seconds(list(islice(wanted, part)), _CLIENTS)
        found[str(done)] = server.resident_mib()
        # It takes long, and says how far it has come.
        print(f"{done:7d} tiles {found[str(done)]:6.0f} MiB", file=sys.stderr, flush=True)
    return found


def measure(places: int, days: int, tiles: int) -> dict[str, float]:
    """Run everything."""
    with tempfile.TemporaryDirectory(prefix="nimbostac-bench-") as folder:
        store = Storage.from_url(str(Path(folder) / "store"))
        with (
            continent(store, places, days) as items,
            uvicorn("ours", "--factory", "tiler.app:create_app", query="") as server,
        ):
            return grown(server, items, tiles)
