"""Where the pixels of a polygon lie in the blocks of a mask; the same for all masks of a tile."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from producer.classes import MaskClass
from tiler.clear.lattice import Lattice, Pixels, Place, pixels_within
from tiler.clear.polygons import Area
from tiler.cog import Block, Cog, Level

Counts = NDArray[np.int64]
"""Pixels by class value, 0 to 5."""
Classes = NDArray[np.uint8]

T = TypeVar("T")

CLASS_COUNT = len(MaskClass)
# What no class has as its value says nothing.
CLASS_OF = np.full(256, MaskClass.MISSING, np.uint8)
CLASS_OF[:CLASS_COUNT] = np.arange(CLASS_COUNT)
_KM2 = 1e6


@dataclass(frozen=True, slots=True)
class Part:
    """The pixels of a polygon that one block holds."""

    block: int
    """Number of the block in reading order."""
    flat: NDArray[np.int32]
    """Places in the block, rows first."""
    positions: NDArray[np.int32]
    """Which of the polygon's pixels they are."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The pixels of a polygon that one grid holds."""

    total: int
    """Pixels of the whole polygon."""
    parts: tuple[Part, ...]
    blocks: tuple[int, ...]

    def count(self, blocks: Sequence[Block]) -> Counts:
        """Count the classes; what the grid does not hold is in no count.

        Args:
            blocks: What the grid's mask has in ``blocks``.
        """
        counts = np.zeros(CLASS_COUNT, np.int64)
        for part, block in zip(self.parts, blocks, strict=True):
            if isinstance(block, int):
                counts[CLASS_OF[block]] += len(part.flat)
                continue
            flat = block.reshape(-1)
            values = flat if len(part.flat) == len(flat) else flat.take(part.flat)
            found = np.bincount(values, minlength=CLASS_COUNT)
            counts += found[:CLASS_COUNT]
            counts[MaskClass.MISSING] += found[CLASS_COUNT:].sum()
        return counts

    def classes(self, blocks: Sequence[Block]) -> Classes:
        """Give the class of every pixel of the polygon; no data where the grid does not hold it."""
        found = np.zeros(self.total, np.uint8)
        for part, block in zip(self.parts, blocks, strict=True):
            values = block if isinstance(block, int) else block.reshape(-1).take(part.flat)
            found[part.positions] = CLASS_OF[values]
        return found


class Field:
    """A polygon on the grids of masks; every grid is worked out once, by whoever comes first."""

    def __init__(self, area: Area) -> None:
        self.area = area
        self._lock = threading.RLock()
        self._known: dict[object, object] = {}

    def once(self, key: object, make: Callable[[], T]) -> T:
        """Give what was made before under the same key, or make it."""
        found = self._known.get(key)
        if found is None:
            with self._lock:
                found = self._known.get(key)
                if found is None:
                    self._known[key] = found = make()
        return cast("T", found)

    def pixels(self, lattice: Lattice) -> tuple[Pixels, int]:
        """Give the pixels of the polygon, and how many the whole of it has."""

        def make() -> tuple[Pixels, int]:
            rings, is_whole = self.area.rings(lattice.epsg)
            pixels = pixels_within(rings, lattice)
            whole = round(self.area.km2 * _KM2 / (lattice.width * lattice.height))
            return pixels, pixels.count if is_whole else max(pixels.count, whole)

        return self.once(lattice, make)

    def held(self, cog: Cog) -> Pixels:
        """Give the polygon's pixels of full resolution that a mask holds."""
        level = cog.levels[0]
        place = Place.of(cog, level)
        pixels, _ = self.pixels(place.lattice)
        shape = (level.height, level.width)
        return self.once(
            ("held", place, shape), lambda: pixels.within(place.row, place.column, *shape)
        )

    def on(self, cog: Cog, level: int = 0) -> Coverage:
        """Find the polygon's own pixels in a level of a mask."""
        return self.sampled(cog, level, Place.of(cog, cog.levels[level]).lattice)

    def sampled(self, cog: Cog, number: int, lattice: Lattice) -> Coverage:
        """Find the pixels of a level in which the centres of a lattice's pixels lie.

        They are the polygon's own where the level is a part of the lattice.
        """
        level = cog.levels[number]
        place = Place.of(cog, level)

        def make() -> Coverage:
            pixels, total = self.pixels(lattice)
            if place.lattice == lattice:
                return _aligned(pixels, total, level, place.row, place.column)
            return _nearest(pixels, total, lattice, place, level)

        shape = (level.width, level.height, level.block_width, level.block_height)
        return self.once((lattice, place, shape), make)


def _aligned(pixels: Pixels, total: int, level: Level, row: int, column: int) -> Coverage:
    window = pixels.within(row, column, level.height, level.width)
    return _by_block(total, level, *window.each())


def _nearest(pixels: Pixels, total: int, lattice: Lattice, place: Place, level: Level) -> Coverage:
    rows, columns, numbers = pixels.each()
    x = lattice.x + (columns + 0.5) * lattice.width
    y = lattice.y - (rows + 0.5) * lattice.height
    own = place.lattice
    if own.epsg != lattice.epsg:
        x, y = _between(lattice.epsg, own.epsg).transform(x, y)
    row = np.floor((own.y - y) / own.height) - place.row
    column = np.floor((x - own.x) / own.width) - place.column
    inside = (row >= 0) & (row < level.height) & (column >= 0) & (column < level.width)
    return _by_block(
        total,
        level,
        row[inside].astype(np.int64),
        column[inside].astype(np.int64),
        numbers[inside],
    )


@lru_cache(maxsize=256)
def _between(epsg: int, other: int) -> Transformer:
    return Transformer.from_crs(epsg, other, always_xy=True)


def _by_block(
    total: int,
    level: Level,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    positions: NDArray[np.int32],
) -> Coverage:
    y, row = np.divmod(rows, level.block_height)
    x, column = np.divmod(columns, level.block_width)
    blocks = y * level.across + x
    flat = (row * level.block_width + column).astype(np.int32)
    numbers = np.unique(blocks)
    if len(numbers) > 1:
        order = np.argsort(blocks, kind="stable")
        blocks, flat, positions = blocks[order], flat[order], positions[order]
    bounds = [*np.searchsorted(blocks, numbers).tolist(), len(blocks)]
    parts = tuple(
        Part(int(number), flat[start:stop], positions[start:stop])
        for number, start, stop in zip(numbers, bounds[:-1], bounds[1:], strict=True)
    )
    return Coverage(total, parts, tuple(part.block for part in parts))
