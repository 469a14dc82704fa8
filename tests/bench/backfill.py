"""A backfill of many small products through the real lanes, and publishing beside searches.

``python -m tests.bench.backfill [--quick] [--products N] [--ready N] [--workers N] [--json]``.
The dispatcher and the workers are processes; Redis, PostgreSQL and pgstac are real, and wait for
no disk. Masks of 20 x 20 px are made by the engine of the tests, which writes real COGs and infers
nothing: what is measured is everything but masking. Then records that lie ready are published,
once with nothing beside it and once with searches, whose times are told against those alone.
"""

import argparse
import json
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb
from rich.console import Console
from rich.table import Table

from ingest import ledger, publishing
from ingest import pgstac as loading
from ingest.ledger import Lane, Wish
from producer.layout import METADATA, file_key, stem_key
from producer.product import ProductName
from producer.storage import Storage
from tests import records, servers
from tests.bench.lanes import done, processes, seconds_until_done
from tests.ingest.lanes.engine import VERSION

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Event

ENGINE = "ukis-csmask"
TILES = ("33UUU", "35VLF", "32TQM", "31UDQ", "34VFM", "33TWN")
CLAIMS, SEARCHES = 30, 200


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    products: int
    ready: int
    workers: int
    publishers: int


def names(count: int, year: int) -> Iterator[str]:
    """Name products of a few tiles, over some years."""
    start = records.SENSED.replace(year=year)
    for number in range(count):
        sensed = start + timedelta(hours=2 * (number // len(TILES)))
        yield str(records.product_name(TILES[number % len(TILES)], sensed))


def want(folder: Path, products: list[str]) -> float:
    """Wish for products; gives the milliseconds that each took."""
    folder.mkdir()
    for name in products:
        (folder / f"{name}.SAFE").touch()
    began = time.perf_counter()
    with ledger.opened() as book:
        wishes = [Wish(name, f"{folder}/{name}.SAFE") for name in products]
        book.want(wishes, ENGINE, priority=5, version=VERSION)
    return 1000 * (time.perf_counter() - began) / len(products)


def claim_ms() -> float:
    """Median milliseconds of claiming the next 100; all are given back."""
    took = []
    with ledger.opened() as book:
        for _ in range(CLAIMS):
            began = time.perf_counter()
            tasks = book.claim(Lane.MASK, 100)
            took.append(1000 * (time.perf_counter() - began))
            book.give_back([(task.id, task.turn) for task in tasks])
    return statistics.median(took)


def backfill(plan: Plan, folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Send every product through the lanes."""
    want_ms = want(folder / "products", list(names(plan.products, 2017)))
    claimed_ms = claim_ms()
    parts = [("--dispatcher",), ("--lane", "publish"), *[("--lane", "mask")] * plan.workers]
    with processes(folder, parts) as running:
        seconds = seconds_until_done(plan.products, running, tell)
        cpu_ms = {one.name: 1000 * one.cpu_s / plan.products for one in running}
    return {
        "products": plan.products,
        "products_per_s": round(plan.products / seconds, 1),
        "want_ms": round(want_ms, 3),
        "claim_ms": round(claimed_ms, 2),
        "dispatcher_cpu_ms": round(cpu_ms["dispatcher"], 3),
        "publish_cpu_ms": round(cpu_ms["publish"], 3),
        "rss_mib": {one.name: round(one.rss_mib[-1], 1) for one in running if one.rss_mib},
        "rss_growth_mib": round(max(one.growth_mib for one in running if one.rss_mib), 1),
    }


def make_ready(store: Storage, folder: Path, count: int, year: int) -> None:
    """Put records into storage, as the mask lane does, and their products into the publish lane."""
    products = list(names(count, year))
    want(folder, products)
    base = records.record_of()
    text = base.model_dump_json(indent=1, exclude_none=True)
    sensed = base.source.sensed.isoformat().removesuffix("+00:00")
    keys = {}
    for name in products:
        product = ProductName.parse(name)
        keys[name] = key = file_key(stem_key(product, ENGINE, VERSION), METADATA)
        moment = product.sensed.isoformat().removesuffix("+00:00")
        store.put(key, text.replace(base.product, name).replace(sensed, moment).encode())
        publishing.write_item(store, publishing.read(store, key))
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(
            "UPDATE ledger.products p SET lane = 'publish', record = k.value,"
            " engine_version = %s FROM jsonb_each_text(%s) AS k WHERE p.product = k.key",
            (VERSION, Jsonb(keys)),
        )


def search(stop: "Event", took_ms: "Queue[list[float]]", most: int) -> None:
    """Search one box and month after the other, until told to stop or often enough."""
    found: list[float] = []
    chosen = random.Random(1)
    with psycopg.connect(autocommit=True, options="-c search_path=pgstac,public") as connection:
        while not stop.is_set() and len(found) < most:
            day = records.SENSED + timedelta(days=chosen.randrange(400))
            west, south = chosen.uniform(8, 24), chosen.uniform(44, 57)
            asked = {
                "collections": [f"{ENGINE}-l1c"],
                "bbox": [west, south, west + 3, south + 3],
                "datetime": f"{day:%Y-%m-%d}/{day + timedelta(days=30):%Y-%m-%d}",
                "limit": 10,
            }
            began = time.perf_counter()
            connection.execute("SELECT search(%s)", (Jsonb(asked),)).fetchone()
            found.append(1000 * (time.perf_counter() - began))
            # As people do: one after the other, never as fast as the server can.
            time.sleep(0.05)
    took_ms.put(found)


@contextmanager
def searches(*, on: bool, most: int | None = None) -> Iterator[list[float]]:
    """Search in a process of its own while the block runs; the times are there afterwards.

    Args:
        on: Whether to search at all.
        most: After how many searches to end, instead of with the block.
    """
    took: list[float] = []
    if not on:
        yield took
        return
    context = multiprocessing.get_context("spawn")
    stop, told = context.Event(), context.Queue()
    process = context.Process(target=search, args=(stop, told, most or 10**9))
    process.start()
    try:
        yield took
    finally:
        if most is None:
            stop.set()
        took += told.get(timeout=600)
        process.join()


def published(
    plan: Plan, store: Storage, folder: Path, tell: Callable[[str], None], *, beside: bool
) -> tuple[float, list[float]]:
    """Publish what lies ready; gives Items a second, and the times of searches beside it."""
    with psycopg.connect(autocommit=True) as connection:
        before = done(connection)
    make_ready(store, folder / f"ready-{beside}", plan.ready, 2019 + 2 * beside)
    parts = [("--dispatcher",), *[("--lane", "publish")] * plan.publishers]
    with searches(on=beside) as took, processes(folder, parts) as running:
        seconds = seconds_until_done(before + plan.ready, running, tell, before)
    return plan.ready / seconds, took


def p95(values: list[float]) -> float:
    """Tell what 95 of a hundred stay under."""
    return round(statistics.quantiles(values, n=20)[-1], 1)


def alone() -> list[float]:
    """Search with nothing beside it."""
    with searches(on=True, most=SEARCHES) as took:
        pass
    return took


def measure(plan: Plan, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run everything on servers of its own."""
    with (
        servers.postgres() as postgres,
        servers.redis() as redis,
        tempfile.TemporaryDirectory(prefix="nimbostac-bench-") as name,
    ):
        folder = Path(name)
        os.environ |= {
            **postgres.environment,
            "PGDATABASE": "bench",
            "NIMBOSTAC_REDIS_URL": redis.url,
            "NIMBOSTAC_STORE_URL": str(folder / "masks"),
            "NIMBOSTAC_SCRATCH": str(folder / "scratch"),
        }
        with psycopg.connect(dbname="postgres", autocommit=True) as server:
            server.execute("CREATE DATABASE bench")
        loading.migrate()
        ledger.migrate()
        found = {"load_at_start": round(os.getloadavg()[0], 1)}
        # The engine takes no time, so that nobody may wait between two looks.
        os.environ["NIMBOSTAC_POLL_S"] = "0.005"
        found |= backfill(plan, folder, tell)
        # Batches of a thousand are published with the patience that publishers have by default.
        del os.environ["NIMBOSTAC_POLL_S"]
        store = Storage.from_url(str(folder / "masks"))
        undisturbed, _ = published(plan, store, folder, tell, beside=False)
        tell("searching with nothing beside it")
        quiet = alone()
        beside, busy = published(plan, store, folder, tell, beside=True)
        return {
            **found,
            "ready": plan.ready,
            "published_per_s": round(beside, 1),
            "published_per_s_alone": round(undisturbed, 1),
            "search_p95_ms": p95(busy),
            "search_p95_ms_alone": p95(quiet),
            "load_at_end": round(os.getloadavg()[0], 1),
        }


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few minutes at most")
    parser.add_argument("--products", type=int)
    parser.add_argument("--ready", type=int)
    parser.add_argument("--workers", type=int, default=2, help="in the mask lane")
    parser.add_argument("--publishers", type=int, default=1, help="beside records that lie ready")
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    plan = Plan(
        told.products or (1000 if told.quick else 30_389),
        told.ready or (2000 if told.quick else 20_000),
        told.workers,
        told.publishers,
    )
    console = Console(stderr=True)
    with console.status("starting") as status:
        found = measure(plan, status.update)
    table = Table("", "", box=None, show_header=False)
    for key, value in found.items():
        table.add_row(key, str(value))
    console.print(table)
    if told.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
