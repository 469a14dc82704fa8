"""Footprints, and one point through time, over a million Items.

``python -m tests.bench.footprints [--quick] [--json]``. The Items are copies of one, made by SQL
inside pgstac: 2000 places, 500 dates each; ``--quick`` makes 50,000. One uvicorn process; before
every request something is committed and the server's memory is out of date, so that each is
answered by the database. ``kept_ms`` is the same request while nothing changes.
"""

import argparse
import calendar
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import morecantile
import psycopg

from ingest import pgstac as loading
from producer.storage import Storage
from tests import servers
from tests.bench.serving import Server, uvicorn
from tests.tiler.scenes import COLLECTION, Scene, catalogue, landscape, store_scene

START = datetime(2018, 1, 1, 10, tzinfo=UTC)
STEP = timedelta(days=5)
ACROSS, DEGREES = 50, 0.9
"""Places lie in rows of so many, so many degrees apart, from the mask's own place on."""

_COPY = """
INSERT INTO pgstac.items (id, geometry, collection, datetime, end_datetime, content)
SELECT 'P' || place || '-' || day,
    ST_Translate(seed.geometry, (place %% %(across)s::int) * %(step)s::float,
        -(place / %(across)s::int) * %(step)s::float),
    seed.collection, sensed, sensed,
    jsonb_set(jsonb_set(jsonb_set(seed.content,
        '{properties,datetime}', to_jsonb(to_char(sensed, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))),
        '{properties,grid:code}', to_jsonb('MGRS-' || place)),
        '{properties,eo:cloud_cover}', to_jsonb((place * 7 + day * 13) %% 101))
FROM pgstac.items seed, generate_series(0, %(places)s::int - 1) AS place,
    generate_series(%(first)s::int, %(last)s::int) AS day,
    LATERAL (SELECT %(start)s::timestamptz + day * interval '5 days' AS sensed) sensed
WHERE seed.id = 'SEED'
"""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    places: int
    days: int
    rounds: int


FULL = Plan(places=2000, days=500, rounds=5)
QUICK = Plan(places=500, days=100, rounds=3)


def fill(store: Storage, plan: Plan) -> float:
    """Make the Items; gives seconds."""
    classes = landscape(10980, 10980, 1, 60)
    seed = Scene("SEED", 32633, 399960, 5900040, classes, START - STEP)
    said = {
        "eo:cloud_cover": 20.0,
        "grid:code": "MGRS-0",
        "nimbostac:clear": 0.8,
        "description": "as long as the other properties of an Item are. " * 20,
    }
    item = store_scene(replace(seed, properties=said), store)
    # The first and last second of each month, for which pgstac makes the partitions.
    months = sorted({(START + day * STEP).strftime("%Y-%m") for day in range(plan.days)})
    ends = [
        f"{month}-{day:02}T{clock}Z"
        for month in months
        for day, clock in (
            (1, "00:00:00"),
            (calendar.monthrange(*map(int, month.split("-")))[1], "23:59:59"),
        )
    ]
    rest = [
        {**item, "id": f"M{end}", "properties": {**item["properties"], "datetime": end}}
        for end in ends
    ]
    catalogue(item, *rest)
    begin = time.perf_counter()
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("SET search_path TO pgstac, public")
        for first in range(0, plan.days, 50):
            values = {
                "across": ACROSS,
                "step": DEGREES,
                "places": plan.places,
                "first": first,
                "last": min(first + 50, plan.days) - 1,
                "start": START,
            }
            connection.execute(_COPY, values)
        taken = time.perf_counter() - begin
        connection.execute("VACUUM ANALYZE nimbostac.footprints")
        connection.execute("ANALYZE pgstac.items")
    return taken


def measured(server: Server, path: str, rounds: int) -> dict[str, float]:
    """Ask again and again; gives milliseconds when something changed, and when nothing did."""
    fresh, kept = [], []
    server.seconds([path])
    with psycopg.connect(autocommit=True) as connection:
        for _ in range(rounds):
            connection.execute("SELECT txid_current()")
            # Longer than the server counts on what it knows.
            time.sleep(0.1)
            fresh.append(server.seconds([path])[1] * 1000)
            kept.append(server.seconds([path])[1] * 1000)
    return {"ms": statistics.median(fresh), "kept_ms": statistics.median(kept)}


def measure(plan: Plan) -> dict[str, Any]:
    """Run everything."""
    tms = morecantile.tms.get("WebMercatorQuad")
    lon, lat = 13.9, 52.7
    with tempfile.TemporaryDirectory(prefix="nimbostac-bench-") as folder:
        store = Storage.from_url(str(Path(folder) / "store"))
        with servers.postgres() as server:
            os.environ.update(
                {
                    **server.environment,
                    "PGDATABASE": "bench",
                    "NIMBOSTAC_TILER_ITEM_AGE_S": "0.05",
                }
            )
            with psycopg.connect(dbname="postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE bench")
            loading.migrate()
            filled_s = fill(store, plan)
            year = "datetime=2019-01-01/2019-12-31"
            asked = {
                **{f"z{zoom}": (zoom, "") for zoom in (0, 2, 4, 6, 8, 10)},
                "z4_year": (4, year),
                "z4_cloud": (4, "filter=%22eo%3Acloud_cover%22%20%3C%2010"),
                "z8_year": (8, year),
            }
            with uvicorn("ours", "--factory", "tiler.app:create_app", query="") as ours:
                found: dict[str, Any] = {}
                for name, (zoom, query) in asked.items():
                    tile = tms.tile(lon, lat, zoom)
                    path = f"/footprints/{tile.z}/{tile.x}/{tile.y}.pbf?collections={COLLECTION}"
                    found[name] = measured(ours, f"{path}&{query}", plan.rounds)
                point = f"/history/{lon},{lat}?collections={COLLECTION}&limit=1000"
                found["history"] = measured(ours, point, plan.rounds)
    return {"items": plan.places * plan.days, "filled_s": filled_s, **found}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50,000 Items, fewer rounds")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    arguments = parser.parse_args()
    found = measure(QUICK if arguments.quick else FULL)
    out = sys.stderr if arguments.json else sys.stdout
    for name, numbers in found.items():
        if isinstance(numbers, dict):
            shown = "  ".join(f"{key} {value:8.1f}" for key, value in numbers.items())
            print(f"{name:9s} {shown}", file=out)
        else:
            print(f"{name:9s} {numbers:10.0f}", file=out)
    if arguments.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
