"""A product: its bands and what its metadata say of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from producer.errors import MissingBandError
from producer.grid import Grid
from producer.product import ProductName
from producer.safe.spectrum import LEVEL_BANDS


@dataclass(frozen=True, slots=True)
class BandFile:
    """One raster of a product."""

    name: str
    """``B01`` to ``B12`` and ``B8A``; L2A also ``AOT``, ``WVP``, ``SCL``."""
    path: str
    """What rasterio opens: a local path, or ``/vsizip/`` for a zip."""
    resolution_m: int
    """Edge of its pixels, 10, 20 or 60."""


@dataclass(frozen=True, slots=True)
class Product:
    """An opened product; nothing of its pixels is read yet."""

    source: str
    """Where it was read from, an absolute path."""
    name: ProductName
    bands: Mapping[str, BandFile]
    """Rasters that are there, each at its native resolution or the best there is."""
    grid: Grid
    """The 10 m grid."""
    baseline: str
    """Processing baseline with its dot, such as ``04.00``."""
    quantification: float
    """What digital numbers are divided by."""
    offsets: Mapping[str, int]
    """Added to digital numbers before the division, by band; 0 where none was published."""
    footprint: dict[str, Any]
    """GeoJSON geometry of the pixels that hold data, WGS84, split at the antimeridian."""
    sensed: datetime
    """Sensing time of the tile, UTC."""
    datatake: str | None = None
    """Datatake identifier."""
    sun_azimuth: float | None = None
    """Degrees clockwise from north, mean of the tile."""
    sun_elevation: float | None = None
    """Degrees above the horizon, mean of the tile."""
    view_azimuth: float | None = None
    """Degrees clockwise from north, mean over bands."""
    view_off_nadir: float | None = None
    """Incidence zenith angle in degrees, mean over bands."""
    cloud_cover: float | None = None
    """Per cent, as the product's own metadata have it."""
    grids: Mapping[int, Grid] = field(default_factory=dict)
    """Grids by resolution, as the metadata have them; a crop's need not share their origin."""
    absent: frozenset[str] = frozenset()
    """Bands that the manifest lists but that are not there."""

    def band(self, name: str) -> BandFile:
        """Find a band.

        Raises:
            MissingBandError: The manifest or the folder lacks it, or the level has none such.
        """
        found = self.bands.get(name)
        if found is not None:
            return found
        if name in self.absent:
            raise MissingBandError(self.source, name, "is listed in manifest.safe but not there")
        level = self.name.level
        if name not in LEVEL_BANDS[level]:
            problem = f"is none of {level} ({', '.join(LEVEL_BANDS[level])})"
            raise MissingBandError(self.source, name, problem)
        raise MissingBandError(self.source, name, "is not listed in manifest.safe")
