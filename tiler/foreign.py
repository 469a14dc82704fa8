"""Masks that are no COGs of ours: strips instead of tiles, other compressions, no overviews.

GDAL reads them, block by block into the same caches; slower than our own way, and as exact.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import rasterio
from rasterio.errors import CRSError, RasterioError
from rasterio.windows import Window
from typing_extensions import override

from producer.classes import MaskClass
from tiler.cog import Block, Cog, Level
from tiler.errors import MaskUnreadableError, NoMaskCogError
from tiler.objects import StoredBytes
from tiler.parameters import gdal_options

_BLOCK_PX = 512
_PLAIN, _BYTE = 1, 8


@dataclass(frozen=True, slots=True)
class ForeignMask(Cog):
    """A raster of classes that GDAL reads; all threads may read it."""

    path: str
    nodata: float | None

    @override
    def read(self, level: Level, blocks: Sequence[int]) -> list[Block]:
        try:
            with rasterio.Env(**gdal_options()), rasterio.open(self.path) as raster:
                return [self._block(raster, level, number) for number in blocks]
        except RasterioError as error:
            raise MaskUnreadableError(self.path, str(error)) from error

    def _block(self, raster: rasterio.DatasetReader, level: Level, number: int) -> Block:
        y, x = divmod(number, level.across)
        top, left = y * level.block_height, x * level.block_width
        height = min(level.block_height, level.height - top)
        width = min(level.block_width, level.width - left)
        down, across = self.height / level.height, self.width / level.width
        window = Window(left * across, top * down, width * across, height * down)
        found = raster.read(1, window=window, out_shape=(height, width))
        if self.nodata is not None:
            found[found == self.nodata] = MaskClass.NO_DATA
        # What no class has as its value says nothing.
        found[found > MaskClass.MISSING] = MaskClass.MISSING
        if (found == found[0, 0]).all() and found.shape == (level.block_height, level.block_width):
            return int(found[0, 0])
        whole = np.zeros((level.block_height, level.block_width), np.uint8)
        whole[:height, :width] = found
        return whole


def open_foreign(source: StoredBytes, path: str) -> Cog:
    """Open a raster as GDAL sees it.

    Args:
        source: The same file, which says whether it was replaced.
        path: What GDAL opens.

    Raises:
        NoMaskCogError: It is no raster of bytes in squares of metres.
    """
    try:
        with rasterio.Env(**gdal_options()), rasterio.open(path) as raster:
            transform, kind = raster.transform, raster.dtypes[0]
            epsg = raster.crs.to_epsg() if raster.crs and raster.crs.is_projected else None
            shape, nodata = (raster.height, raster.width), raster.nodata
    except (RasterioError, CRSError) as error:
        raise NoMaskCogError(f"GDAL cannot open it: {error}") from error
    is_plain = transform.b == transform.d == 0 and transform.a == -transform.e > 0
    if kind != "uint8" or epsg is None or not is_plain:
        raise NoMaskCogError("it is no raster of bytes in squares of metres, north up")
    levels: list[Level] = []
    factor = 1
    while not levels or max(levels[-1].width, levels[-1].height) > _BLOCK_PX:
        levels.append(_level(*(math.ceil(edge / factor) for edge in shape)))
        factor *= 2
    height, width = shape
    return ForeignMask(
        source=source,
        epsg=epsg,
        west=transform.c,
        north=transform.f,
        resolution_m=transform.a,
        width=width,
        height=height,
        levels=tuple(levels),
        path=path,
        nodata=nodata,
    )


def _level(height: int, width: int) -> Level:
    count = math.ceil(height / _BLOCK_PX) * math.ceil(width / _BLOCK_PX)
    # Where the blocks lie GDAL knows; that all weigh the same is the best guess of their detail.
    alike = [_BLOCK_PX] * count
    return Level(width, height, _BLOCK_PX, _BLOCK_PX, _BYTE, _PLAIN, 1, alike, alike)
