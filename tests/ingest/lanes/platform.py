"""Dispatchers and workers with the test engine, run until something has happened."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from ingest import ledger
from ingest.lanes import dispatcher, worker
from ingest.lanes.worker import LoadMasker
from ingest.ledger import Lane, Wish
from ingest.settings import IngestSettings
from producer.storage import Storage
from tests import records
from tests.ingest.lanes import engine

ENGINE = "ukis-csmask"
PATIENCE_S = 180.0


def settings(**more: Any) -> IngestSettings:
    """Be quick about everything."""
    quick = {"retry_s": 0.02, "probe_s": 0.1, "poll_s": 0.02, "lease_s": 15, "stop_wait_s": 2}
    return IngestSettings(**{**quick, **more})


def quick_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have dispatchers look at everything all the time."""
    monkeypatch.setattr(dispatcher, "_TURN_S", 0.05)
    monkeypatch.setattr(dispatcher, "_CHECK_S", 0.3)


def name(number: int) -> str:
    """Name one of many products."""
    sensed = records.SENSED + timedelta(days=number)
    return str(records.product_name(sensed=sensed))


def wish(folder: Path, number: int, manner: str = "") -> Wish:
    """Wish for a product that is there, and misbehaves as the test engine is told."""
    place = folder / f"{manner}{name(number)}.SAFE"
    place.touch()
    return Wish(name(number), str(place))


def want(
    wishes: Iterable[Wish],
    priority: int = 5,
    of: str = ENGINE,
    backfill: str | None = None,
) -> None:
    with ledger.opened() as book:
        book.want(wishes, of, priority=priority, version=engine.VERSION, backfill=backfill)


def rows() -> dict[str, dict[str, Any]]:
    """What the ledger says of every product, by name."""
    with psycopg.connect(autocommit=True, row_factory=dict_row) as connection:
        found = connection.execute("SELECT * FROM ledger.products").fetchall()
    return {row["product"]: row for row in found}


def states() -> dict[str, str]:
    return {product: row["state"] for product, row in rows().items()}


def catalogue() -> list[str]:
    """Ids of the Items that can be found."""
    with psycopg.connect(autocommit=True) as connection:
        found = connection.execute("SELECT id FROM pgstac.items ORDER BY id").fetchall()
    return [item for (item,) in found]


def all_in(*wanted: str) -> Callable[[], bool]:
    """Ask whether every product is in one of some states."""
    return lambda: set(states().values()) <= set(wanted)


@dataclass(frozen=True)
class Platform:
    """What runs."""

    settings: IngestSettings
    lanes: Sequence[Lane] = tuple(Lane)
    dispatchers: int = 1
    workers: int = 1
    load_masker: LoadMasker | None = None
    device: str = "cpu"

    def until(self, happened: Callable[[], bool]) -> None:
        """Run until a question is answered with yes, and stop in order.

        Raises:
            TimeoutError: It never was.
        """
        asyncio.run(self._run(happened))

    async def _run(self, happened: Callable[[], bool]) -> None:
        stop = asyncio.Event()
        told = self.settings
        load = self.load_masker or engine.masker(Storage.from_url(told.store_url))
        parts = [
            *(dispatcher.serve(told, stop) for _ in range(self.dispatchers)),
            *(
                worker.serve(told, stop, self.lanes, device=self.device, load_masker=load)
                for _ in range(self.workers)
            ),
        ]
        tasks = [asyncio.create_task(part) for part in parts]
        asked = asyncio.create_task(_answered(happened))
        try:
            async with asyncio.timeout(PATIENCE_S):
                done, _ = await asyncio.wait({asked, *tasks}, return_when=asyncio.FIRST_COMPLETED)
                # What ends early ends by an error.
                for task in done:
                    task.result()
        finally:
            stop.set()
            asked.cancel()
            await asyncio.gather(*tasks)


async def _answered(happened: Callable[[], bool]) -> None:
    while not await asyncio.to_thread(happened):  # noqa: ASYNC110 - asks servers
        await asyncio.sleep(0.05)
