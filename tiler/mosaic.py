"""Mosaics of a Collection or of a registered search."""

import math
from typing import Any

import attr
from rasterio.warp import transform_bounds
from rio_tiler.constants import WGS84_CRS
from rio_tiler.io import MultiBaseReader
from titiler.pgstac.backend import PGSTACBackend

from tiler.items import StoredItem
from tiler.rasters import Rasters
from tiler.settings import TilerSettings
from tiler.reader import ItemReader, Source

_RESOLUTION_M = 10.0
_METRES_PER_DEGREE = 6378137 * math.pi / 180


@attr.s
class MosaicReader(ItemReader):
    """Reads an Item as a mosaic search gives it."""

    max_image_px: int = attr.ib(default=4096, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Wrap what the search gave."""
        self.input = Source(StoredItem.of(self.input), Rasters(TilerSettings()), self.max_image_px)
        super().__attrs_post_init__()


@attr.s
class MosaicBackend(PGSTACBackend):
    """Finds the Items of a mosaic."""

    reader: type[MultiBaseReader] = attr.ib(default=MosaicReader)

    @property
    def minzoom(self) -> int:
        """A mosaic can be seen whole."""
        said = self.info().metadata.minzoom
        return int(self.tms.minzoom if said is None else said)

    @property
    def maxzoom(self) -> int:
        """Zoom whose pixels are nearest to the masks' 10 m, in the middle of the mosaic."""
        said = self.info().metadata.maxzoom
        if said is not None:
            return int(said)
        west, south, east, north = self.bounds
        lon, lat = (west + east) / 2, (south + north) / 2
        half = _RESOLUTION_M / _METRES_PER_DEGREE / 2
        wide = half / max(math.cos(math.radians(lat)), 0.01)
        box = (lon - wide, lat - half, lon + wide, lat + half)
        left, bottom, right, top = transform_bounds(WGS84_CRS, self.tms.rasterio_crs, *box)
        return int(self.tms.zoom_for_res(max(right - left, top - bottom)))


def no_renders(_reader: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - any of TiTiler's
    """A mosaic draws classes only."""
    return {}
