"""Shares of a polygon by class, in the words of an Item's properties."""

from dataclasses import dataclass
from typing import Any, Self

from producer.classes import CLASSES, MaskClass
from tiler.clear.coverage import Counts

COVERED = tuple(info for info in CLASSES if info.value is not MaskClass.NO_DATA)
"""The classes that a product gives to what it covers; their shares sum to one."""


@dataclass(frozen=True, slots=True)
class Fractions:
    """What one product, or one acquisition, says about a polygon."""

    shares: tuple[float, ...] | None
    """Of the area that is covered, in the order of ``COVERED``; ``None`` where nothing is."""
    coverage: float
    """Share of the polygon that is covered, 0 to 1."""
    pixels: int
    """How many pixels were looked at that are covered."""
    resolution_m: float
    error: float = 0.0
    """Most that a share is off, at 99 per cent confidence; 0 where all pixels were counted."""

    @classmethod
    def of(cls, counts: Counts, total: int, resolution_m: float) -> Self:
        """Take shares of exact counts.

        Args:
            counts: Pixels by class value.
            total: Pixels of the whole polygon.
            resolution_m: Edge of a pixel.
        """
        covered = int(counts[1:].sum())
        shares = tuple((counts[1:] / covered).tolist()) if covered else None
        return cls(shares, covered / total if total else 0.0, covered, resolution_m)

    @property
    def clear(self) -> float | None:
        """Share of the covered area that is clear."""
        return None if self.shares is None else self.shares[0]

    @property
    def clear_seen(self) -> float:
        """Share of the whole polygon that was seen clear."""
        return (self.clear or 0.0) * self.coverage

    def by_class(self) -> dict[str, float | None]:
        """Give shares by name of the class."""
        shares = self.shares or (None,) * len(COVERED)
        return {info.name: share for info, share in zip(COVERED, shares, strict=True)}

    def properties(self) -> dict[str, Any]:
        """Give all of it as ``aoi:`` properties of an Item."""
        return {
            **{f"aoi:{name}": share for name, share in self.by_class().items()},
            "aoi:coverage": self.coverage,
            "aoi:pixels": self.pixels,
            "aoi:resolution_m": self.resolution_m,
            "aoi:error": self.error,
        }
