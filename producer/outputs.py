"""The files of one mask in storage: written so that the record comes last, and found again."""

import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from producer import km_names, layout, quicklook
from producer.cog import (
    COG_MEDIA_TYPE,
    category_names,
    encode_mask,
    encode_preview,
    encode_probabilities,
)
from producer.engines import Engine, EngineOutput, Progress
from producer.errors import RecordError, StorageError
from producer.grid import Grid
from producer.options import MaskOptions
from producer.png import encode_png
from producer.product import ProductName
from producer.provenance import grid_record
from producer.record import FileRecord, MaskRecord
from producer.safe import Product
from producer.storage import Storage


def find(
    store: Storage, name: ProductName, engine: Engine, options: MaskOptions
) -> MaskRecord | None:
    """Look for a mask that is there whole, with all that the options ask for.

    Raises:
        StorageError: Storage does not answer.
    """
    stem = layout.stem_key(name, engine.name, engine.version)
    key = layout.file_key(stem, layout.METADATA)
    if store.head(key) is None:
        return None
    try:
        record = MaskRecord.parse(store.get(key), store.href(key))
    except RecordError:
        return None
    copies = km_names.keys(name) if options.km_names else ()
    if not _assets(options) <= set(record.files) or None in map(store.head, copies):
        return None
    folder = PurePosixPath(key).parent
    for file in record.files.values():
        there = store.head(str(folder / file.key))
        if there is None or there.size != file.size:
            return None
    return record


def _assets(options: MaskOptions) -> set[str]:
    wanted = {layout.MASK}
    if options.preview:
        wanted.add(layout.PREVIEW)
    if options.engine.probabilities:
        wanted.add(layout.PROBABILITIES)
    return wanted


@dataclass(frozen=True, slots=True)
class Outputs:
    """One mask on its way into storage."""

    store: Storage
    stem: str
    """What ``layout.stem_key`` gives."""
    product: Product
    tags: dict[str, str]
    """What its GeoTIFFs say of themselves."""
    progress: Progress
    files: dict[str, FileRecord] = field(default_factory=dict)
    """What has been written, by asset key."""
    timings_s: dict[str, float] = field(default_factory=dict)
    """Seconds by step; the mask is encoded beside the steps before ``cog``."""

    def write(self, output: EngineOutput, options: MaskOptions) -> None:
        """Write all but the record.

        Raises:
            StorageError: A file cannot be written.
        """
        product = self.product
        # An old record must not vouch for files that are about to be replaced.
        self.store.delete(layout.file_key(self.stem, layout.METADATA))
        with ThreadPoolExecutor(1, thread_name_prefix="cog") as beside:
            # The largest file, and most of it is one core's work.
            encoding = beside.submit(encode_mask, output.mask, product.grid, self.tags)
            with self._step("thumbnail"):
                picture = encode_png(quicklook.thumbnail(output.mask))
                self._write(layout.THUMBNAIL, picture, "image/png")
            if options.preview:
                with self._step("preview"):
                    grid = quicklook.preview_grid(product.grid)
                    pixels, valid = quicklook.stretch(quicklook.read_preview(product, grid))
                    data = encode_preview(pixels, valid, grid, self.tags)
                    self._write(layout.PREVIEW, data, COG_MEDIA_TYPE, grid)
            with self._step("cog"):
                # Names first, so that nobody ever sees a mask without them.
                self._write(layout.CATEGORIES, category_names(), "application/xml")
                cog = encoding.result()
                self._write(layout.MASK, cog, COG_MEDIA_TYPE)
        if output.probabilities is not None:
            with self._step("probabilities"):
                data = encode_probabilities(output.probabilities, product.grid, self.tags)
                self._write(layout.PROBABILITIES, data, COG_MEDIA_TYPE)
        if options.km_names:
            with self._step("km names"):
                for copy, data in km_names.files(product.name, output.mask, cog):
                    self.store.put(copy, data)

    def close(self, record: MaskRecord) -> None:
        """Write the record: from now on the mask is there.

        Raises:
            StorageError: It cannot be written.
        """
        key = layout.file_key(self.stem, layout.METADATA)
        self.store.put(key, record.model_dump_json(indent=1, exclude_none=True).encode())

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self.progress(name, 0, 1)
        began = time.perf_counter()
        yield
        self.timings_s[name] = time.perf_counter() - began
        self.progress(name, 1, 1)

    def _write(self, asset: str, data: bytes, media_type: str, grid: Grid | None = None) -> None:
        key = layout.file_key(self.stem, asset)
        self.store.put(key, data)
        there = self.store.head(key)
        if there is None or there.size != len(data):
            raise StorageError(f"{self.store.href(key)} is not there whole after it was written")
        self.files[asset] = FileRecord(
            key=PurePosixPath(key).name,
            media_type=media_type,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            grid=None if grid is None else grid_record(grid),
        )
