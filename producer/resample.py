"""Moving a band between grids: weighted sums along rows and along columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Positions in source pixels are rounded to so many digits: 1/3 + 2/3 ends on a pixel edge.
_DIGITS = 6
_NOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class Axis:
    """Which source pixels, with which weights, make each target pixel along one axis."""

    index: NDArray[np.intp]
    """(tap, target) source pixels; they may lie outside of the source."""
    weight: NDArray[np.float32]
    """(tap, target) shares, 0 to 1, that sum to one over the taps."""
    nearest: NDArray[np.intp]
    """(target,) source pixel under each target pixel's centre."""
    grows: bool
    """Whether target pixels are larger than source pixels."""

    @classmethod
    def between(cls, start: float, ratio: float, count: int) -> "Axis":
        """Plan one axis: an area-weighted average where pixels grow, else linear.

        Args:
            start: Edge of the first target pixel, counted in source pixels.
            ratio: Edge of a target pixel, in source pixels.
            count: Target pixels.
        """
        edges = np.round(start + ratio * np.arange(count + 1), _DIGITS)
        centres = np.round(start + ratio * (np.arange(count) + 0.5), _DIGITS)
        nearest = np.floor(centres).astype(np.intp)
        if ratio > 1:
            first = np.floor(edges[:-1])
            taps = int(np.max(np.ceil(edges[1:]) - first))
            index = first + np.arange(taps)[:, None]
            weight = np.minimum(edges[1:], index + 1) - np.maximum(edges[:-1], index)
            weight = np.clip(weight, 0, None) / (edges[1:] - edges[:-1])
        else:
            first = np.floor(centres - 0.5)
            share = centres - 0.5 - first
            weight = np.stack([1 - share, share])
            index = first + np.arange(2)[:, None]
            if not share.any():
                weight, index = weight[:1], index[:1]
        return cls(index.astype(np.intp), weight.astype(np.float32), nearest, ratio > 1)

    @property
    def span(self) -> slice:
        """Source pixels that are needed."""
        return slice(int(self.index.min()), int(self.index.max()) + 1)


def resample(values: NDArray[np.uint16], rows: Axis, columns: Axis) -> NDArray[np.float32]:
    """Resample digital numbers, where 0 stands for no data.

    Pixels without data have no share in any sum. Where pixels grow, one that has data under
    any part of it has a value; else the pixel under its centre decides.

    Args:
        values: (row, column), ``rows.span`` by ``columns.span`` of the source.
        rows: How rows of the target are made.
        columns: How its columns are.

    Returns:
        (row, column) on the target grid, NaN where there is no data.
    """
    rows, columns = _shifted(rows), _shifted(columns)
    known = values != 0
    total = _along_columns(_along_rows(values, rows), columns)
    if known.all():
        return total
    share = _along_columns(_along_rows(known, rows), columns)
    if rows.grows or columns.grows:
        empty = share <= _NOTHING
    else:
        empty = ~known[np.ix_(rows.nearest, columns.nearest)]
    share[empty] = np.nan
    np.divide(total, share, out=total)
    return total


def _shifted(axis: Axis) -> Axis:
    begin = axis.span.start
    return Axis(axis.index - begin, axis.weight, axis.nearest - begin, axis.grows)


def _along_rows(values: NDArray[np.generic], axis: Axis) -> NDArray[np.float32]:
    total: NDArray[np.float32] = values[_run(axis.index[0])] * axis.weight[0][:, None]
    for index, weight in zip(axis.index[1:], axis.weight[1:], strict=True):
        total += values[_run(index)] * weight[:, None]
    return total


def _along_columns(values: NDArray[np.float32], axis: Axis) -> NDArray[np.float32]:
    if len(axis.index) == 1 and (axis.weight == 1).all():
        return np.ascontiguousarray(values[:, _run(axis.index[0])])
    total: NDArray[np.float32] = values[:, _run(axis.index[0])] * axis.weight[0]
    for index, weight in zip(axis.index[1:], axis.weight[1:], strict=True):
        total += values[:, _run(index)] * weight
    return total


def _run(index: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    # A regular step as a slice is a view, several times as fast as picking.
    if len(index) == 1:
        return slice(int(index[0]), int(index[0]) + 1)
    step = int(index[1] - index[0])
    if step > 0 and (np.diff(index) == step).all():
        return slice(int(index[0]), int(index[-1]) + 1, step)
    return index
