"""The ledger at its full size: what claiming, wishing and asking cost among ten million products.

``python -m tests.bench.ledger [--rows N] [--quick] [--json]``. A private PostgreSQL that shares
as much memory as that of the stack, filled by COPY: most products are done, a tenth are retries of
priority 0 that are delayed, a tenth wait. Claims are timed on the ledger as it was filled, and
again after many products have gone all the way through their lanes.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from deploy.stack.postgres import shared_buffers_mib
from ingest import ledger
from ingest import pgstac as loading
from ingest.ledger import Lane, Ledger, Wish
from tests import servers

ENGINES = ("kappamask", "ukis-csmask")
TILES = 20_000
PER_CLAIM = 100
BACKFILL = 30_389
YEAR = timedelta(days=365)
START = datetime(2016, 1, 1, 10, tzinfo=UTC)
NOW = datetime.now(UTC)
# State, lane, priority and delay of the products that are not done, by the last digits of a row.
WAITING = {
    **dict.fromkeys(range(10), ("due", "mask", 0, timedelta(hours=5))),
    **dict.fromkeys(range(10, 20), ("due", "mask", 5, timedelta(hours=-1))),
    20: ("failed", "mask", 5, timedelta(0)),
    21: ("held", "mask", 5, timedelta(0)),
    22: ("due", "stage", 5, timedelta(hours=-1)),
}
COLUMNS = (
    "engine, product, source, level, tile, sensed, lane, entry, priority, state, due, attempts,"
    " engine_version"
)


def tile(number: int) -> str:
    """Name one of the tiles."""
    zone, rest = number % 60 + 1, number // 60
    return f"{zone:02}U{'ABCDEFGHJKLMNPQRSTUVWXYZ'[rest % 24]}{'ABCDEFGHJKLMNPQRSTUV'[rest // 24]}"


def product(number: int) -> tuple[str, str, datetime]:
    """Give name, tile and time of sensing; the same number gives the same product."""
    place = tile(number % TILES)
    sensed = START + number // TILES * timedelta(days=3) + number % TILES * timedelta(seconds=1)
    text = sensed.isoformat().replace("-", "").replace(":", "")[:15]
    return f"S2A_MSIL1C_{text}_N0400_R{number % 143 + 1:03}_T{place}_{text}", place, sensed


def lines(rows: int) -> Iterator[str]:
    """Write the rows of the ledger as COPY reads them, in large pieces."""
    delays = {kind[3]: (NOW + kind[3]).isoformat() for kind in WAITING.values()}
    ends = []
    for digits in range(100):
        waits = WAITING.get(digits)
        state, lane, priority, delay = waits or ("done", "publish", 5, timedelta(0))
        version = chr(92) + "N" if waits else "1.0.0"
        ends.append(
            f"{lane}\tmask\t{priority}\t{state}\t{delays[delay]}\t{int(not priority)}\t{version}"
        )
    block = []
    for number in range(rows):
        name, place, sensed = product(number)
        block.append(
            f"{ENGINES[number % 7 > 0]}\t{name}\t/eodata/Sentinel-2/{name}.SAFE\tL1C\t{place}"
            f"\t{sensed.isoformat()}\t{ends[number % 100]}\n"
        )
        if len(block) == 10_000:
            yield "".join(block)
            block = []
    yield "".join(block)


def fill(rows: int) -> None:
    """Fill the ledger, past its triggers, and tally what came in."""
    with psycopg.connect() as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("ALTER TABLE ledger.products DISABLE TRIGGER USER")
        # Built at once in the end: much faster, and as dense as after REINDEX.
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'ledger'"
            " AND tablename = 'products' AND indexname NOT IN ('products_pkey', 'products_once')"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX ledger.{name}")
        connection.execute("ALTER TABLE ledger.products DROP CONSTRAINT products_once")
        with connection.cursor().copy(f"COPY ledger.products ({COLUMNS}) FROM STDIN") as copy:
            for block in lines(rows):
                copy.write(block)
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute(
            "ALTER TABLE ledger.products ADD CONSTRAINT products_once UNIQUE (product, engine)"
        )
        connection.execute("ALTER TABLE ledger.products ENABLE TRIGGER USER")
        connection.execute(
            "INSERT INTO ledger.tallies SELECT '', engine, lane, state, count(*)"
            " FROM ledger.products GROUP BY engine, lane, state"
        )
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE ledger.products")


def timed(act: Callable[[], Any], taken: list[float]) -> Any:
    """Do something, and note how many milliseconds it took."""
    start = time.perf_counter()
    result = act()
    taken.append((time.perf_counter() - start) * 1000)
    return result


def worked_ms(book: Ledger) -> float:
    """Tell how long PostgreSQL has worked for this connection; on a busy machine it waits too."""
    process = Path(f"/proc/{book._connection.info.backend_pid}/schedstat")
    return int(process.read_text().split()[0]) / 1e6


def claim(book: Ledger, lane: Lane, times: dict[str, list[float]]) -> list[tuple[int, int]]:
    """Claim a hundred products."""
    before = worked_ms(book)
    tasks = timed(lambda: book.claim(lane, PER_CLAIM), times["claim"])
    times["claim_work"].append(worked_ms(book) - before)
    if len(tasks) != PER_CLAIM:
        raise RuntimeError(f"{len(tasks)} products claimed")
    return [(task.id, task.turn) for task in tasks]


def through(book: Ledger, rounds: int, times: dict[str, list[float]]) -> None:
    """Send products all the way, a hundred a round."""
    for _ in range(rounds):
        turns = claim(book, Lane.MASK, times)
        timed(lambda turns=turns: book.start_many(turns, "bench"), times["start"])
        timed(lambda turns=turns: book.renew(turns), times["renew"])
        for one, turn in turns:
            timed(
                lambda one=one, turn=turn: book.advance(
                    one, turn, Lane.PUBLISH, record="key", timings={"mask": 20.0}, version="1.0.0"
                ),
                times["advance"],
            )
        turns = claim(book, Lane.PUBLISH, times)
        timed(lambda turns=turns: book.start_many(turns, "bench"), times["start"])
        timed(lambda turns=turns: book.finish(turns), times["finish"])


def measure(rows: int, rounds: int) -> dict[str, Any]:
    """Run everything."""
    with servers.postgres(shared_buffers_mib()) as server:
        os.environ.update({**server.environment, "PGDATABASE": "bench"})
        with psycopg.connect(dbname="postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        loading.migrate()
        ledger.migrate()
        start = time.perf_counter()
        fill(rows)
        filled_s = time.perf_counter() - start
        with ledger.opened() as book:
            return {"rows": rows, "fill_s": filled_s, **asked(book, rows, rounds)}


def asked(book: Ledger, rows: int, rounds: int) -> dict[str, Any]:
    """Time everything that is asked of a ledger that is full."""
    fresh: dict[str, list[float]] = defaultdict(list)
    worn: dict[str, list[float]] = defaultdict(list)
    asking: dict[str, list[float]] = defaultdict(list)
    backfill = book.backfill_create("bench", "ukis-csmask", {}, priority=4, created_by="bench")
    wishes = [
        Wish(name, f"/eodata/{name}.SAFE")
        for name in (product(rows + number)[0] for number in range(BACKFILL))
    ]
    for first in range(0, BACKFILL, 1000):
        chunk = wishes[first : first + 1000]
        timed(
            lambda chunk=chunk: book.want(
                chunk, "ukis-csmask", priority=4, version="1.0.0", backfill=backfill.id
            ),
            asking["want_1000"],
        )
    book.backfill_listed(backfill.id)
    through(book, 20, fresh)
    through(book, rounds, defaultdict(list))
    through(book, 50, worn)
    for number in range(30):
        place = tile(number * 331)
        timed(lambda place=place: book.coverage(place, START, START + 4 * YEAR), asking["coverage"])
        told = timed(lambda: book.progress(backfill.id), asking["progress"])
        timed(book.lanes, asking["lanes"])
        timed(lambda: book.urgent(Lane.MASK, 1000), asking["urgent"])
    if told.total != BACKFILL:
        raise RuntimeError(f"the backfill counts {told.total} products")
    return {
        **{f"{name}_ms": spread(taken) for name, taken in worn.items()},
        "claim_fresh_ms": spread(fresh["claim"]),
        **{f"{name}_ms": spread(taken) for name, taken in asking.items()},
        "steering_ms": steered(book, backfill.id),
        "size_gib": size(),
    }


def steered(book: Ledger, backfill: str) -> dict[str, float]:
    """Time what an operator does to a backfill of thirty thousand."""
    taken: list[float] = []
    for step in (book.pause, book.resume, book.abort, book.retry):
        timed(lambda step=step: step(backfill), taken)
    return dict(zip(("pause", "resume", "abort", "retry"), taken, strict=True))


def size() -> float:
    """Tell the size of the table with its indexes, GiB."""
    with psycopg.connect() as connection:
        query = "SELECT pg_total_relation_size('ledger.products')"
        row = connection.execute(query).fetchone()
    return float(row[0]) / 2**30 if row else 0.0


def spread(taken: list[float]) -> dict[str, float]:
    """Give the median and the 95th percentile."""
    return {"p50": statistics.median(taken), "p95": statistics.quantiles(taken, n=20)[-1]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, help="products in the ledger (10,000,000)")
    parser.add_argument("--quick", action="store_true", help="200,000 products, fewer rounds")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    arguments = parser.parse_args()
    rows = arguments.rows or (200_000 if arguments.quick else 10_000_000)
    found = measure(rows, 50 if arguments.quick else 500)
    out = sys.stderr if arguments.json else sys.stdout
    for name, value in found.items():
        told = value if isinstance(value, dict) else {"": value}
        shown = "  ".join(f"{key} {number:10.2f}" for key, number in told.items())
        print(f"{name:18s} {shown}", file=out)
    if arguments.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
