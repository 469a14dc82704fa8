"""Counts the pixels of two masks, block by block of the first one's grid, at full resolution."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from tiler.clear.coverage import CLASS_COUNT, Field
from tiler.clear.lattice import Pixels, Place
from tiler.clear.pool import Work
from tiler.cog import Block, Cog
from tiler.compare.agreement import codes
from tiler.compare.confusion import Confusion, Matrix
from tiler.draw import Classes, draw
from tiler.items import StoredAsset
from tiler.rasters import Rasters
from tiler.views import View

Grids = Literal["equal", "aligned", "nearest"]

_CODES = CLASS_COUNT * CLASS_COUNT
_MOST_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class Window:
    """Pixels of a mask."""

    row: int
    column: int
    height: int
    width: int


@dataclass(slots=True)
class _Passing:
    """Masks at full resolution, of which no block is kept for long: each is read once."""

    rasters: Rasters
    lock: Lock = field(default_factory=Lock)
    blocks_read: OrderedDict[tuple[str, int], Block] = field(default_factory=OrderedDict)

    def open(self, asset: StoredAsset) -> Cog:
        """Give a mask without its overviews."""
        cog = self.rasters.open(asset)
        return replace(cog, levels=cog.levels[:1])

    def coarse(self, asset: StoredAsset) -> Cog:
        """Give the same: pixels are counted, however many."""
        return self.open(asset)

    def blocks(self, href: str, cog: Cog, level: int, wanted: Sequence[int]) -> list[Block]:
        """Read blocks, but those that were read just before."""
        with self.lock:
            known = {
                number: self.blocks_read[href, number]
                for number in wanted
                if (href, number) in self.blocks_read
            }
        missing = [number for number in wanted if number not in known]
        read = self.rasters.passing(href, cog, level, missing) if missing else []
        with self.lock:
            for number, block in zip(missing, read, strict=True):
                known[number] = self.blocks_read[href, number] = block
            while len(self.blocks_read) > _MOST_BLOCKS:
                self.blocks_read.popitem(last=False)
        return [known[number] for number in wanted]


class Comparison:
    """Two masks, the second seen in the grid of the first."""

    def __init__(
        self, rasters: Rasters, one: StoredAsset, other: StoredAsset, within: Field | None
    ) -> None:
        """Open both.

        Args:
            rasters: Where masks come from.
            one: The mask whose pixels are counted.
            other: The mask that they are compared with.
            within: The polygon that they are counted in, if any.

        Raises:
            MaskUnreadableError: Storage does not give a mask.
        """
        self._source = _Passing(rasters)
        self._one, self._other = one, other
        self._cog, self._other_cog = self._source.open(one), self._source.open(other)
        self._within = within
        self._crs = CRS.from_epsg(self._cog.epsg).to_wkt()
        mine, theirs = (Place.of(cog, cog.levels[0]) for cog in (self._cog, self._other_cog))
        self.grids: Grids = "nearest"
        if mine.lattice == theirs.lattice:
            same = mine == theirs and _shape(self._cog) == _shape(self._other_cog)
            self.grids = "equal" if same else "aligned"

    def count(self, work: Work) -> Confusion:
        """Count all pixels, a row of blocks at a time in each thread."""
        total = np.zeros(_CODES, np.int64)
        for counted in work.map(partial(self._row, work), range(self._cog.levels[0].down)):
            total += counted
        matrix: Matrix = total.reshape(CLASS_COUNT, CLASS_COUNT)
        return Confusion(matrix, self._cog.resolution_m)

    def _row(self, work: Work, y: int) -> NDArray[np.int64]:
        counts = np.zeros(_CODES, np.int64)
        for number, window, inside in self._windows(y):
            work.left_s()
            (block,) = self._source.blocks(self._one.href, self._cog, 0, [number])
            if not isinstance(block, int):
                block = block[: window.height, : window.width]
            found = codes(block, self._theirs(number, window))
            if isinstance(found, int):
                counts[found] += (
                    inside.sum() if inside is not None else window.height * window.width
                )
            else:
                values = found.ravel() if inside is None else found[inside]
                counts += np.bincount(values, minlength=_CODES)
        return counts

    def _windows(self, y: int) -> Iterator[tuple[int, Window, NDArray[np.bool_] | None]]:
        """Give the blocks of a row with the pixels that count in them, ``None`` for all."""
        level = self._cog.levels[0]
        top = y * level.block_height
        height = min(level.block_height, level.height - top)
        pixels = None if self._within is None else self._within.held(self._cog)
        for x in range(level.across):
            left = x * level.block_width
            window = Window(top, left, height, min(level.block_width, level.width - left))
            inside = None if pixels is None else _inside(pixels, window)
            if inside is None or inside.any():
                yield y * level.across + x, window, inside

    def _theirs(self, number: int, window: Window) -> Classes | int:
        """Give what the other mask says of a window."""
        cog = self._other_cog
        if self.grids == "equal":
            (block,) = self._source.blocks(self._other.href, cog, 0, [number])
            return block if isinstance(block, int) else block[: window.height, : window.width]
        step = self._cog.resolution_m
        view = View(
            crs=self._crs,
            period=None,
            left=self._cog.west + window.column * step,
            top=self._cog.north - window.row * step,
            dx=step,
            dy=step,
            width=window.width,
            height=window.height,
        )
        drawn = draw(self._source, self._other, view)
        return 0 if drawn is None else drawn


def _shape(cog: Cog) -> tuple[int, ...]:
    level = cog.levels[0]
    return level.width, level.height, level.block_width, level.block_height


def _inside(pixels: Pixels, window: Window) -> NDArray[np.bool_]:
    runs = pixels.within(window.row, window.column, window.height, window.width)
    # A step up where a run begins and down where it ends.
    steps = np.zeros((window.height, window.width + 1), np.int8)
    np.add.at(steps, (runs.rows, runs.starts), 1)
    np.add.at(steps, (runs.rows, runs.stops), -1)
    inside: NDArray[np.bool_] = np.cumsum(steps[:, :-1], axis=1, dtype=np.int8) > 0
    return inside
