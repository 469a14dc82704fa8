"""A test engine: writes small real masks for products that need not exist, and fails as told.

What it does is told by the name of the source file, so that it works the same in any process:
``NAME.SAFE`` is masked; words before it, each with a dash after it, make it do something else:

- ``corrupt-``: fails for good, as a broken product does;
- ``away-N-``: fails N times, as storage that is away does;
- ``bug-``: fails by an error that nobody foresaw;
- ``slow-S-``: takes S seconds, telling its progress all the while;
- ``poison-``: takes its whole process with it.
"""

import hashlib
import os
import re
import signal
import time
from pathlib import Path

import numpy as np

from ingest.lanes.worker import LoadMasker
from producer.cog import encode_mask
from producer.engines import Progress
from producer.errors import BandReadError, NoSpaceError
from producer.layout import MASK, METADATA, file_key, stem_key
from producer.product import ProductName
from producer.record import FileRecord, MaskRecord
from producer.storage import Storage
from tests import records

VERSION = "1.0.0"
EDGE_PX = 20


class Masker:
    """Stores a small mask, or reads the record of one that is there, as the producer does."""

    def __init__(self, store: Storage, engine: str) -> None:
        self._store = store
        self._engine = engine

    def mask(self, source: str, progress: Progress, *, origin: str | None = None) -> MaskRecord:
        place = Path(source)
        *words, name = place.name.removesuffix(".SAFE").split("-")
        product = ProductName.parse(name)
        stem = stem_key(product, self._engine, VERSION)
        key = file_key(stem, METADATA)
        progress("infer", 0, 1)
        if self._store.head(key) is not None:
            return MaskRecord.parse(self._store.get(key), key)
        self._misbehave(words, place, progress)
        grid = records.grid_of(product.tile, (EDGE_PX, EDGE_PX))
        mask = np.full(grid.shape, 1 + int(hashlib.sha256(name.encode()).hexdigest(), 16) % 4)
        data = encode_mask(mask.astype(np.uint8), grid, {"PRODUCT": name})
        self._store.put(file_key(stem, MASK), data)
        file = FileRecord(
            key=file_key(stem, MASK).rpartition("/")[2],
            media_type=records.COG,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        made = records.Made(engine=self._engine, version=VERSION, level=product.level)
        record = records.record_of(product, mask.astype(np.uint8), made, {MASK: file})
        uri = origin or place.as_uri()
        record = record.model_copy(update={"source": record.source.model_copy(update={"uri": uri})})
        self._store.put(key, record.model_dump_json(indent=1, exclude_none=True).encode())
        progress("infer", 1, 1)
        return record

    def _misbehave(self, words: list[str], place: Path, progress: Progress) -> None:
        match words:
            case ["corrupt"]:
                raise BandReadError(place, "B04", "is cut short")
            case ["bug"]:
                raise ZeroDivisionError("by zero")
            case ["away", times]:
                tries = place.with_name(f"{place.name}.tries")
                count = int(tries.read_text()) if tries.exists() else 0
                if count < int(times):
                    tries.write_text(str(count + 1))
                    raise NoSpaceError("/masks")
            case ["slow", seconds]:
                place.with_name(f"{place.name}.begun").touch()
                end = time.monotonic() + float(seconds)
                while time.monotonic() < end:
                    progress("infer", 1, 2)
                    time.sleep(0.02)
            case ["poison"]:
                os.kill(os.getpid(), signal.SIGKILL)


def masker(store: Storage) -> LoadMasker:
    """Give the test engine under any name, but ``broken``, which works on nothing."""

    def load(engine: str) -> Masker:
        if re.fullmatch("broken.*", engine):
            raise RuntimeError(f"{engine} is broken")
        return Masker(store, engine)

    return load
