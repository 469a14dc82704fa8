"""Enlarges the 20 m and 60 m bands of a tile as GraphicsMagick does, to the last bit."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from producer.kappamask.tiling import SIZE_PX

RADIUS_PX = 4
"""Reach of the filter in source pixels."""
# So small that BLAS does it in this thread: others would wait at barriers beside the network.
_BLOCK = 16


def weights(length: int) -> NDArray[np.float64]:
    """Weigh the pixels of one axis: a sinc in a Blackman window, cut off at the tile's edges.

    Args:
        length: Source pixels.

    Returns:
        (512, length) weights; each row adds up to one.
    """
    ratio = SIZE_PX / length
    centres = (np.arange(SIZE_PX) + 0.5) / ratio
    first = np.maximum(centres - RADIUS_PX + 0.5, 0).astype(int)
    last = np.minimum(centres + RADIUS_PX + 0.5, length).astype(int)
    source = np.arange(length)
    offset = source[None, :] - centres[:, None] + 0.5
    window = 0.42 + 0.5 * np.cos(np.pi * offset / 4) + 0.08 * np.cos(np.pi * offset / 2)
    matrix: NDArray[np.float64] = np.sinc(offset) * window
    matrix[(source < first[:, None]) | (source >= last[:, None])] = 0
    matrix /= matrix.sum(axis=1, keepdims=True)
    return matrix


def enlarge(band: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Enlarge a square tile to 512 x 512, rounding after each pass."""
    down = _pass(band.astype(np.float64))
    return np.ascontiguousarray(_pass(down.T.astype(np.float64)).T)


def _pass(band: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Enlarge the rows."""
    out = np.empty((SIZE_PX, band.shape[1]), np.float64)
    for rows, columns, block in _banded(band.shape[0]):
        np.matmul(block, band[columns], out=out[rows])
    np.clip(out, 0, 65535, out=out)
    out += 0.5
    return out.astype(np.uint16)


@cache
def _banded(length: int) -> tuple[tuple[slice, slice, NDArray[np.float64]], ...]:
    """Cut the weights into blocks of rows, without the zeros beside them."""
    matrix = weights(length)
    blocks = []
    for start in range(0, SIZE_PX, _BLOCK):
        rows = slice(start, start + _BLOCK)
        used = np.flatnonzero(matrix[rows].any(axis=0))
        columns = slice(int(used[0]), int(used[-1]) + 1)
        blocks.append((rows, columns, np.ascontiguousarray(matrix[rows, columns])))
    return tuple(blocks)
