"""Bands as JPEG 2000, tiled as ESA's."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.io import MemoryFile

from producer.grid import Grid

_TILE_PX = 1024


@dataclass(frozen=True, slots=True)
class Encoding:
    """How bands are compressed."""

    size: float | None = None
    """Bytes written as a share of the bytes of the raw band; ESA's products have 0.1 to 0.5.
    Wavelets then spill over the edge between data and no data. ``None`` loses nothing."""

    def options(self) -> dict[str, str]:
        """Give the creation options of GDAL's JP2OpenJPEG."""
        tiles = {"BLOCKXSIZE": str(_TILE_PX), "BLOCKYSIZE": str(_TILE_PX)}
        if self.size is None:
            return {"QUALITY": "100", "REVERSIBLE": "YES", **tiles}
        return {"QUALITY": f"{self.size * 100:g}", "REVERSIBLE": "NO", **tiles}


LOSSLESS = Encoding()


def raw_profile(grid: Grid, dtype: str) -> dict[str, object]:
    """Describe an uncompressed raster, from which a band is encoded."""
    return {
        "driver": "GTiff",
        "width": grid.width,
        "height": grid.height,
        "count": 1,
        "dtype": dtype,
        "crs": f"EPSG:{grid.epsg}",
        "transform": grid.transform,
    }


def encode(
    source: Path | NDArray[np.unsignedinteger], target: Path, grid: Grid, encoding: Encoding
) -> None:
    """Write one band.

    Args:
        source: An uncompressed raster, or (row, column) numbers, uint8 or uint16.
        target: The JP2 to write.
        grid: Where the band lies, if it comes as numbers.
        encoding: How to compress it.
    """
    # One thread: several bands are encoded at a time instead.
    with rasterio.Env(GDAL_NUM_THREADS="1"):
        if isinstance(source, Path):
            rasterio.shutil.copy(source, target, driver="JP2OpenJPEG", **encoding.options())
            return
        with MemoryFile() as memory:
            with memory.open(**raw_profile(grid, source.dtype.name)) as raw:
                raw.write(source, 1)
            rasterio.shutil.copy(memory.name, target, driver="JP2OpenJPEG", **encoding.options())
