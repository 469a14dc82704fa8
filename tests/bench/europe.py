"""Thousands of Items over Europe, each with a mask of 10980 x 10980 px in a file of its own.

The masks are copies of one, moved to their grid squares: encoding each would take hours.
"""

import os
import statistics
import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from pyproj import Geod, Transformer

from ingest import pgstac as loading
from producer.storage import Storage
from tests import servers
from tests.bench.serving import Server, uvicorn
from tests.tiler.scenes import Scene, catalogue, landscape, store_scene

COLLECTION = "europe"
SIZE_PX = 10980
MIDDLE = (11.25, 48.9)
"""Longitude and latitude in the middle of tile 4/8/5, around which the squares lie."""
TILE = "/tiles/WebMercatorQuad/4/8/5.png"
PATH = f"/collections/{COLLECTION}{TILE}"

Square = tuple[int, float, float]
"""EPSG code, west and north in metres."""

_SQUARE_M = 100_000
_ZONES = range(28, 40)
_START = datetime(2024, 5, 1, 10, tzinfo=UTC)
_STEP = timedelta(days=5)
_FORGOTTEN_S = 2.2
"""Longer than a server counts on what the database said."""
_FILLER = "as long as the other properties of an Item are. " * 50


def squares(count: int) -> list[Square]:
    """Give the grid squares of MGRS that are nearest to the middle."""
    geod = Geod(ellps="WGS84")
    found: list[tuple[float, Square]] = []
    for zone in _ZONES:
        epsg = 32600 + zone
        back = Transformer.from_crs(epsg, 4326, always_xy=True)
        for west in range(200_000, 800_000, _SQUARE_M):
            for south in range(3_600_000, 7_900_000, _SQUARE_M):
                lon, lat = back.transform(west + _SQUARE_M / 2, south + _SQUARE_M / 2)
                if zone == int((lon + 180) // 6) + 1:
                    distance = geod.inv(*MIDDLE, lon, lat)[2]
                    # As ESA cuts its tiles: 109.8 km from the square's upper left corner.
                    found.append((distance, (epsg, float(west), float(south + _SQUARE_M + 40))))
    return [square for _, square in sorted(found)[:count]]


def moved(data: bytes, seed: Scene, square: Square) -> bytes:
    """Give the file of a mask another place on the ground."""
    epsg, west, north = square
    for old, new in (
        (struct.pack("<2d", seed.west, seed.north), struct.pack("<2d", west, north)),
        (struct.pack("<4H", 3072, 0, 1, seed.epsg), struct.pack("<4H", 3072, 0, 1, epsg)),
    ):
        if data.count(old) != 1:
            raise RuntimeError("the head of the mask is not as it is expected")
        data = data.replace(old, new)
    return data


def items(store: Storage, places: int, days: int) -> Iterator[dict[str, Any]]:
    """Write masks of some squares on some days; gives their Items."""
    # No data along the western edge, so that no mask hides all that lies beneath.
    seed = Scene("SEED", 32633, 399960, 5900040, landscape(SIZE_PX, SIZE_PX, 1, 60), _START)
    whole = store_scene(seed, store)
    data = store.get(store.key(whole["assets"]["mask"]["href"]))
    for number, square in enumerate(squares(places)):
        key = f"{COLLECTION}/{number}/0.tif"
        store.put(key, moved(data, seed, square))
        first = Path((store.folder or Path()) / key)
        ring = Scene("", *square, seed.classes).footprint()
        for day in range(days):
            if day:
                # A file to itself takes no room on the disk of who measures.
                os.link(first, first.with_name(f"{day}.tif"))
            href = store.href(f"{COLLECTION}/{number}/{day}.tif")
            yield item(whole, f"P{number}-{day}", square, ring, _START + day * _STEP, href)


def item(  # noqa: PLR0913, PLR0917 - what is different from Item to Item
    whole: dict[str, Any],
    name: str,
    square: Square,
    ring: list[list[float]],
    sensed: datetime,
    href: str,
) -> dict[str, Any]:
    """Give the Item of a mask that was moved."""
    epsg, west, north = square
    longitudes, latitudes = [x for x, _ in ring], [y for _, y in ring]
    said = {
        "datetime": sensed.isoformat().replace("+00:00", "Z"),
        "proj:code": f"EPSG:{epsg}",
        "proj:transform": [10.0, 0.0, west, 0.0, -10.0, north],
        "grid:code": f"MGRS-{epsg}-{west:.0f}-{north:.0f}",
        "eo:cloud_cover": 20.0,
        "description": _FILLER,
    }
    mask = {**whole["assets"]["mask"], "href": href, "file:checksum": f"1220{name}"}
    return {
        **whole,
        "id": name,
        "collection": COLLECTION,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [min(longitudes), min(latitudes), max(longitudes), max(latitudes)],
        "properties": {**whole["properties"], **said},
        "assets": {**whole["assets"], "mask": mask},
    }


@contextmanager
def continent(store: Storage, places: int, days: int) -> Iterator[Sequence[dict[str, Any]]]:
    """Run a PostgreSQL with the Items while the block runs."""
    with servers.postgres() as server:
        os.environ.update({**server.environment, "PGDATABASE": "bench"})
        with psycopg.connect(dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        loading.migrate()
        made = list(items(store, places, days))
        catalogue(*made)
        with psycopg.connect(autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE nimbostac.footprints")
            connection.execute("ANALYZE pgstac.items")
        yield made


def measure(places: int, days: int, starts: int) -> dict[str, float]:
    """Ask for a map of Europe: of a process that was just started, and later.

    Returns:
        Medians over all starts, milliseconds: the first map of a process and the processor time
        that it took there, the same while nothing changes, after something in the database did,
        and after another Item came in.
    """
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="nimbostac-bench-") as folder:
        store = Storage.from_url(str(Path(folder) / "store"))
        with continent(store, places, days) as made:
            for start in range(starts):
                with uvicorn("ours", "--factory", "tiler.app:create_app", query="") as server:
                    for name, value in _maps(server, made[start]).items():
                        found.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in found.items()}


def _maps(server: Server, known: dict[str, Any]) -> dict[str, float]:
    server.seconds(["/healthz"])
    before = server.cpu_s()
    first = server.seconds([PATH])[1]
    cpu = server.cpu_s() - before
    later = statistics.median(server.seconds([PATH] * 5)[1:])
    time.sleep(_FORGOTTEN_S)
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("SELECT txid_current()")
    changed = server.seconds([PATH])[1]
    newest = (_START + timedelta(days=90)).isoformat().replace("+00:00", "Z")
    said = {**known["properties"], "datetime": newest}
    mask = {**known["assets"]["mask"], "file:checksum": f"1220{server.pid}"}
    assets = {**known["assets"], "mask": mask}
    catalogue({**known, "id": f"NEW-{server.pid}", "properties": said, "assets": assets})
    time.sleep(_FORGOTTEN_S)
    seconds = {
        "first_ms": first,
        "first_cpu_ms": cpu,
        "later_ms": later,
        "changed_ms": changed,
        "another_item_ms": server.seconds([PATH])[1],
    }
    return {name: value * 1000 for name, value in seconds.items()}
