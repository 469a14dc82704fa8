"""The smallest set of acquisitions that together see a polygon clear."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producer.classes import MaskClass
from tiler.clear.coverage import Classes
from tiler.clear.rows import Row


@dataclass(frozen=True, slots=True)
class Seen:
    """Where one acquisition sees the ground."""

    row: Row
    clear: NDArray[np.uint8]
    """A bit a pixel of the polygon."""
    pixels: int
    """How many the polygon has."""

    @classmethod
    def of(cls, row: Row, classes: Classes) -> "Seen":
        """Keep the clear pixels, at an eighth of a byte each."""
        return cls(row, np.packbits(classes == MaskClass.CLEAR), len(classes))


@dataclass(frozen=True, slots=True)
class Step:
    """One acquisition of the set."""

    row: Row
    adds: float
    """Share of the polygon that it is the first to see clear."""
    achieved: float
    """Share that is seen clear with it and all before it."""


def smallest(seen: Sequence[Seen], share: float, most: int | None) -> list[Step]:
    """Choose acquisitions greedily: always the one that adds most.

    Nobody knows a way to the true smallest set that takes less than trying all; the greedy one is
    at most 1 + ln(n) times as large, n the number of pixels (Chvatal 1979), and for fields most
    often as small. Of equals the latest is taken.

    Args:
        seen: Acquisitions, all in the same pixels.
        share: How much of it must be seen clear, 0 to 1.
        most: How many acquisitions at most.

    Returns:
        The steps in the order of their gain; fewer than it takes where nothing adds any more.
    """
    left = sorted(seen, key=lambda one: one.row.datetime, reverse=True)
    if not left:
        return []
    total = left[0].pixels
    lacking = np.full_like(left[0].clear, 255)
    steps: list[Step] = []
    achieved = 0
    while left and achieved < share * total and (most is None or len(steps) < most):
        gains = [int(np.bitwise_count(one.clear & lacking).sum()) for one in left]
        best = int(np.argmax(gains))
        if not gains[best]:
            break
        chosen = left.pop(best)
        lacking &= ~chosen.clear
        achieved += gains[best]
        steps.append(Step(chosen.row, gains[best] / total, achieved / total))
    return steps
