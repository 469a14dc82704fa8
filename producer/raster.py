"""The file of one band: opening it, and checking that it is where the metadata say."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import rasterio
from rasterio.errors import RasterioError

from producer.errors import BandReadError
from producer.grid import Grid
from producer.safe import BandFile, Product

# ESA's tiles; smaller ones are read in groups of about this edge.
_CHUNK_PX = 1024
_GDAL = {
    # With more, GDAL decodes tiles in threads of its own and loses their errors: of a truncated
    # file it then returns zeros and garbage as if all were well (seen with GDAL 3.10).
    "GDAL_NUM_THREADS": "1",
    # No look for .ovr and .aux.xml files beside every band.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
}


@contextmanager
def opened(source: str, file: BandFile) -> Iterator[Any]:
    """Open a band's file within a block, for rasterio to read.

    Args:
        source: The product, for an error to name.
        file: The band.

    Raises:
        BandReadError: The file cannot be opened, or what is done in the block with it fails.
    """
    try:
        with rasterio.Env(**_GDAL), rasterio.open(file.path) as dataset:
            yield dataset
    except RasterioError as error:
        reason = error.__cause__ or error
        raise BandReadError(source, file.name, f"cannot be decoded: {reason}") from error


@dataclass(frozen=True, slots=True)
class Raster:
    """What the header of a band's file says."""

    grid: Grid
    chunk: tuple[int, int]
    """Rows and columns that are best decoded together: one tile, or a group of small ones."""

    @classmethod
    def inspect(cls, product: Product, file: BandFile) -> Self:
        """Read the header of a band.

        Raises:
            BandReadError: The file cannot be opened, or lies elsewhere than the metadata say.
        """
        with opened(product.source, file) as dataset:
            epsg = dataset.crs.to_epsg() if dataset.crs else None
            count, dtype, at = dataset.count, dataset.dtypes[0], dataset.transform
            crs, height, width = dataset.crs, dataset.height, dataset.width
            block = dataset.block_shapes[0]
        said = product.grids.get(file.resolution_m)
        problem = None
        if epsg != product.grid.epsg:
            problem = f"has the CRS {crs}, its metadata say EPSG:{product.grid.epsg}"
        elif count != 1 or dtype not in ("uint8", "uint16"):
            problem = f"holds {count} x {dtype}, wanted 1 x uint16"
        elif (at.b, at.d, at.e) != (0, 0, -at.a) or at.a != file.resolution_m:
            problem = f"has pixels of {at.a} x {-at.e} m, wanted {file.resolution_m} m north up"
        else:
            grid = Grid(product.grid.epsg, at.c, at.f, at.a, width, height)
            if said is None or _same_place(grid, said):
                return cls(grid, (_grouped(block[0]), _grouped(block[1])))
            problem = f"covers {grid.bounds}, its metadata say {said.bounds}"
        raise BandReadError(product.source, file.name, problem)


def _grouped(block_px: int) -> int:
    return block_px * max(1, _CHUNK_PX // block_px)


def _same_place(one: Grid, other: Grid) -> bool:
    near = one.resolution_m / 2
    return (
        one.shape == other.shape
        and abs(one.x_m - other.x_m) < near
        and abs(one.y_m - other.y_m) < near
    )
