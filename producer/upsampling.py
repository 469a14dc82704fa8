"""From class probabilities on a coarse grid to classes on a fine one."""

import numpy as np
from numpy.typing import NDArray

from producer.patches import mirrored

_STRIP_ROWS = 128


def likeliest(
    probabilities: NDArray[np.float32], factor: int, shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Interpolate probabilities bilinearly and take the likeliest class of each fine pixel.

    Borders between classes come out smooth where nearest-neighbour would leave blocks; a coarse
    pixel whose neighbours are of its own class keeps it all over.

    Args:
        probabilities: (class, row, column) on the coarse grid.
        factor: Fine pixels along the edge of a coarse one.
        shape: Rows and columns of the fine grid, which shares its origin with the coarse one
            and does not reach beyond it.

    Returns:
        (row, column) indices of classes; of classes equally likely, the first.
    """
    _, height, width = probabilities.shape
    fine = np.empty((height * factor, width * factor), np.uint8)
    columns = mirrored(-1, width + 1, width)
    for top in range(0, height, _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, height)
        rows = mirrored(top - 1, bottom + 1, height)
        strip = probabilities[:, rows][:, :, columns]
        out = fine[top * factor : bottom * factor]
        for row in range(factor):
            between = _shifted(strip, row, factor, axis=1)
            for column in range(factor):
                moved = _shifted(between, column, factor, axis=2)
                out[row::factor, column::factor] = _argmax(moved)
    return fine[: shape[0], : shape[1]]


def _shifted(values: NDArray[np.float32], part: int, factor: int, axis: int) -> NDArray[np.float32]:
    """Interpolate at one of ``factor`` places within each pixel; the first and last are lost."""
    values = np.moveaxis(values, axis, 0)
    inner = values[1:-1]
    distance = np.float32((part + 0.5) / factor - 0.5)
    if distance:
        outer = values[:-2] if distance < 0 else values[2:]
        inner = inner + abs(distance) * (outer - inner)
    return np.moveaxis(inner, 0, axis)


def _argmax(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    # np.argmax along a first axis of three is several times slower than this.
    best = np.zeros(values.shape[1:], np.uint8)
    most = values[0].copy()
    for index in range(1, len(values)):
        best[values[index] > most] = index
        np.maximum(most, values[index], out=most)
    return best
