"""Tiles: ours against stock titiler-pgstac, on the same Items, in turns.

``python -m tests.bench.tiles [--quick] [--json]``. Each server is one uvicorn process; every
client keeps one connection. Ratios are of throughput, ours over stock.
"""

import argparse
import json
import os
import random
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
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
from tests.tiler.scenes import COLLECTION, Scene, catalogue, landscape, store_scene

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


FULL = Plan(tiles=60, rounds=5, cold=6)
QUICK = Plan(tiles=30, rounds=2, cold=3)


class Client:
    """One connection; as little work as a client can do, as it shares the machine."""

    def __init__(self, port: int, paths: Sequence[str]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._paths = iter(paths)
        self._data = b""
        self._started = 0.0
        self.seconds: list[float] = []

    def ask(self) -> bool:
        """Ask for the next path; whether there was one."""
        path = next(self._paths, None)
        if path is None:
            self.socket.close()
            return False
        self._data = b""
        self._started = time.perf_counter()
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        return True

    def hear(self) -> bool:
        """Take what has come; whether the answer is whole.

        Raises:
            RuntimeError: It is anything but a 200.
        """
        part = self.socket.recv(1 << 18)
        self._data += part
        end = self._data.find(b"\r\n\r\n")
        if end < 0 and part:
            return False
        head = self._data[:end].lower()
        if b" 200 " not in head[:20]:
            raise RuntimeError(f"{self._data[:400]!r}")
        start = head.index(b"content-length:") + len(b"content-length:")
        length = int(head[start:].split(b"\r\n", 1)[0])
        if len(self._data) < end + 4 + length:
            return False
        self.seconds.append(time.perf_counter() - self._started)
        return True


@dataclass(frozen=True)
class Server:
    """A running tile server."""

    name: str
    port: int
    query: str

    def seconds(self, paths: Sequence[str], clients: int = 1) -> list[float]:
        """Fetch all paths, by some clients at once; gives total, then seconds each."""
        whole = [path + self.query for path in paths]
        crowd = [Client(self.port, whole[number::clients]) for number in range(clients)]
        begin = time.perf_counter()
        with selectors.DefaultSelector() as waiting:
            for client in crowd:
                if client.ask():
                    waiting.register(client.socket, selectors.EVENT_READ, client)
            while waiting.get_map():
                for key, _ in waiting.select():
                    client = key.data
                    if client.hear():
                        waiting.unregister(client.socket)
                        if client.ask():
                            waiting.register(client.socket, selectors.EVENT_READ, client)
        total = time.perf_counter() - begin
        return [total, *(second for client in crowd for second in client.seconds)]


@contextmanager
def uvicorn(name: str, *app: str, query: str) -> Iterator[Server]:
    """Run one server process while the block runs."""
    port = servers.free_port()
    options = ["--port", str(port), "--log-level", "error", "--no-access-log"]
    process = subprocess.Popen([sys.executable, "-m", "uvicorn", *app, *options])
    try:
        servers.wait_for_port(port)
        yield Server(name, port, query)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


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
    parser.add_argument("--quick", action="store_true", help="fewer tiles and rounds")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    arguments = parser.parse_args()
    found = measure(QUICK if arguments.quick else FULL)
    for name, numbers in found.items():
        shown = "  ".join(f"{key} {value:8.2f}" for key, value in numbers.items())
        print(f"{name:9s} {shown}", file=sys.stderr if arguments.json else sys.stdout)
    if arguments.json:
        ratios = {name: round(numbers["ratio"], 2) for name, numbers in found.items()}
        p50_ms = round(found["item_1"]["ours_p50_ms"], 3)
        print(json.dumps({**ratios, "p50_ms": p50_ms, "details": found}))


if __name__ == "__main__":
    main()
