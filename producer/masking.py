"""From a product to a finished mask in storage: COG, pictures and record."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from producer import engines, layout, outputs, staging
from producer.engines import Engine, Progress, choice, silent
from producer.options import MaskOptions
from producer.outputs import Outputs
from producer.product import ProductName
from producer.provenance import (
    engine_record,
    grid_record,
    pixel_counts,
    software_versions,
    source_record,
    tiff_tags,
)
from producer.record import MaskRecord
from producer.safe import Product, open_product, verify
from producer.settings import ProducerSettings
from producer.storage import Storage

__all__ = ["MaskOptions", "Masker", "mask_product"]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """An engine, ready for one level."""

    engine: Engine
    packages: tuple[str, ...]
    """Distributions whose versions a record should name."""
    notes: tuple[str, ...]
    """Why it was taken."""


class Masker:
    """Makes masks with one engine, whose models are loaded once for many products.

    Two threads may mask two products at once: while one is inferred, the next one is fetched and
    its first tiles are decoded, and the files of the one before are written. The engine itself
    works on one product at a time.
    """

    def __init__(
        self,
        store: Storage | str | Path,
        engine: str = choice.AUTO,
        options: MaskOptions | None = None,
    ) -> None:
        """Name the store and the engine; models are loaded when a product needs them.

        Raises:
            UnknownEngineError: No engine has this name.
            StorageError: The store cannot be opened.
        """
        self._store = store if isinstance(store, Storage) else Storage.from_url(str(store))
        self._name = engine if engine == choice.AUTO else engines.entry(engine).name
        self._options = options or MaskOptions()
        self._loaded: dict[str, _Loaded] = {}
        self._loading = threading.Lock()

    def mask(
        self, source: str | Path, progress: Progress = silent, *, origin: str | None = None
    ) -> MaskRecord:
        """Mask one product, or read the record if this engine's version has done so before.

        The record is written last: where it is, the files that it names are there and whole.

        Args:
            source: SAFE folder or zip of one, here or in a bucket; what lies elsewhere is
                fetched, and removed when it is masked.
            progress: Told of each step; what it raises ends the work.
            origin: Where the product was fetched from, if somebody else has fetched it.

        Raises:
            StagingError: The product cannot be fetched.
            SafeError: The product cannot be read.
            EngineError: The engine cannot be loaded or does not take this level.
            StorageError: The mask cannot be stored.
        """
        if not staging.is_remote(str(source)):
            return self._mask(Path(source), progress, origin)
        address = str(source)
        # Before anything is fetched, for a resumed run has most of its masks already.
        record = self._found(staging.name_in(address), progress)
        if record is not None:
            return record
        with staging.staged(address, self._scratch(), progress) as path:
            return self._mask(path, progress, address)

    def _mask(self, path: Path, progress: Progress, origin: str | None) -> MaskRecord:
        product = open_product(path)
        record = self._found(product.name, progress)
        if record is not None:
            return record
        if self._options.verify:
            progress("verify", 0, 1)
            verify(path)
        return self._made(product, progress, origin)

    def _made(self, product: Product, progress: Progress, origin: str | None) -> MaskRecord:
        loaded = self._engine(product.name.level, progress)
        engine = loaded.engine
        began = time.perf_counter()
        output = engine.mask(product, progress)
        software = software_versions(loaded.packages)
        out = Outputs(
            store=self._store,
            stem=layout.stem_key(product.name, engine.name, engine.version),
            product=product,
            tags=tiff_tags(product, engine, software),
            progress=progress,
        )
        out.write(output, self._options)
        total_s = time.perf_counter() - began
        timings_s = {**output.timings_s, **out.timings_s, "total": total_s}
        record = MaskRecord(
            product=str(product.name),
            level=product.name.level,
            created=datetime.now(UTC),
            engine=engine_record(engine),
            software=software,
            source=source_record(product, origin),
            grid=grid_record(product.grid),
            pixels=pixel_counts(output.mask),
            files=out.files,
            timings_s={step: round(value, 3) for step, value in timings_s.items()},
            notes=(*loaded.notes, *output.notes),
        )
        out.close(record)
        return record

    def _found(self, name: ProductName | None, progress: Progress) -> MaskRecord | None:
        if name is None or self._options.overwrite:
            return None
        engine = self._engine(name.level, progress).engine
        return outputs.find(self._store, name, engine, self._options)

    def _scratch(self) -> Path:
        usual = ProducerSettings().cache_dir.expanduser() / "staging"
        return self._options.scratch or usual

    def _engine(self, level: str, progress: Progress) -> _Loaded:
        with self._loading:
            loaded = self._loaded.get(level)
            if loaded is None:
                options = self._options.engine
                chosen = choice.resolve(self._name, level, options, progress=progress)
                engine = engines.load(chosen.engine, level, options)
                packages = engines.entry(chosen.engine).packages
                notes = (chosen.reason,) if chosen.reason else ()
                loaded = self._loaded[level] = _Loaded(engine, packages, notes)
            return loaded


def mask_product(
    source: str | Path,
    store: Storage | str | Path,
    engine: str = choice.AUTO,
    *,
    options: MaskOptions | None = None,
    progress: Progress = silent,
) -> MaskRecord:
    """Mask one product; for many, a ``Masker`` loads its models only once.

    Args:
        source: SAFE folder or zip of one, here or in a bucket.
        store: Folder or ``s3://``, ``gs://`` or ``az://`` address to keep the mask in.
        engine: Name in the registry of ``producer.engines``, or ``auto``: KappaMask if its
            weights are there or can be fetched, else ukis-csmask; the record's notes say why.
        options: How the mask is made.
        progress: Told of each step.

    Raises:
        StagingError: The product cannot be fetched.
        SafeError: The product cannot be read.
        EngineError: The engine cannot be loaded or does not take this level.
        StorageError: The mask cannot be stored.
    """
    return Masker(store, engine, options).mask(source, progress)
