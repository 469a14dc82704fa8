"""Smooth noise that is a function of place alone, so that blocks of it fit together."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Places = NDArray[np.float64]
_UNIT = np.float32(1 / 2**32)
_OCTAVE_SEED = 7919
_TABLE = 256


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

    def corners(xs: Places, ys: Places) -> Floats:
        return hashed(seed, xs.astype(np.int64)[None, :], ys.astype(np.int64)[:, None])

    return _between(corners, xs / cell, ys / cell, level=True)


def turned(seed: int, x: Places, y: Places, octaves: int, gain: float) -> Floats:
    """Sum noise over octaves whose cells are each turned, so that no grid shows.

    Args:
        seed: Which noise.
        x: Columns of each place, in cells of the first octave; broadcast with ``y``.
        y: Rows of each place.
        octaves: How many, each of half the cell.
        gain: Strength of each relative to the one before.

    Returns:
        Values near 0; a single octave has a standard deviation of about 0.2.
    """
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    for octave in range(octaves):
        # By 36.87 degrees: a turn of whole numbers that four octaves do not bring back.
        x, y = 0.8 * x - 0.6 * y, 0.6 * x + 0.8 * y
        total += np.float32(gain**octave) * _anywhere(seed + octave * _OCTAVE_SEED, x, y)
        x, y = 2 * x, 2 * y
    return total


def interpolated(
    function: Callable[[Places, Places], Floats], xs: Places, ys: Places, step: int
) -> Floats:
    """Evaluate a smooth function on a lattice only, and linearly between.

    Args:
        function: From columns and rows to (row, column) values.
        xs: Columns to compute, ascending.
        ys: Rows to compute, ascending.
        step: Edge of the lattice, which is the same for all blocks.
    """
    return _between(
        lambda columns, rows: function(columns * step, rows * step),
        xs / step,
        ys / step,
        level=False,
    )


def _between(
    function: Callable[[Places, Places], Floats], xs: Places, ys: Places, *, level: bool
) -> Floats:
    """Interpolate between the values of a function at whole numbers."""
    column, across = _ramp(xs, level=level)
    row, along = _ramp(ys, level=level)
    corners = function(
        np.arange(column[0], column[-1] + 2, dtype=np.float64),
        np.arange(row[0], row[-1] + 2, dtype=np.float64),
    )
    column, row = column - column[0], row - row[0]
    # Columns first, on few rows: then whole rows are copied, which is what memory does fast.
    rises = np.diff(corners, axis=1)
    lines = corners.take(column, axis=1)
    lines += rises.take(column, axis=1) * across
    climbs = np.diff(lines, axis=0)
    values: Floats = climbs.take(row, axis=0)
    values *= along[:, None]
    values += lines.take(row, axis=0)
    return values


def _anywhere(seed: int, x: Places, y: Places) -> Floats:
    """Give noise between -0.5 and 0.5 at scattered places, in cells of 1.

    Values come from a table, which is five times faster than to hash each corner; it repeats
    after 256 cells, turned differently in each octave.
    """
    numbers = np.arange(_TABLE)
    table = hashed(seed, numbers[None, :], numbers[:, None]).ravel()
    table -= np.float32(0.5)
    column, across = _ramp(x, level=True)
    row, along = _ramp(y, level=True)
    next_column = (column + 1) & (_TABLE - 1)
    next_row = ((row + 1) & (_TABLE - 1)) * _TABLE
    column &= _TABLE - 1
    row &= _TABLE - 1
    row *= _TABLE
    near = table.take(row + column)
    near += (table.take(row + next_column) - near) * across
    far = table.take(next_row + column)
    far += (table.take(next_row + next_column) - far) * across
    far -= near
    far *= along
    near += far
    return near


def _ramp(places: Places, *, level: bool) -> tuple[NDArray[np.int64], Floats]:
    """Give the corner before each place and the share of the next, level at each corner or not."""
    first = np.floor(places)
    share = (places - first).astype(np.float32)
    return first.astype(np.int64), share * share * (3 - 2 * share) if level else share
