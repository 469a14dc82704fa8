"""How far two masks agree: counts of pixels by class and class, and what follows from them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from producer.classes import CLASSES, VALID_CLASSES, MaskClass
from tiler.clear.fractions import COVERED

Matrix = NDArray[np.int64]
"""(6, 6) pixels by class in a and class in b, 0 to 5."""

_NAME = {info.value: info.name for info in CLASSES}
_GROUPS = {
    **{_NAME[value]: (value,) for value in VALID_CLASSES},
    "any_cloud": (MaskClass.SEMI_TRANSPARENT, MaskClass.CLOUD),
}


@dataclass(frozen=True, slots=True)
class Confusion:
    """Pixels of a's grid, by what a and b say of them."""

    matrix: Matrix
    resolution_m: float

    def report(self) -> dict[str, Any]:
        """Tell counts, shares and what statistics make of them.

        a is judged, and b is what it is compared with: precision is the share of what a calls so
        that b calls so too, recall the share of what b calls so that a calls so too.
        """
        covered = self.matrix[1:, 1:]
        both = int(covered.sum())
        valid = self.matrix[np.ix_(VALID_CLASSES, VALID_CLASSES)]
        pixels = int(valid.sum())
        return {
            "classes": [info.name for info in COVERED],
            "matrix": covered.tolist(),
            "shares": (covered / max(both, 1)).tolist(),
            "pixels_both": both,
            "pixels_valid": pixels,
            "pixels_only_a": int(self.matrix[1:, 0].sum()),
            "pixels_only_b": int(self.matrix[0, 1:].sum()),
            "area_km2": pixels * self.resolution_m**2 / 1e6,
            "agreement": _share(np.trace(valid), pixels),
            "kappa": _kappa(valid),
            "by_class": {name: self._judged(group) for name, group in _GROUPS.items()},
            "resolution_m": self.resolution_m,
        }

    def _judged(self, group: Iterable[MaskClass]) -> dict[str, Any]:
        chosen = list(group)
        in_a = int(self.matrix[np.ix_(chosen, VALID_CLASSES)].sum())
        in_b = int(self.matrix[np.ix_(VALID_CLASSES, chosen)].sum())
        agreed = int(self.matrix[np.ix_(chosen, chosen)].sum())
        return {
            "pixels_a": in_a,
            "pixels_b": in_b,
            "pixels_agreed": agreed,
            "precision": _share(agreed, in_a),
            "recall": _share(agreed, in_b),
            "f1": _share(2 * agreed, in_a + in_b),
            "iou": _share(agreed, in_a + in_b - agreed),
        }


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _kappa(valid: Matrix) -> float | None:
    """Compare agreement with that of chance (Cohen 1960)."""
    total = int(valid.sum())
    if not total:
        return None
    observed = np.trace(valid) / total
    expected = float(valid.sum(axis=0) / total @ (valid.sum(axis=1) / total))
    # One class is all there is: chance agrees as well.
    return None if expected >= 1 else float((observed - expected) / (1 - expected))
