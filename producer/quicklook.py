"""Pictures for people: the true-colour preview and the class-coloured thumbnail."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.windows import Window

from producer.classes import CLASSES
from producer.errors import BandReadError
from producer.grid import Grid
from producer.safe import Product

PREVIEW_EDGE_PX = 1830
"""Longest edge of a preview: a whole tile at 60 m."""
THUMBNAIL_EDGE_PX = 512
"""Longest edge of a thumbnail."""

_TRUE_COLOR = ("B04", "B03", "B02")
# Half of the brightness goes to reflectances below about a tenth: land and water are seen, and
# cloud keeps its texture up to a reflectance of one.
_KNEE = 0.12
# Clear air adds about so much to red, green and blue at the top of the atmosphere. Never take
# off more: the darkest pixel of an overcast scene is still cloud.
_HAZE_MOST = (0.05, 0.07, 0.11)
_DARKEST_PERCENT = 1.0
_HAZE_SHARE = 0.85


def preview_grid(grid: Grid, edge_px: int = PREVIEW_EDGE_PX) -> Grid:
    """Coarsen a grid by a whole factor until its longest edge is not above ``edge_px``.

    The last rows and columns are left out where they do not fill a pixel.
    """
    factor = math.ceil(max(grid.shape) / edge_px)
    return Grid(
        epsg=grid.epsg,
        x_m=grid.x_m,
        y_m=grid.y_m,
        resolution_m=grid.resolution_m * factor,
        width=max(grid.width // factor, 1),
        height=max(grid.height // factor, 1),
    )


def read_preview(product: Product, grid: Grid) -> NDArray[np.float32]:
    """Read what a preview shows.

    JPEG 2000 holds every band at half its resolution, a quarter and so on, so this costs little
    of what reading the bands would.

    Args:
        product: Whose red, green and blue.
        grid: What ``preview_grid`` made of the product's grid.

    Returns:
        (3, row, column) reflectance, NaN where there is no data.

    Raises:
        MissingBandError: The product lacks one of the bands.
        BandReadError: A band cannot be decoded.
    """
    factor = round(grid.resolution_m / product.grid.resolution_m)
    window = Window(0, 0, grid.width * factor, grid.height * factor)

    def read(name: str) -> NDArray[np.float32]:
        file = product.band(name)
        try:
            with (
                rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_NUM_THREADS=1),
                rasterio.open(file.path) as band,
            ):
                numbers = band.read(
                    1, window=window, out_shape=grid.shape, resampling=Resampling.average
                )
        except RasterioError as error:
            problem = f"cannot be decoded: {error.__cause__ or error}"
            raise BandReadError(product.source, name, problem) from error
        values: NDArray[np.float32] = numbers.astype(np.float32)
        values += product.offsets[name]
        values /= product.quantification
        values[numbers == 0] = np.nan
        return values

    with ThreadPoolExecutor(len(_TRUE_COLOR)) as pool:
        return np.stack(list(pool.map(read, _TRUE_COLOR)))


def stretch(reflectance: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Turn reflectance into brightness, steep for land and flat for cloud.

    The haze of clear air, guessed from the darkest pixels of each band, is taken off first. The
    curve ``r (1 + k) / (r + k)`` is the global operator of Reinhard et al., Photographic Tone
    Reproduction for Digital Images (2002); it has no level above which all is white.

    Args:
        reflectance: (3, row, column) red, green and blue, NaN where there is none.

    Returns:
        (3, row, column) brightness, and (row, column) where all three bands have data.
    """
    valid = np.logical_and.reduce(np.isfinite(reflectance))
    brightness = np.zeros(reflectance.shape, np.uint8)
    if valid.any():
        for band, most in enumerate(_HAZE_MOST):
            level = reflectance[band][valid]
            haze = np.clip(_HAZE_SHARE * np.percentile(level, _DARKEST_PERCENT), 0.0, most)
            level = np.clip((level - haze) / (1 - haze), 0.0, 1.0)
            brightness[band][valid] = np.rint(255 * level * (1 + _KNEE) / (level + _KNEE))
    return brightness, valid


def thumbnail(mask: NDArray[np.uint8], edge_px: int = THUMBNAIL_EDGE_PX) -> NDArray[np.uint8]:
    """Shrink a mask by a whole factor, each pixel the commonest class of those it stands for.

    Args:
        mask: (row, column) values of ``MaskClass``.
        edge_px: Longest edge of the result.

    Returns:
        (row, column) values of ``MaskClass``; of classes equally common, the lower value.
    """
    factor = math.ceil(max(mask.shape) / edge_px)
    if factor == 1:
        return mask
    columns = np.arange(0, mask.shape[1], factor)
    strips = (mask[row : row + factor] for row in range(0, mask.shape[0], factor))
    return np.stack([_commonest(strip, columns) for strip in strips])


def _commonest(strip: NDArray[np.uint8], columns: NDArray[np.intp]) -> NDArray[np.uint8]:
    counts = [
        np.add.reduceat((strip == info.value).sum(axis=0, dtype=np.uint32), columns)
        for info in CLASSES
    ]
    values = np.array([info.value for info in CLASSES], np.uint8)
    result: NDArray[np.uint8] = values[np.argmax(counts, axis=0)]
    return result
