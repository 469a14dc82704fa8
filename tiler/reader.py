"""Reads the rasters of an Item, always by nearest neighbour."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import attr
import rasterio
from affine import Affine
from morecantile import TileMatrixSet
from rasterio.crs import CRS
from rasterio.transform import array_bounds
from rio_tiler.constants import WEB_MERCATOR_TMS, WGS84_CRS
from rio_tiler.errors import InvalidAssetName
from rio_tiler.io import BaseReader, MultiBaseReader, Reader
from rio_tiler.models import ImageData, Info
from rio_tiler.types import AssetInfo, AssetType, BBox

from producer.layout import MASK
from tiler.errors import ImageSizeError
from tiler.items import StoredItem

_NEAREST = {"resampling_method": "nearest", "reproject_method": "nearest"}


@dataclass(frozen=True, slots=True)
class Source:
    """What a reader reads: an Item, and how large an image of it may be."""

    item: StoredItem
    max_image_px: int

    def __str__(self) -> str:
        return self.item.id


@attr.s
class AssetReader(Reader):
    """Reads one raster with rio-tiler, within bounds of size."""

    max_image_px: int = attr.ib(default=4096, kw_only=True)

    def part(self, bbox: BBox, **options: Any) -> ImageData:  # noqa: ANN401, D102
        width, height = options.get("width"), options.get("height")
        self._check(width or height or 0, height or width or 0)
        if not (width or height or options.get("max_size")):
            options["max_size"] = self.max_image_px
        return super().part(bbox, **{**options, **_NEAREST})

    def read(self, **options: Any) -> ImageData:  # noqa: ANN401, D102
        self._check(options.get("width") or 0, options.get("height") or 0)
        if options.get("max_size"):
            options["max_size"] = min(options["max_size"], self.max_image_px)
        return super().read(**{**options, "resampling_method": "nearest"})

    def _check(self, width: int, height: int) -> None:
        if max(width, height) > self.max_image_px:
            raise ImageSizeError(width, height, self.max_image_px)


@attr.s
class ItemReader(MultiBaseReader):
    """Reads the rasters of one Item; its bounds and zooms are those of the mask's own grid."""

    input: Source = attr.ib()
    tms: TileMatrixSet = attr.ib(default=WEB_MERCATOR_TMS)
    minzoom: int | None = attr.ib(default=None)
    maxzoom: int | None = attr.ib(default=None)
    assets: Sequence[str] = attr.ib(init=False)
    reader: type[BaseReader] = attr.ib(default=AssetReader)
    reader_options: dict[str, Any] = attr.ib(factory=dict)
    ctx: type[rasterio.Env] = attr.ib(default=rasterio.Env)
    default_assets: Sequence[AssetType] | None = attr.ib(default=(MASK,))

    def __attrs_post_init__(self) -> None:
        """Take bounds and zooms from what the Item says of its grid."""
        item = self.input.item
        self.assets = list(item.assets)
        properties = item.properties
        code, shape = properties.get("proj:code"), properties.get("proj:shape")
        transform = properties.get("proj:transform")
        if code and shape and transform:
            self.crs = CRS.from_user_input(code)
            self.height, self.width = shape
            self.transform = Affine(*transform[:6])
            self.bounds = array_bounds(self.height, self.width, self.transform)
        else:
            self.crs = WGS84_CRS
            self.bounds = item.bbox
        self.minzoom = self._minzoom if self.minzoom is None else self.minzoom
        self.maxzoom = self._maxzoom if self.maxzoom is None else self.maxzoom

    def info(  # noqa: D102
        self,
        assets: Sequence[AssetType] | AssetType | None = None,
        **options: Any,  # noqa: ANN401
    ) -> dict[str, Info]:
        return super().info(assets or [MASK], **options)

    def _get_asset_info(self, asset: AssetType) -> AssetInfo:
        name = asset if isinstance(asset, str) else asset["name"]
        found = self.input.item.assets.get(name)
        if found is None:
            raise InvalidAssetName(f"{name!r} is not valid, should be one of {self.assets}")
        return AssetInfo(
            url=found.href,
            name=name,
            media_type=found.media_type,
            reader_options={"max_image_px": self.input.max_image_px},
            method_options={},
        )
