"""The overlapping tiles that the network sees, and which pixels of each it decides."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

SIZE_PX = 512
"""Edge of a tile at 10 m."""
OVERLAP_PX = 32
"""Pixels that neighbours share."""
STRIDE_PX = SIZE_PX - OVERLAP_PX
_MARGIN_PX = OVERLAP_PX // 2


@dataclass(frozen=True, slots=True)
class Span:
    """Pixels ``start`` to ``stop`` of one axis; may reach outside the band."""

    start: int
    stop: int

    @property
    def slice(self) -> slice:
        """As an index."""
        return slice(self.start, self.stop)


@dataclass(frozen=True, slots=True)
class Axis:
    """The tiles along one axis of a 10 m band."""

    length: int
    """Pixels at 10 m."""

    @property
    def count(self) -> int:
        """Number of tiles; 23 for a whole product."""
        return ceil(self.length / STRIDE_PX)

    def seen(self, tile: int, divisor: int) -> Span:
        """Find what a tile covers in a band's own pixels.

        Args:
            tile: Number along the axis, from 0.
            divisor: 10 m pixels to one of the band: 1, 2 or 6.

        Returns:
            512, 256 or 85 pixels. A 60 m tile is a third of a pixel short, as cm-vsm cuts it: the
            network was trained on what that does to the band.
        """
        start = STRIDE_PX * tile // divisor
        width = int(ceil(STRIDE_PX / divisor) + OVERLAP_PX / divisor)
        return Span(start, start + width)

    def owned(self, tile: int) -> Span:
        """Find the 10 m pixels that a tile decides; the tiles' spans never overlap."""
        start = 0 if tile == 0 else STRIDE_PX * tile + _MARGIN_PX
        last = tile == self.count - 1
        stop = self.length if last else STRIDE_PX * (tile + 1) + _MARGIN_PX
        return Span(min(start, self.length), min(stop, self.length))


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile of a product."""

    row: int
    column: int
    rows: Span
    """10 m rows that it decides."""
    columns: Span

    @property
    def inside(self) -> tuple[slice, slice]:
        """The decided pixels within the tile."""
        top, left = self.row * STRIDE_PX, self.column * STRIDE_PX
        return (
            slice(self.rows.start - top, self.rows.stop - top),
            slice(self.columns.start - left, self.columns.stop - left),
        )

    @property
    def outside(self) -> tuple[slice, slice]:
        """The decided pixels within the product."""
        return self.rows.slice, self.columns.slice


def tiles(height: int, width: int) -> Iterator[Tile]:
    """Go through the tiles of a product, row by row; tiles that decide nothing are left out."""
    down, across = Axis(height), Axis(width)
    for row in range(down.count):
        rows = down.owned(row)
        for column in range(across.count):
            columns = across.owned(column)
            if rows.start < rows.stop and columns.start < columns.stop:
                yield Tile(row, column, rows, columns)
