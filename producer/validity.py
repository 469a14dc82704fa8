"""Which pixels of a product hold data: the one definition for every engine."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from producer.bands import Bands
from producer.classes import MaskClass
from producer.grid import Grid


def validity(bands: Bands, names: Sequence[str], grid: Grid) -> NDArray[np.uint8]:
    """Tell, of each pixel, whether the bands that an engine uses hold data there.

    A pixel takes what each band's nearest pixel says; a digital number of 0 is no data.

    Args:
        bands: Where to read from.
        names: Bands that the engine uses.
        grid: The mask's grid, or some rows of it.

    Returns:
        (row, column): ``NO_DATA`` where no band has data, as beyond the edge of the swath,
        ``MISSING`` where only some have, else ``CLEAR``.

    Raises:
        BandReadError: A band cannot be decoded.
    """
    known = np.zeros(grid.shape, np.uint8)
    for name in names:
        own = bands.grid(name)
        ratio = grid.resolution_m / own.resolution_m
        top = (own.y_m - grid.y_m) / own.resolution_m
        left = (grid.x_m - own.x_m) / own.resolution_m
        rows = np.floor(top + (np.arange(grid.height) + 0.5) * ratio).astype(np.intp)
        columns = np.floor(left + (np.arange(grid.width) + 0.5) * ratio).astype(np.intp)
        numbers = bands.digital_numbers(
            name, slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        )
        has_data = numbers != 0
        known += has_data[np.ix_(rows - rows[0], columns - columns[0])]
    result = np.full(grid.shape, MaskClass.MISSING, np.uint8)
    result[known == 0] = MaskClass.NO_DATA
    result[known == len(names)] = MaskClass.CLEAR
    return result
