"""Draws the classes of one mask into a view, by nearest neighbour."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tiler.cog import Block, Cog, Level
from tiler.items import StoredAsset
from tiler.rasters import RasterSource
from tiler.style import PLAIN, Style
from tiler.views import View
from tiler.warp import Patch, patches, span

Classes = NDArray[np.uint8]

_STRIP_ROWS = 512


def draw(
    rasters: RasterSource,
    asset: StoredAsset,
    view: View,
    style: Style = PLAIN,
    *,
    coarse: bool = False,
) -> Classes | int | None:
    """Draw a mask.

    Args:
        rasters: Where the mask comes from.
        asset: The mask.
        view: Where.
        style: How.
        coarse: Whether a map of a continent is drawn, for which less than the file will do.

    Returns:
        (y, x) class values, or the one that every pixel has, or ``None`` where the mask is
        nowhere near.

    Raises:
        MaskUnreadableError: Storage does not give it.
        NoMaskCogError: The file is none of the kind that masks are.
    """
    cog = rasters.coarse(asset) if coarse else rasters.open(asset)
    drawn: Classes | int | None = None
    for patch in patches(view, cog):
        window = _Window(rasters, asset.href, cog, patch, style)
        if window.value == 0:
            drawn = 0 if drawn is None else drawn
            continue
        if window.value is not None and patch.shape == (view.height, view.width):
            return style.shown(window.value)
        if drawn is None or isinstance(drawn, int):
            drawn = np.zeros((view.height, view.width), np.uint8)
        window.draw(drawn[patch.rows, patch.columns])
    return None if drawn is None else style.shown(drawn)


def paint(  # noqa: PLR0913 - as for draw, and where to
    rasters: RasterSource,
    asset: StoredAsset,
    view: View,
    style: Style,
    canvas: Classes,
    *,
    coarse: bool,
) -> bool:
    """Draw a mask where a canvas holds no data yet.

    Returns:
        Whether anything of it can be seen.

    Raises:
        MaskUnreadableError: Storage does not give it.
        NoMaskCogError: The file is none of the kind that masks are.
    """
    cog = rasters.coarse(asset) if coarse else rasters.open(asset)
    is_seen = False
    for patch in patches(view, cog):
        target = canvas[patch.rows, patch.columns]
        empty = target == 0
        if not empty.any():
            continue
        window = _Window(rasters, asset.href, cog, patch, style)
        if window.value == 0:
            continue
        fresh = np.zeros(patch.shape, np.uint8)
        window.draw(fresh)
        empty &= fresh != 0
        if empty.any():
            np.copyto(target, fresh, where=empty)
            is_seen = True
    return is_seen


class _Window:
    """The pixels of a level that a patch may need, with a rim of no data beyond the mask."""

    def __init__(
        self, rasters: RasterSource, href: str, cog: Cog, patch: Patch, style: Style
    ) -> None:
        self._patch = patch
        self.value: int | None = None
        """The one value that every pixel of the patch has, if so."""
        level = cog.levels[patch.level]
        reach = style.reach_px(cog.resolution_of(level)) if style.buffer_m else 0
        (left, right), (top, bottom) = span(patch.x_nodes, reach), span(patch.y_nodes, reach)
        self._left, right_in = max(left, -1), min(right, level.width)
        self._top, bottom_in = max(top, -1), min(bottom, level.height)
        self._is_cut = (self._left, self._top, right_in, bottom_in) != (left, top, right, bottom)
        self._shape = (bottom_in - self._top + 1, right_in - self._left + 1)
        if min(self._shape) <= 0:
            self.value = 0
            return
        inside = (
            slice(max(self._top, 0), min(bottom_in + 1, level.height)),
            slice(max(self._left, 0), min(right_in + 1, level.width)),
        )
        if inside[0].start >= inside[0].stop or inside[1].start >= inside[1].stop:
            self.value = 0
            return
        numbers = list(_numbers(level, *inside))
        blocks = rasters.blocks(href, cog, patch.level, numbers)
        values = {block if isinstance(block, int) else -1 for block in blocks}
        if len(values) == 1 and -1 not in values and (not self._is_cut or values == {0}):
            self.value = values.pop()
            return
        self._pixels = np.zeros(self._shape, np.uint8)
        for number, block in zip(numbers, blocks, strict=True):
            self._paste(level, number, block, inside)
        if reach:
            self._pixels = style.grown(self._pixels, cog.resolution_of(level))

    def _paste(self, level: Level, number: int, block: Block, inside: tuple[slice, slice]) -> None:
        y, x = divmod(number, level.across)
        y, x = y * level.block_height, x * level.block_width
        rows = slice(max(inside[0].start, y), min(inside[0].stop, y + level.block_height))
        columns = slice(max(inside[1].start, x), min(inside[1].stop, x + level.block_width))
        part = (
            block
            if isinstance(block, int)
            else block[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
        )
        self._pixels[
            rows.start - self._top : rows.stop - self._top,
            columns.start - self._left : columns.stop - self._left,
        ] = part

    def draw(self, target: Classes) -> None:
        """Write the patch; what lies beyond the mask stays as it is."""
        if self.value is not None:
            target[...] = self.value
            return
        height, width = self._shape
        pixels = self._pixels.reshape(-1)
        for start in range(0, len(target), _STRIP_ROWS):
            rows = slice(start, min(start + _STRIP_ROWS, len(target)))
            x, y = self._patch.coordinates(self._left, self._top, rows)
            if self._is_cut:
                np.clip(x, 0, width - 1, out=x)
                np.clip(y, 0, height - 1, out=y)
            # Never negative, so cutting the fraction off is the same as rounding down.
            index = y.astype(np.int32)
            index *= width
            index += x.astype(np.int32)
            found = pixels.take(index)
            if self._is_cut:
                np.copyto(target[rows], found, where=found != 0)
            else:
                target[rows] = found


def _numbers(level: Level, rows: slice, columns: slice) -> Iterator[int]:
    for y in range(rows.start // level.block_height, (rows.stop - 1) // level.block_height + 1):
        first = columns.start // level.block_width
        for x in range(first, (columns.stop - 1) // level.block_width + 1):
            yield y * level.across + x
