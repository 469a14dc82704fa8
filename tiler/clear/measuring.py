"""One mask and one polygon: the shares of its classes."""

from dataclasses import dataclass

from tiler.clear.coverage import Field
from tiler.clear.fractions import Fractions
from tiler.clear.overview import estimate
from tiler.items import StoredAsset
from tiler.rasters import Rasters

_KM2 = 1e6


@dataclass(frozen=True, slots=True)
class Meter:
    """Measures masks within polygons."""

    rasters: Rasters
    exact_km2: float
    """Largest part of a mask whose pixels are all counted."""

    def fractions(self, asset: StoredAsset, field: Field) -> Fractions:
        """Measure one mask.

        Raises:
            MaskUnreadableError: Storage does not give it.
            NoMaskCogError: It is no mask of ours.
        """
        cog = self.rasters.open(asset)
        if field.held(cog).count * cog.resolution_m**2 > self.exact_km2 * _KM2:
            return estimate(self.rasters, asset, cog, field)
        coverage = field.on(cog)
        counts = coverage.count(self.rasters.blocks(asset.href, cog, 0, coverage.blocks))
        return Fractions.of(counts, coverage.total, cog.resolution_m)
