"""The pixels of a polygon: those whose centre lies within it.

A lattice is the endless grid of pixels that a mask is a part of. The masks of all tiles of a UTM
zone are parts of the same one, so a polygon has the same pixels in all of them.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tiler.clear.polygons import Ring
from tiler.cog import Cog, Level

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lattice:
    """Pixels without end, in one CRS; rows count southwards."""

    epsg: int
    x: float
    """Western edge of column 0."""
    y: float
    """Northern edge of row 0."""
    width: float
    """Of a pixel, in metres."""
    height: float

    def units(self, ring: Ring) -> Ring:
        """Express metres in columns and rows."""
        return np.column_stack(
            [(ring[:, 0] - self.x) / self.width, (self.y - ring[:, 1]) / self.height]
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a level of a mask lies in its lattice."""

    lattice: Lattice
    row: int
    """Of the level's first pixel."""
    column: int

    @classmethod
    def of(cls, cog: Cog, level: Level) -> Self:
        """Find a level; an overview is a lattice of its own, which no other mask shares."""
        full = cog.levels[0]
        if level is not full:
            width = cog.resolution_m * full.width / level.width
            height = cog.resolution_m * full.height / level.height
            return cls(Lattice(cog.epsg, cog.west, cog.north, width, height), 0, 0)
        step = cog.resolution_m
        lattice = Lattice(cog.epsg, cog.west % step, cog.north % step, step, step)
        return cls(
            lattice, round((lattice.y - cog.north) / step), round((cog.west - lattice.x) / step)
        )


@dataclass(frozen=True, slots=True)
class Pixels:
    """Pixels of a polygon as runs: from one column of a row up to, not with, another."""

    rows: Integers
    starts: Integers
    stops: Integers
    firsts: Integers
    """Number of each run's first pixel among all that the polygon has, in reading order."""

    @classmethod
    def of(cls, rows: Integers, starts: Integers, stops: Integers) -> Self:
        """Number all pixels of some runs; an empty run is left out."""
        keep = starts < stops
        rows, starts, stops = rows[keep], starts[keep], stops[keep]
        lengths = stops - starts
        return cls(rows, starts, stops, np.cumsum(lengths) - lengths)

    @property
    def count(self) -> int:
        """How many they are."""
        return int((self.stops - self.starts).sum())

    def within(self, row: int, column: int, height: int, width: int) -> Self:
        """Keep those of a window, with rows and columns counted from its corner."""
        starts = np.maximum(self.starts, column)
        stops = np.minimum(self.stops, column + width)
        keep = (self.rows >= row) & (self.rows < row + height) & (starts < stops)
        firsts = self.firsts + starts - self.starts
        return type(self)(
            self.rows[keep] - row, starts[keep] - column, stops[keep] - column, firsts[keep]
        )

    def each(self) -> tuple[Integers, Integers, NDArray[np.int32]]:
        """Give the row, the column and the number of every pixel, in reading order."""
        lengths = self.stops - self.starts
        along = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        columns = np.repeat(self.starts, lengths) + along
        numbers = np.repeat(self.firsts, lengths) + along
        return np.repeat(self.rows, lengths), columns, numbers.astype(np.int32)


def pixels_within(rings: list[Ring], lattice: Lattice) -> Pixels:
    """Find the pixels of a polygon.

    A centre that lies on an edge exactly belongs to the side east of it, or south of it, so that
    polygons that share an edge share no pixel. A polygon without any centre, a sliver or one
    smaller than a pixel, has the pixels that it touches.

    Args:
        rings: All rings in the lattice's CRS; the even-odd rule says what is inside.
        lattice: Whose pixels.
    """
    units = [lattice.units(ring) for ring in rings]
    found = _scanned(units)
    return found if found.count else _touched(units)


def _scanned(rings: list[Ring]) -> Pixels:
    """Cross every row's centre line with every edge; what lies between two crossings is inside."""
    if not rings:
        return Pixels.of(*np.empty((3, 0), np.int64))
    heads = np.concatenate([ring[:-1] for ring in rings])
    tails = np.concatenate([ring[1:] for ring in rings])
    top = np.minimum(heads[:, 1], tails[:, 1])
    bottom = np.maximum(heads[:, 1], tails[:, 1])
    first = np.ceil(top - 0.5).astype(np.int64)
    # Half open, so that a vertex on a centre line is crossed once where a ring goes on through it.
    crossed = np.maximum(np.ceil(bottom - 0.5).astype(np.int64) - first, 0)
    edge = np.repeat(np.arange(len(heads)), crossed)
    rows = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(crossed) - crossed, crossed)
    (x0, y0), (x1, y1) = heads[edge].T, tails[edge].T
    x = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
    order = np.lexsort((x, rows))
    rows, columns = rows[order], np.ceil(x[order] - 0.5).astype(np.int64)
    return Pixels.of(rows[0::2], columns[0::2], columns[1::2])


def _touched(rings: list[Ring]) -> Pixels:
    """Follow the edges from pixel to pixel: without a centre there is no pixel but theirs."""
    cells: set[tuple[int, int]] = set()
    for ring in rings:
        for head, tail in pairwise(ring):
            cuts = np.sort(np.concatenate([[0.0, 1.0], *map(_cuts, head, tail)]))
            middles = ((cuts[:-1] + cuts[1:]) / 2)[:, np.newaxis]
            places = np.floor(head + middles * (tail - head)).astype(np.int64)
            cells.update((row, column) for column, row in places.tolist())
    each = np.array(sorted(cells), np.int64).reshape(-1, 2)
    return Pixels.of(each[:, 0], each[:, 1], each[:, 1] + 1)


def _cuts(start: float, end: float) -> NDArray[np.float64]:
    """Where along an edge it passes from one column, or row, to the next: 0 to 1."""
    low, high = sorted((start, end))
    lines = np.arange(math.floor(low) + 1, math.ceil(high), dtype=np.float64)
    cuts: NDArray[np.float64] = (lines - start) / (end - start) if len(lines) else lines
    return cuts
