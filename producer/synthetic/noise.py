"""Smooth noise that is a function of place alone, so that blocks of it fit together."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Places = NDArray[np.float64]
_UNIT = np.float32(1 / 2**32)


def hashed(seed: int, x: NDArray[np.int64], y: NDArray[np.int64]) -> Floats:
    """Give a number in [0, 1) to each pair of integers.

    The finaliser of SplitMix64 (Steele, Lea and Flood 2014) over a sum of odd multiples.
    """
    mixed = (
        x.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        + y.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
        + np.uint64(seed * 0x165667B19E3779F9 % 2**64)
    )
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(32)).astype(np.float32) * _UNIT


def smooth(seed: int, xs: Places, ys: Places, cell: float) -> Floats:
    """Noise between random values at the corners of square cells.

    Args:
        seed: Which noise.
        xs: Columns to compute, any unit, ascending.
        ys: Rows to compute, the same.
        cell: Edge of a cell in that unit.

    Returns:
        (row, column) values, 0 to 1.
    """
    column, across = _ramp(xs / cell)
    row, along = _ramp(ys / cell)
    corner_x = np.arange(column[0], column[-1] + 2)
    corner_y = np.arange(row[0], row[-1] + 2)
    corners = hashed(seed, corner_x[None, :], corner_y[:, None])
    column, row = column - column[0], row - row[0]
    lines: Floats = corners[row] * (1 - along[:, None]) + corners[row + 1] * along[:, None]
    values: Floats = lines[:, column]
    values += (lines[:, column + 1] - values) * across
    return values


def fractal(seed: int, xs: Places, ys: Places, cell: float, octaves: int) -> Floats:
    """Sum smooth noise over octaves, each of half the cell and half the strength.

    Returns:
        (row, column) values, 0 to 1, mostly near 0.5.
    """
    total = smooth(seed, xs, ys, cell)
    strength = whole = 1.0
    for octave in range(1, octaves):
        strength /= 2
        whole += strength
        total += np.float32(strength) * smooth(seed + octave * 7919, xs, ys, cell / 2**octave)
    total /= np.float32(whole)
    return total


def _ramp(places: Places) -> tuple[NDArray[np.int64], Floats]:
    """Give the corner before each place and the share of the next, level at each corner."""
    first = np.floor(places).astype(np.int64)
    share = (places - first).astype(np.float32)
    return first, share * share * (3 - 2 * share)
