"""Laying out rasters and facts as a SAFE folder, or a zip of one."""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from producer.safe.spectrum import NATIVE_RESOLUTION_M
from producer.synthetic.documents import manifest, product_xml, tile_xml
from producer.synthetic.facts import SafeFacts
from producer.synthetic.jp2 import LOSSLESS, Encoding, encode

Raster = Path | NDArray[np.unsignedinteger]
"""A JP2 that is taken as it is, any other raster, or (row, column) numbers."""


def write_safe(
    folder: Path,
    facts: SafeFacts,
    rasters: Mapping[str, Raster],
    *,
    encoding: Encoding = LOSSLESS,
    archive: bool = False,
) -> Path:
    """Write a product; it appears under its name whole, or not at all.

    Args:
        folder: Where to put it; made if it is not there.
        facts: What its metadata say.
        rasters: By band name, each at its native resolution.
        encoding: How to compress what is no JP2 yet.
        archive: Write ``NAME.zip`` with the folder in it, instead of the folder.

    Returns:
        Path of the folder ``NAME.SAFE``, or of the zip.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".safe-", dir=folder) as scratch:
        safe = Path(scratch) / f"{facts.name}.SAFE"
        images = _images(facts, rasters)
        _write_bands(safe, facts, rasters, images, encoding)
        product = f"MTD_MSI{facts.name.level}.xml"
        tile = f"GRANULE/{facts.granule}/MTD_TL.xml"
        (safe / product).write_bytes(product_xml(facts, images.values()))
        (safe / tile).write_bytes(tile_xml(facts))
        names = [product, *images.values(), tile]
        (safe / "manifest.safe").write_bytes(manifest(facts, safe, names))
        return _placed(_zipped(safe) if archive else safe, folder)


def _images(facts: SafeFacts, rasters: Mapping[str, Raster]) -> dict[str, str]:
    stem = f"T{facts.name.tile}_{facts.name.sensed:%Y%m%dT%H%M%S}"
    base = f"GRANULE/{facts.granule}/IMG_DATA"
    if facts.name.level == "L1C":
        return {band: f"{base}/{stem}_{band}.jp2" for band in rasters}
    images = {}
    for band in rasters:
        metres = NATIVE_RESOLUTION_M[band]
        images[band] = f"{base}/R{metres}m/{stem}_{band}_{metres}m.jp2"
    return images


def _write_bands(
    safe: Path,
    facts: SafeFacts,
    rasters: Mapping[str, Raster],
    images: Mapping[str, str],
    encoding: Encoding,
) -> None:
    def write(band: str) -> None:
        raster, target = rasters[band], safe / images[band]
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(raster, Path) and raster.suffix == ".jp2":
            shutil.copyfile(raster, target)
        else:
            encode(raster, target, facts.grids[NATIVE_RESOLUTION_M[band]], encoding)

    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="encode") as pool:
        # Read, so that what a thread raises is not lost.
        list(pool.map(write, images))


def _zipped(safe: Path) -> Path:
    path = safe.with_name(f"{safe.stem}.zip")
    # Stored: JP2 cannot be packed further, and a reader can jump within what is stored.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(safe.rglob("*")):
            archive.write(file, file.relative_to(safe.parent))
    return path


def _placed(made: Path, folder: Path) -> Path:
    target = folder / made.name
    if target.is_dir():
        # A folder cannot be replaced by a rename; the old one goes first, by one rename too.
        target.rename(made.parent / "old")
    made.replace(target)
    return target
