"""What of a mask is shown: some of its classes, cloud and shadow grown by a distance."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor, sqrt

import numpy as np
from numpy.typing import NDArray

from producer.classes import CLASSES, MaskClass
from tiler.errors import StyleError

MAX_BUFFER_M = 2000.0

_VALUES = {info.name: info.value for info in CLASSES if info.value is not MaskClass.NO_DATA}
# Where two grow into one pixel, the one that hides more.
_GROWING = (MaskClass.CLOUD, MaskClass.CLOUD_SHADOW)


@dataclass(frozen=True, slots=True)
class Style:
    """How a client wants to see a mask."""

    classes: frozenset[MaskClass] | None = None
    """The classes that are shown; ``None`` for all."""
    buffer_m: float = 0.0
    """How far cloud and shadow grow over clear ground, metres."""

    @classmethod
    @lru_cache(maxsize=256)
    def parse(cls, classes: str | None, buffer_m: str | None) -> "Style":
        """Read what a URL says.

        Args:
            classes: Names of classes with commas between them.
            buffer_m: A number.

        Raises:
            StyleError: There is no such class, or the number is none or too large.
        """
        chosen = None
        if classes is not None:
            names = [name.strip() for name in classes.split(",") if name.strip()]
            unknown = [name for name in names if name not in _VALUES]
            if unknown:
                raise StyleError(
                    f"there is no class {unknown[0][:40]!r}; there are {', '.join(_VALUES)}"
                )
            chosen = frozenset(_VALUES[name] for name in names)
        try:
            distance = float(buffer_m or 0)
        except ValueError:
            distance = -1.0
        if not 0 <= distance <= MAX_BUFFER_M:
            raise StyleError(
                f"buffer_m={buffer_m!r:.40} is not from 0 to {MAX_BUFFER_M:.0f} metres"
            )
        return cls(chosen, distance)

    def shown(self, values: NDArray[np.uint8] | int) -> NDArray[np.uint8] | int:
        """Leave out the classes that are not shown."""
        if self.classes is None:
            return values
        if isinstance(values, int):
            return values if values in self.classes else 0
        return _lookup(self.classes)[values]

    def grown(self, values: NDArray[np.uint8], resolution_m: float) -> NDArray[np.uint8]:
        """Grow cloud and shadow over clear pixels, by a disc."""
        radius_px = self.buffer_m / resolution_m
        clear = values == MaskClass.CLEAR
        if radius_px < 1 or not clear.any():
            return values
        result = values.copy()
        for kind in _GROWING:
            near = _dilated(values == kind, radius_px) & clear & (result == MaskClass.CLEAR)
            result[near] = kind
        return result

    def reach_px(self, resolution_m: float) -> int:
        """How many pixels away something may matter."""
        return ceil(self.buffer_m / resolution_m)


PLAIN = Style()
"""Everything as it is."""


@lru_cache(maxsize=64)
def _lookup(classes: frozenset[MaskClass]) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    for value in classes:
        table[value] = value
    return table


def _dilated(mask: NDArray[np.bool_], radius_px: float) -> NDArray[np.bool_]:
    """Grow by a disc: row by row, each as wide as the disc is there."""
    height, width = mask.shape
    result = np.zeros_like(mask)
    reach = min(floor(radius_px), height - 1)
    # Counts from the left edge: where they differ across a span, it holds something.
    counts = np.zeros((height, width + 1), np.int32)
    np.cumsum(mask, axis=1, out=counts[:, 1:])
    for dy in range(reach + 1):
        half = floor(sqrt(radius_px**2 - dy**2))
        columns = np.arange(width)
        last = np.minimum(columns + half + 1, width)
        wide = counts[:, last] > counts[:, np.maximum(columns - half, 0)]
        result[dy:] |= wide[: height - dy]
        result[: height - dy] |= wide[dy:]
    return result
