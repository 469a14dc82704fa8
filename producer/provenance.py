"""What a record says of where a mask came from, and what is in it."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from producer.classes import MaskClass
from producer.engines import Engine
from producer.grid import Grid
from producer.record import EngineRecord, GridRecord, SourceRecord, WeightsRecord
from producer.safe import Product

_PACKAGES = ("nimbostac", "numpy", "rasterio", "rio-cogeo")
_STRIP_ROWS = 512


def software_versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Look up what is installed.

    Args:
        packages: Distributions to name beside those that every mask needs.
    """
    found = {"gdal": rasterio.__gdal_version__}
    for package in (*_PACKAGES, *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            # Run from a source tree that is not installed.
            found[package] = "unknown"
    return found


def pixel_counts(mask: NDArray[np.uint8]) -> dict[MaskClass, int]:
    """Count the pixels of each class."""
    counts = np.zeros(len(MaskClass), np.int64)
    # By strips: bincount makes an 8-byte integer of every pixel.
    for top in range(0, len(mask), _STRIP_ROWS):
        counts += np.bincount(mask[top : top + _STRIP_ROWS].ravel(), minlength=len(MaskClass))
    return {value: int(counts[value]) for value in MaskClass}


def grid_record(grid: Grid) -> GridRecord:
    """Say where a raster lies."""
    return GridRecord(epsg=grid.epsg, transform=tuple(grid.transform)[:6], shape=grid.shape)


def engine_record(engine: Engine) -> EngineRecord:
    """Say which engine made a mask."""
    weights = engine.weights
    return EngineRecord(
        name=engine.name,
        version=engine.version,
        classes=engine.classes,
        weights=None
        if weights is None
        else WeightsRecord(name=weights.name, sha256=weights.sha256),
    )


def tiff_tags(product: Product, engine: Engine, software: Mapping[str, str]) -> dict[str, str]:
    """Say in a GeoTIFF itself where it came from."""
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


def source_record(product: Product, origin: str | None = None) -> SourceRecord:
    """Say what was masked.

    Args:
        product: What was read.
        origin: Address that it was fetched from, if it was.
    """
    return SourceRecord(
        name=str(product.name),
        uri=origin or Path(product.source).as_uri(),
        sensed=product.sensed,
        baseline=product.baseline,
        footprint=product.footprint,
        datatake=product.datatake,
        sun_azimuth=product.sun_azimuth,
        sun_elevation=product.sun_elevation,
        view_azimuth=product.view_azimuth,
        view_off_nadir=product.view_off_nadir,
        cloud_cover=product.cloud_cover,
    )
