"""Clear sky over a field: one request of ours, against asking Item by Item.

``python -m tests.bench.clear [--quick] [--beside] [--json]``. All servers are single uvicorn
processes on this machine, warm, one connection. The peers do what a user had to do before: search,
then read the
field's window of every mask with odc-stac over HTTP, or ask stock titiler-pgstac for
``/statistics`` of every Item. All three must agree on the clear share, or the bench stops.
"""

import argparse
import hashlib
import http.client
import json
import os
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import odc.stac
import psycopg
import shapely
from odc.geo.geom import Geometry
from pyproj import Transformer
from pystac_client import Client
from rasterio.features import geometry_mask
from shapely import Polygon
from shapely.geometry import mapping

from ingest import pgstac as loading
from producer import cog
from producer.layout import MASK, METADATA, file_key, stem_key
from producer.record import FileRecord
from producer.storage import Storage
from tests import records, servers
from tests.bench.tiles import Server, tiles_of, uvicorn
from tests.tiler.scenes import Scene, landscape

COLLECTION = "ukis-csmask-l1c"
TILE, EPSG = "33UUU", 32633
START = datetime(2024, 1, 1, 10, 20, tzinfo=UTC)
YEAR, HUNDRED = 150, 100
FIELD_M = 1000
# Nearly the largest of which every pixel is counted.
LARGE_M = 9750
LARGE_ITEMS = 30
CROWD, TILES = 8, 40
# A mask is as good as its reading: GDAL as its makers advise for COGs over HTTP.
GDAL = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_MULTIPLEX": "YES",
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
    "VSI_CACHE": "TRUE",
}


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    size_px: int
    distinct: int
    rounds: int
    peer_rounds: int


FULL = Plan(size_px=10980, distinct=6, rounds=21, peer_rounds=3)
QUICK = Plan(size_px=5490, distinct=2, rounds=9, peer_rounds=1)


class Api:
    """One kept connection to a server."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post JSON and read the answer; anything but 200 stops the bench."""
        text = json.dumps(body)
        try:
            answer = self._send(path, text)
        except (http.client.RemoteDisconnected, ConnectionError):
            # Hung up by the server while others were measured.
            self._connection.close()
            answer = self._send(path, text)
        content = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path}: {answer.status} {content[:400]!r}")
        found: dict[str, Any] = json.loads(content)
        return found

    def _send(self, path: str, text: str) -> http.client.HTTPResponse:
        self._connection.request("POST", path, text, {"Content-Type": "application/json"})
        return self._connection.getresponse()


def fill(store: Storage, plan: Plan) -> None:
    """Store and catalogue a year of masks of one tile."""
    grid = records.grid_of(TILE, (plan.size_px, plan.size_px))
    stored, encoded = [], []
    for seed in range(plan.distinct):
        mask = landscape(plan.size_px, plan.size_px, seed, 60)
        encoded.append((records.record_of(mask=mask), cog.encode_mask(mask, grid, {})))
    for number in range(YEAR):
        like, data = encoded[number % len(encoded)]
        name = records.product_name(TILE, START + number * timedelta(days=365 / YEAR))
        stem = stem_key(name, "ukis-csmask", "1.0.0")
        key = file_key(stem, MASK)
        store.put(key, data)
        file = FileRecord(
            key=key.rpartition("/")[2],
            media_type=records.COG,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        source = like.source.model_copy(update={"name": str(name), "sensed": name.sensed})
        record = like.model_copy(
            update={"product": str(name), "source": source, "files": {MASK: file}}
        )
        store.put(file_key(stem, METADATA), record.model_dump_json().encode())
        stored.append(records.Stored(record, stem))
    records.catalogued(store, *stored)


def field_of(plan: Plan) -> Polygon:
    """Choose a field of a square kilometre across the corner of four blocks."""
    return square(plan, FIELD_M)


def square(plan: Plan, size_m: float) -> Polygon:
    """Choose a square that begins within a block, not at its edge."""
    grid = records.grid_of(TILE, (plan.size_px, plan.size_px))
    west, _, _, north = grid.bounds
    x, y = west + 5120 * 6 - 430, north - 5120 * 4 + 380
    back = Transformer.from_crs(EPSG, 4326, always_xy=True)
    corners = [(0, 0), (size_m, 0), (size_m, -size_m), (0, -size_m)]
    return Polygon([back.transform(x + dx, y + dy) for dx, dy in corners])


def milliseconds(act: Callable[[], object], rounds: int) -> list[float]:
    """Do something some times; gives how long each took."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        act()
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def until(count: int) -> str:
    """Give the interval in which the first so many products were sensed."""
    end = START + (count - 0.5) * timedelta(days=365 / YEAR)
    return f"{START - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"


def search(field: Polygon, count: int) -> dict[str, Any]:
    """Give the body of a search for so many products."""
    return {
        "collections": [COLLECTION],
        "intersects": mapping(field),
        "datetime": until(count),
        "limit": count,
    }


def by_client(stac: str, field: Polygon) -> list[float]:
    """Ask as a user of odc-stac does: search, load the window, count what lies in the field."""
    found = Client.open(stac).search(**search(field, HUNDRED)).item_collection()
    loaded = odc.stac.load(
        found,
        bands=["mask"],
        geopolygon=Geometry(mapping(field), "EPSG:4326"),
        crs=f"EPSG:{EPSG}",
        resolution=10,
        groupby="id",
        progress=None,
    )
    grid = loaded.odc.geobox
    to_metres = Transformer.from_crs(4326, EPSG, always_xy=True)
    metres = shapely.transform(
        field, lambda xy: np.column_stack(to_metres.transform(xy[:, 0], xy[:, 1]))
    )
    inside = geometry_mask([metres], grid.shape, grid.transform, invert=True)
    shares = []
    for picture in loaded["mask"].values:
        counts = np.bincount(picture[inside], minlength=6)[1:]
        shares.append(float(counts[0] / counts.sum()))
    return shares


def by_titiler(api: Api, names: Sequence[str], field: Polygon) -> list[float]:
    """Ask stock titiler-pgstac for the statistics of every Item."""
    feature = {"type": "Feature", "properties": {}, "geometry": mapping(field)}
    query = "assets=mask&categorical=true&dst_crs=EPSG:32633&" + "&".join(
        f"c={value}" for value in range(1, 6)
    )
    shares = []
    for name in names:
        path = f"/collections/{COLLECTION}/items/{name}/statistics?{query}"
        counted = api.post(path, feature)["properties"]["statistics"]
        histogram = next(iter(counted.values()))["histogram"][0]
        shares.append(histogram[0] / sum(histogram))
    return shares


def agree(mine: Sequence[float], theirs: Sequence[float], who: str) -> None:
    """Stop where a peer counted something else: edges differ by a few pixels of 10,000."""
    worst = float(np.abs(np.subtract(sorted(mine), sorted(theirs))).max())
    if worst > 0.01:
        raise RuntimeError(f"{who} finds other shares: up to {worst:.3f} apart")


def measure(plan: Plan, *, only_beside: bool) -> dict[str, Any]:
    """Run everything, or only tiles beside large requests."""
    field = field_of(plan)
    with tempfile.TemporaryDirectory(prefix="nimbostac-bench-") as folder:
        store = Storage.from_url(str(Path(folder) / "store"))
        with servers.postgres() as server:
            os.environ.update(
                {
                    **server.environment,
                    **GDAL,
                    "PGDATABASE": "bench",
                    "PYTHONWARNINGS": "ignore",
                    "NIMBOSTAC_STORE_URL": store.url,
                    # On a busy machine, too, the numbers are wanted, not the limit.
                    "NIMBOSTAC_TILER_CLEAR_TIMEOUT_S": "600",
                }
            )
            with psycopg.connect(dbname="postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench")
            loading.migrate()
            fill(store, plan)
            if only_beside:
                with uvicorn("ours", "--factory", "deploy.app:create_app", query="") as ours:
                    names = Api(ours.port).post("/tiler/clear", search(field, 1))["features"]
                    return beside(plan, ours, names[0]["id"])
            with (
                uvicorn("ours", "--factory", "deploy.app:create_app", query="") as ours,
                uvicorn("stock", "titiler.pgstac.main:app", query="") as stock,
            ):
                return compared(plan, field, ours.port, stock.port)


def beside(plan: Plan, server: Server, name: str) -> dict[str, float]:
    """Fetch tiles alone, then while eight others ask for the sky of 95 km2 in 30 products."""
    scene = Scene(name, EPSG, *_corner(plan), np.zeros((plan.size_px, plan.size_px), np.uint8))
    base = f"/tiler/collections/{COLLECTION}/items/{name}"
    paths = [base + path for path in tiles_of(scene, TILES)]
    large = square(plan, LARGE_M)
    server.seconds(paths)
    alone = server.seconds(paths * 3)[1:]
    stop = threading.Event()
    answered: list[float] = []

    def ask() -> None:
        api = Api(server.port)
        while not stop.is_set():
            answered.extend(
                milliseconds(lambda: api.post("/tiler/clear", search(large, LARGE_ITEMS)), 1)
            )

    crowd = [threading.Thread(target=ask) for _ in range(CROWD)]
    for each in crowd:
        each.start()
    time.sleep(2)
    loaded = server.seconds(paths * 3)[1:]
    stop.set()
    for each in crowd:
        each.join()
    found = {"tiles_alone": alone, "tiles_beside": loaded}
    return {
        **{
            f"{name}_p{share}_ms": float(np.percentile(seconds, share)) * 1000
            for name, seconds in found.items()
            for share in (50, 95)
        },
        "large_ms": statistics.median(answered),
    }


def _corner(plan: Plan) -> tuple[float, float]:
    west, _, _, north = records.grid_of(TILE, (plan.size_px, plan.size_px)).bounds
    return west, north


def compared(plan: Plan, field: Polygon, ours: int, stock: int) -> dict[str, Any]:
    """Measure ours alone, then all three in turns."""
    api, titiler = Api(ours), Api(stock)

    def ask(count: int) -> dict[str, Any]:
        return api.post("/tiler/clear", search(field, count))

    found = ask(HUNDRED)["features"]
    mine = [feature["properties"]["aoi:clear"] for feature in found]
    names = [feature["id"] for feature in found]
    if len(found) != HUNDRED or len(ask(YEAR)["features"]) != YEAR:
        raise RuntimeError("the catalogue does not hold what it should")
    hundred = milliseconds(lambda: ask(HUNDRED), plan.rounds)
    year = milliseconds(lambda: ask(YEAR), plan.rounds)
    taken: dict[str, list[float]] = {"ours": [], "client": [], "titiler": []}
    stac = f"http://127.0.0.1:{ours}/stac"
    agree(mine, by_client(stac, field), "odc-stac")
    agree(mine, by_titiler(titiler, names, field), "titiler")
    for _ in range(plan.peer_rounds):
        taken["ours"] += milliseconds(lambda: ask(HUNDRED), 3)
        taken["client"] += milliseconds(lambda: by_client(stac, field), 1)
        taken["titiler"] += milliseconds(lambda: by_titiler(titiler, names, field), 1)
    middle = {name: statistics.median(times) for name, times in taken.items()}
    return {
        "ms_100_items": statistics.median(hundred),
        "ms_year": statistics.median(year),
        "ratio_client": middle["client"] / middle["ours"],
        "ratio_titiler": middle["titiler"] / middle["ours"],
        "details": {
            "best_ms_100_items": min(hundred),
            "best_ms_year": min(year),
            **{f"{name}_ms": value for name, value in middle.items()},
        },
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller masks, fewer rounds")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument(
        "--beside", action="store_true", help="only tiles, alone and beside large requests"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    found = measure(QUICK if arguments.quick else FULL, only_beside=arguments.beside)
    numbers = {**found, **found.get("details", {})}
    for name, value in numbers.items():
        if name != "details":
            out = sys.stderr if arguments.json else sys.stdout
            print(f"{name:20s} {value:10.1f}", file=out)
    if arguments.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
