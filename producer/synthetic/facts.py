"""What the XML of a written product says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from producer.grid import Grid
from producer.product import ProductName

_FIRST_WITH_OFFSETS = "04.00"


@dataclass(frozen=True, slots=True)
class View:
    """Mean angles of sun and sensor, degrees, azimuths clockwise from north."""

    sun_zenith: float
    sun_azimuth: float
    sensor: tuple[float, float] | None = (5.0, 105.0)
    """Off-nadir angle and azimuth, the same for all bands; ``None`` writes none."""


@dataclass(frozen=True, slots=True)
class SafeFacts:
    """All that the metadata of a product need beside its rasters."""

    name: ProductName
    grids: Mapping[int, Grid]
    """Grids by resolution: 10, 20 and 60 m; a crop's need not share their origin."""
    ring: tuple[tuple[float, float], ...]
    """Closed outline of the pixels that hold data: (longitude, latitude), degrees."""
    sensed: datetime
    """Sensing time of the tile, UTC."""
    view: View
    cloud_cover: float | None = None
    """Per cent; ``None`` writes none."""
    absolute_orbit: int = 0
    quantification: int = 10_000
    offset: int | None = None
    """Added to digital numbers of every band; ``None`` writes no list of offsets, which is right
    before baseline 04.00 only."""

    @property
    def baseline(self) -> str:
        """Processing baseline with its dot, as the name has it."""
        return f"{self.name.baseline[:2]}.{self.name.baseline[2:]}"

    @property
    def granule(self) -> str:
        """Name of the folder below ``GRANULE``."""
        name = self.name
        return f"{name.level}_T{name.tile}_A{self.absolute_orbit:06}_{self.sensed:%Y%m%dT%H%M%S}"


def usual_offset(baseline: str) -> int | None:
    """Give the offset that ESA publishes with a baseline: -1000 since 04.00, none before."""
    return -1000 if baseline >= _FIRST_WITH_OFFSETS else None
