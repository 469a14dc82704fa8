"""Reads the rasters of an Item, always by nearest neighbour."""

# rio-tiler types options by name that it passes on as they come.
# mypy: disable-error-code="override"

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import attr
import rasterio
from affine import Affine
from morecantile import TileMatrixSet
from rasterio.crs import CRS
from rasterio.transform import array_bounds
from rio_tiler.constants import WEB_MERCATOR_TMS, WGS84_CRS
from rio_tiler.errors import InvalidAssetName, TileOutsideBounds
from rio_tiler.io import BaseReader, MultiBaseReader, Reader
from rio_tiler.models import ImageData, Info, PointData
from rio_tiler.types import AssetInfo, AssetType, BBox

from producer.layout import MASK
from tiler.draw import draw
from tiler.errors import ImageSizeError, NoMaskCogError
from tiler.images import ClassImage
from tiler.items import StoredAsset, StoredItem
from tiler.objects import gdal_path
from tiler.rasters import Rasters
from tiler.style import PLAIN, Style
from tiler.views import View, image_view, tile_view

_NEAREST = {"resampling_method": "nearest", "reproject_method": "nearest"}
_SPATIAL = {"crs", "bounds", "transform", "height", "width", "minzoom", "maxzoom"}


def check_size(width: int, height: int, limit: int) -> None:
    """Refuse an image that is larger than the server draws.

    Raises:
        ImageSizeError: It is.
    """
    if max(width, height) > limit:
        raise ImageSizeError(width, height, limit)


@dataclass(frozen=True, slots=True)
class Source:
    """What a reader reads: an Item, by way of what is open already."""

    item: StoredItem
    rasters: Rasters
    max_image_px: int

    def __str__(self) -> str:
        return self.item.id


@attr.s
class AssetReader(Reader):
    """Reads one raster: what it covers as rio-tiler would, a mask's classes in our own way."""

    source: Source = attr.ib(kw_only=True)
    asset: StoredAsset = attr.ib(kw_only=True)

    def part(self, bbox: BBox, *options: Any, style: Style = PLAIN, **named: Any) -> ImageData:  # noqa: ANN401, D102
        limit = self.source.max_image_px
        width, height = named.get("width"), named.get("height")
        check_size(width or height or 0, height or width or 0, limit)
        if not (width or height):
            named["max_size"] = min(named.get("max_size") or limit, limit)
        return self._classes(super().part(bbox, *options, **{**named, **_NEAREST}), style)

    def read(self, *options: Any, style: Style = PLAIN, **named: Any) -> ImageData:  # noqa: ANN401, D102
        limit = self.source.max_image_px
        check_size(named.get("width") or 0, named.get("height") or 0, limit)
        if named.get("max_size"):
            named["max_size"] = min(named["max_size"], limit)
        image = super().read(*options, **{**named, "resampling_method": "nearest"})
        return self._classes(image, style)

    def point(self, lon: float, lat: float, *options: Any, **named: Any) -> PointData:  # noqa: ANN401, D102
        named.pop("style", None)
        return super().point(lon, lat, *options, **named)

    def _classes(self, image: ImageData, style: Style) -> ImageData:
        if self.asset.key != MASK or image.bounds is None or image.crs is None:
            return image
        view = image_view(image.crs.to_wkt(), image.bounds, image.width, image.height)
        try:
            drawn = draw(self.source.rasters, self.asset, view, style)
        except NoMaskCogError:
            return image
        return ClassImage(0 if drawn is None else drawn, view, image.crs)


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
        """Take nothing but the list of assets: drawing a tile needs no more."""
        self.assets = list(self.input.item.assets)
        for name in _SPATIAL:
            self.__dict__.pop(name, None)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of any of five types
        """Work out bounds and zooms when they are asked for first."""
        if name not in _SPATIAL:
            raise AttributeError(name)
        self._locate()
        return getattr(self, name)

    def _locate(self) -> None:
        item = self.input.item
        said = item.properties
        code, shape = said.get("proj:code"), said.get("proj:shape")
        transform = said.get("proj:transform")
        if code and shape and transform:
            self.height, self.width = shape
            self.crs = CRS.from_user_input(code)
            self.transform = Affine(*transform[:6])
            self.bounds = array_bounds(self.height, self.width, self.transform)
        else:
            self.crs, self.bounds = WGS84_CRS, item.bbox
            self.height = self.width = self.transform = None
        self.minzoom, self.maxzoom = self._minzoom, self._maxzoom

    def tile(  # noqa: D102, PLR0913, PLR0917 - rio-tiler's signature
        self,
        tile_x: int,
        tile_y: int,
        tile_z: int,
        assets: Sequence[AssetType] | AssetType | None = None,
        tilesize: int | None = None,
        style: Style = PLAIN,
        **options: Any,  # noqa: ANN401
    ) -> ImageData:
        check_size(tilesize or 0, tilesize or 0, self.input.max_image_px)
        mask = self.input.item.assets.get(MASK)
        if mask is not None and list(assets or [MASK]) == [MASK]:
            view = tile_view(self.tms, tile_x, tile_y, tile_z, tilesize)
            if view is not None:
                with suppress(NoMaskCogError):
                    return self._drawn(mask, view, style)
        sized = {**options, "tilesize": tilesize, "style": style}
        return super().tile(tile_x, tile_y, tile_z, assets=assets or [MASK], **sized)

    def _drawn(self, mask: StoredAsset, view: View, style: Style) -> ClassImage:
        drawn = draw(self.input.rasters, mask, view, style)
        if drawn is None:
            raise TileOutsideBounds(f"the tile lies outside of {self.input.item.id}")
        return ClassImage(drawn, view, self.tms.rasterio_crs)

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
            url=gdal_path(found.href),
            name=name,
            media_type=found.media_type,
            reader_options={"source": self.input, "asset": found},
            method_options={},
        )
