"""From a product to a finished mask in storage: COG, pictures and record."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from producer import engines, km_names, layout, quicklook
from producer.cog import (
    COG_MEDIA_TYPE,
    category_names,
    encode_mask,
    encode_preview,
    encode_probabilities,
)
from producer.engines import Engine, Progress, choice, silent
from producer.errors import RecordError, StorageError
from producer.grid import Grid
from producer.options import EngineOptions
from producer.png import encode_png
from producer.provenance import (
    engine_record,
    grid_record,
    pixel_counts,
    software_versions,
    source_record,
)
from producer.record import FileRecord, MaskRecord
from producer.safe import Product, open_product
from producer.storage import Storage


@dataclass(frozen=True, slots=True)
class MaskOptions:
    """How masks are made."""

    overwrite: bool = False
    """Make a mask again that is there already."""
    preview: bool = True
    """Make a true-colour preview too."""
    engine: EngineOptions = field(default_factory=EngineOptions)
    """How the engine works."""
    km_names: bool = False
    """Put copies where km_predict puts its masks too, under its names."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """An engine, ready for one level."""

    engine: Engine
    packages: tuple[str, ...]
    """Distributions whose versions a record should name."""
    notes: tuple[str, ...]
    """Why it was taken."""


class Masker:
    """Makes masks with one engine, whose models are loaded once for many products."""

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

    def mask(self, source: str | Path, progress: Progress = silent) -> MaskRecord:
        """Mask one product, or read the record if this engine's version has done so before.

        The record is written last: where it is, the files that it names are there and whole.

        Args:
            source: SAFE folder, or zip of one.
            progress: Told of each step.

        Raises:
            SafeError: The product cannot be read.
            EngineError: The engine cannot be loaded or does not take this level.
            StorageError: The mask cannot be stored.
        """
        product = open_product(source)
        loaded = self._engine(product.name.level, progress)
        stem = layout.stem_key(product.name, loaded.engine.name, loaded.engine.version)
        if not self._options.overwrite:
            record = self._done(stem, product)
            if record is not None:
                return record
        return _Work(self._store, product, loaded, stem).run(self._options, progress)

    def _engine(self, level: str, progress: Progress) -> _Loaded:
        loaded = self._loaded.get(level)
        if loaded is None:
            options = self._options.engine
            chosen = choice.resolve(self._name, level, options, progress=progress)
            engine = engines.load(chosen.engine, level, options)
            packages = engines.entry(chosen.engine).packages
            notes = (chosen.reason,) if chosen.reason else ()
            loaded = self._loaded[level] = _Loaded(engine, packages, notes)
        return loaded

    def _done(self, stem: str, product: Product) -> MaskRecord | None:
        key = layout.file_key(stem, layout.METADATA)
        if self._store.head(key) is None:
            return None
        try:
            record = MaskRecord.parse(self._store.get(key), self._store.href(key))
        except RecordError:
            return None
        if not self._wanted(product) <= {*record.files, *self._copies(product)}:
            return None
        folder = PurePosixPath(key).parent
        for file in record.files.values():
            there = self._store.head(str(folder / file.key))
            if there is None or there.size != file.size:
                return None
        return record

    def _wanted(self, product: Product) -> set[str]:
        """Give the asset keys, and keys in storage, that the options ask for."""
        options, wanted = self._options, set()
        if options.preview:
            wanted.add(layout.PREVIEW)
        if options.engine.probabilities:
            wanted.add(layout.PROBABILITIES)
        if options.km_names:
            wanted.update(km_names.keys(product.name))
        return wanted

    def _copies(self, product: Product) -> set[str]:
        keys = km_names.keys(product.name) if self._options.km_names else ()
        return {key for key in keys if self._store.head(key) is not None}


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
        source: SAFE folder, or zip of one.
        store: Folder or ``s3://``, ``gs://`` or ``az://`` address to keep the mask in.
        engine: Name in the registry of ``producer.engines``, or ``auto``: KappaMask if its
            weights are there or can be fetched, else ukis-csmask; the record's notes say why.
        options: How the mask is made.
        progress: Told of each step.

    Raises:
        SafeError: The product cannot be read.
        EngineError: The engine cannot be loaded or does not take this level.
        StorageError: The mask cannot be stored.
    """
    return Masker(store, engine, options).mask(source, progress)


class _Work:
    """One product on its way through one engine."""

    def __init__(self, store: Storage, product: Product, loaded: _Loaded, stem: str) -> None:
        self._store = store
        self._product = product
        self._engine = loaded.engine
        self._loaded = loaded
        self._stem = stem
        self._files: dict[str, FileRecord] = {}
        self._timings: dict[str, float] = {}

    def run(self, options: MaskOptions, progress: Progress) -> MaskRecord:
        began = time.perf_counter()
        product, engine = self._product, self._engine
        output = engine.mask(product, progress)
        self._timings.update(output.timings_s)
        # An old record must not vouch for files that are about to be replaced.
        self._store.delete(layout.file_key(self._stem, layout.METADATA))
        software = software_versions(self._loaded.packages)
        tags = self._tags(software)
        with self._step("thumbnail", progress):
            picture = encode_png(quicklook.thumbnail(output.mask))
            self._write(layout.THUMBNAIL, picture, "image/png")
        if options.preview:
            with self._step("preview", progress):
                self._preview(tags)
        with self._step("cog", progress):
            # Names first, so that nobody ever sees a mask without them.
            self._write(layout.CATEGORIES, category_names(), "application/xml")
            cog = encode_mask(output.mask, product.grid, tags)
            self._write(layout.MASK, cog, COG_MEDIA_TYPE)
        if output.probabilities is not None:
            with self._step("probabilities", progress):
                data = encode_probabilities(output.probabilities, product.grid, tags)
                self._write(layout.PROBABILITIES, data, COG_MEDIA_TYPE)
        if options.km_names:
            with self._step("km names", progress):
                for copy, data in km_names.files(product.name, output.mask, cog):
                    self._store.put(copy, data)
        self._timings["total"] = time.perf_counter() - began
        record = MaskRecord(
            product=str(product.name),
            level=product.name.level,
            created=datetime.now(UTC),
            engine=engine_record(engine),
            software=software,
            source=source_record(product),
            grid=grid_record(product.grid),
            pixels=pixel_counts(output.mask),
            files=self._files,
            timings_s={step: round(value, 3) for step, value in self._timings.items()},
            notes=self._loaded.notes,
        )
        key = layout.file_key(self._stem, layout.METADATA)
        self._store.put(key, record.model_dump_json(indent=1, exclude_none=True).encode())
        return record

    @contextmanager
    def _step(self, name: str, progress: Progress) -> Iterator[None]:
        progress(name, 0, 1)
        began = time.perf_counter()
        yield
        self._timings[name] = time.perf_counter() - began
        progress(name, 1, 1)

    def _preview(self, tags: dict[str, str]) -> None:
        grid = quicklook.preview_grid(self._product.grid)
        pixels, valid = quicklook.stretch(quicklook.read_preview(self._product, grid))
        data = encode_preview(pixels, valid, grid, tags)
        self._write(layout.PREVIEW, data, COG_MEDIA_TYPE, grid)

    def _write(self, asset: str, data: bytes, media_type: str, grid: Grid | None = None) -> None:
        key = layout.file_key(self._stem, asset)
        self._store.put(key, data)
        there = self._store.head(key)
        if there is None or there.size != len(data):
            raise StorageError(f"{self._store.href(key)} is not there whole after it was written")
        self._files[asset] = FileRecord(
            key=PurePosixPath(key).name,
            media_type=media_type,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            grid=None if grid is None else grid_record(grid),
        )

    def _tags(self, software: dict[str, str]) -> dict[str, str]:
        product, engine = self._product, self._engine
        tags = {
            "TIFFTAG_SOFTWARE": f"nimbostac {software['nimbostac']}",
            "TIFFTAG_DATETIME": f"{product.sensed:%Y:%m:%d %H:%M:%S}",
            "PRODUCT": str(product.name),
            "ENGINE": engine.name,
            "ENGINE_VERSION": engine.version,
        }
        if engine.weights is not None:
            tags["WEIGHTS_SHA256"] = engine.weights.sha256
        return tags
