"""A producer for jobs: masks at once, fails as told, and can be stopped at any point.

Run as a program it is a worker whose masker waits where it is told to::

    python -m tests.ingest.fakes STALL MARKER RELEASE

STALL is ``start``, ``load``, the end of a key in storage, or ``never``: after that it touches
the file MARKER, and goes on once there is a file RELEASE.
"""

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest import worker
from ingest.errors import IngestError
from ingest.jobs import Work
from ingest.pgstac import Pgstac
from ingest.queue import translated
from ingest.settings import IngestSettings
from producer.record import MaskRecord
from producer.storage import Storage
from tests import records

SOURCE = "/data/S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102101.SAFE"
PRODUCT = SOURCE.removeprefix("/data/").removesuffix(".SAFE")
RECORD = "_ukis-csmask-1.0.0.json"


class Fake:
    """Stores a small mask, or reads the record of one that is there, as the producer does."""

    def __init__(self, store: Storage, fails: list[Exception] | None = None) -> None:
        self.store = store
        self.fails = fails or []
        self.made = 0

    def mask(self, source: str, progress: Callable[[str, int, int], None]) -> MaskRecord:
        assert source == SOURCE
        progress("infer", 1, 4)
        if self.fails:
            raise self.fails.pop(0)
        for found in self.store.list("", RECORD):
            return MaskRecord.parse(self.store.get(found.key), found.key)
        self.made += 1
        return records.stored_mask(self.store).record


def settings(**more: Any) -> IngestSettings:
    return IngestSettings(retry_s=0.01, lease_s=1, job_timeout_s=120, **more)


def main(stall: str, marker: Path, release: Path) -> None:
    """Work until told to stop."""

    def wait() -> None:
        marker.touch()
        while not release.exists():
            time.sleep(0.05)

    class Waiting(Fake):
        def mask(self, source: str, progress: Callable[[str, int, int], None]) -> MaskRecord:
            if stall == "start":
                wait()
            return super().mask(source, progress)

    put, load = Storage.put, Pgstac.load

    def put_and_wait(self: Storage, key: str, data: bytes) -> None:
        put(self, key, data)
        if key.endswith(stall):
            wait()

    def load_and_wait(self: Pgstac, items: Any) -> None:
        load(self, items)
        if stall == "load":
            wait()

    Storage.put = put_and_wait  # type: ignore[method-assign]
    Pgstac.load = load_and_wait  # type: ignore[method-assign]
    told = settings(stop_wait_s=1 if stall == "start" else 30)
    store = Storage.from_url(told.store_url)
    with translated(told):
        worker.build(told, Work(store, lambda _: Waiting(store))).run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    try:
        main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    except IngestError as error:
        sys.exit(str(error))
