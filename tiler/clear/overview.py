"""Large polygons: counted in an overview, and corrected by blocks of full resolution.

An overview has the most frequent class of what a pixel covers, which favours large things. So some
blocks are counted in full and compared with what the overview says of them. Blocks with much detail
err most and compress least; each is drawn with a chance proportional to its bytes (sampling with
replacement, Hansen and Hurwitz 1943), which gives an unbiased correction and its standard error.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tiler.clear.coverage import CLASS_COUNT, Coverage, Field, Part
from tiler.clear.fractions import Fractions
from tiler.clear.lattice import Place
from tiler.cog import Cog
from tiler.items import StoredAsset
from tiler.rasters import Rasters

DRAWS = 16
"""Blocks that are counted in full."""
# Student's t for 15 degrees of freedom: 99 per cent for five classes at once, so 99.8 for each.
_STUDENT_T = 3.733
FLOOR = 0.0005
"""What a sample is believed to be off by, even where it shows no difference."""
_MOST_PIXELS = 500_000
_LEAST_BYTES = 32

Floats = NDArray[np.float64]


def estimate(rasters: Rasters, asset: StoredAsset, cog: Cog, field: Field) -> Fractions:
    """Find the shares of a polygon that holds too many pixels of a mask to count them all.

    Raises:
        MaskUnreadableError: Storage does not give the mask.
    """
    place = Place.of(cog, cog.levels[0])
    plan = field.once(("plan", place, cog.levels[0].width), lambda: _Plan.of(cog, field))
    numbers = plan.overview.blocks
    seen = plan.overview.classes(rasters.blocks(asset.href, cog, plan.level, numbers))
    overview = np.bincount(seen[plan.order], minlength=CLASS_COUNT) * plan.scale
    chances = plan.chances(cog)
    # The same draws every time: an answer must not change because it is asked for again.
    draws, times = np.unique(
        np.random.default_rng(0).choice(len(chances), DRAWS, p=chances), return_counts=True
    )
    full = rasters.blocks(asset.href, cog, 0, draws.tolist())
    misses = np.empty((len(draws), CLASS_COUNT))
    for row, (number, block) in enumerate(zip(draws.tolist(), full, strict=True)):
        part = plan.part(cog, field, number)
        counted = Coverage(0, (part,), (number,)).count([block])
        mine = seen[plan.order[plan.bounds[number] : plan.bounds[number + 1]]]
        believed = np.bincount(mine, minlength=CLASS_COUNT) * plan.scale
        misses[row] = (counted - believed) / chances[number]
    misses = np.repeat(misses, times, axis=0)
    counts = np.maximum(overview + misses.mean(axis=0), 0)
    counts[0] = 0
    covered = counts.sum()
    pixels, total = len(seen), field.pixels(place.lattice)[1]
    resolution_m = cog.resolution_m * float(np.sqrt(plan.scale))
    if not covered:
        return Fractions(None, 0.0, 0, resolution_m, FLOOR)
    shares = counts[1:] / covered
    # What a block's miss does to a share: to its part, and to the whole that it is a share of.
    effects = (misses[:, 1:] - shares * misses[:, 1:].sum(axis=1, keepdims=True)) / covered
    deviation = float(effects.std(axis=0, ddof=1).max()) / np.sqrt(DRAWS)
    return Fractions(
        tuple(shares.tolist()),
        min(float(covered) / total, 1.0),
        pixels,
        resolution_m,
        min(float(_STUDENT_T * deviation) + FLOOR, 1.0),
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all masks of one grid share."""

    level: int
    overview: Coverage
    scale: float
    """Pixels of full resolution to one of the overview."""
    order: NDArray[np.int32]
    """Numbers of the overview's pixels, by the block of full resolution that they lie in."""
    bounds: NDArray[np.int64]
    """Where in ``order`` each block begins."""
    pixels: Floats
    """The polygon's pixels of full resolution by block."""

    @classmethod
    def of(cls, cog: Cog, field: Field) -> Self:
        """Choose the overview, and sort its pixels into the blocks of full resolution."""
        full, held = cog.levels[0], field.held(cog)
        scales = [full.width * full.height / (each.width * each.height) for each in cog.levels]
        fitting = [
            number for number, scale in enumerate(scales) if held.count / scale <= _MOST_PIXELS
        ]
        number = fitting[0] if fitting else len(scales) - 1
        level = cog.levels[number]
        pixels, _ = field.pixels(Place.of(cog, level).lattice)
        rows, columns, numbers = pixels.within(0, 0, level.height, level.width).each()
        y = ((rows + 0.5) * (full.height / level.height) // full.block_height).astype(np.int64)
        x = ((columns + 0.5) * (full.width / level.width) // full.block_width).astype(np.int64)
        blocks = y * full.across + x
        order = np.argsort(blocks, kind="stable")
        count = len(full.counts)
        by_block = np.zeros(count)
        for column in range(full.across):
            left = column * full.block_width
            lengths = np.minimum(held.stops, left + full.block_width) - np.maximum(
                held.starts, left
            )
            found = held.rows // full.block_height * full.across + column
            by_block += np.bincount(found, np.maximum(lengths, 0), minlength=count)
        return cls(
            number,
            field.on(cog, number),
            scales[number],
            numbers[order],
            np.searchsorted(blocks[order], np.arange(count + 1)),
            by_block,
        )

    def chances(self, cog: Cog) -> Floats:
        """Say how likely each block is drawn: by its bytes, and by how much of it is asked for."""
        asked = np.maximum(self.pixels, np.diff(self.bounds) * self.scale)
        sizes = (np.array(cog.levels[0].counts, np.float64) + _LEAST_BYTES) * asked
        chances: Floats = sizes / sizes.sum()
        return chances

    def part(self, cog: Cog, field: Field, number: int) -> Part:
        """Find the polygon's pixels in one block of full resolution."""
        full = cog.levels[0]
        shape = full.block_height, full.block_width

        def make() -> NDArray[np.uint8]:
            y, x = divmod(number, full.across)
            window = field.held(cog).within(y * shape[0], x * shape[1], *shape)
            rows, columns, _ = window.each()
            inside = np.zeros(shape, np.bool_)
            inside[rows, columns] = True
            # An eighth of the memory, for many blocks of a wild polygon.
            return np.packbits(inside)

        packed = field.once(("part", Place.of(cog, full), shape, number), make)
        flat = np.flatnonzero(np.unpackbits(packed)).astype(np.int32)
        return Part(number, flat, flat)
