"""TiTiler's way into mosaics: its backend and dependencies over ours."""

# TiTiler's backend is typed for hashes of searches and dictionaries; it passes on what it gets.
# mypy: disable-error-code="override, assignment"

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import attr
from fastapi import Query, Request
from morecantile import Tile, TileMatrixSet
from rasterio.crs import CRS
from rasterio.warp import transform, transform_bounds
from rio_tiler.constants import WEB_MERCATOR_TMS, WGS84_CRS
from rio_tiler.io import MultiBaseReader
from rio_tiler.models import ImageData
from rio_tiler.mosaic.methods import FirstMethod
from titiler.core.dependencies import DefaultDependency
from titiler.pgstac.backend import PGSTACBackend
from titiler.pgstac.model import Search

from producer.layout import MASK
from tiler.answers import version_of
from tiler.items import StoredItem
from tiler.mosaic import Mosaic, Mosaics, Place
from tiler.patchwork import Unseen
from tiler.rasters import Rasters
from tiler.reader import ItemReader, Source, check_size
from tiler.style import PLAIN, Style
from tiler.views import tile_view

_RESOLUTION_M = 10.0
_METRES_PER_DEGREE = 6378137 * math.pi / 180


@dataclass
class BackendParams(DefaultDependency):
    """What a backend works with."""

    mosaics: Mosaics
    source: Callable[[StoredItem], Source]
    """Gives a reader an Item."""
    note: Callable[[tuple[str, ...], dict[str, str]], None]
    """Takes the versions of what a tile is made of, and what the answer should say of it."""
    rasters: Rasters
    max_image_px: int


async def backend(request: Request) -> BackendParams:
    """Give a backend the mosaics of the application."""
    state = request.app.state

    def source(item: StoredItem) -> Source:
        return Source(item, state.rasters, state.settings.max_image_px)

    def note(made_of: tuple[str, ...], said: dict[str, str]) -> None:
        request.state.made_of = version_of(*made_of)
        request.state.said = said

    return BackendParams(state.mosaics, source, note, state.rasters, state.settings.max_image_px)


async def first_on_top(
    pixel_selection: Annotated[
        Literal["first", "least_cloud"],
        Query(
            description="The first Item that has data counts, in the order of the mosaic or the"
            " least cloudy before the others; a class has no mean."
        ),
    ] = "first",
) -> FirstMethod:
    """Lay Items over each other in the order of the mosaic."""
    del pixel_selection
    return FirstMethod()


class MosaicItem(dict[str, Any]):
    """An Item of a mosaic: to a client a few facts, to a reader the source itself."""

    def __init__(self, source: Source) -> None:
        item = source.item
        super().__init__(
            id=item.id,
            collection=item.collection,
            bbox=list(item.bbox),
            datetime=item.datetime,
            assets=list(item.assets),
        )
        self.source = source


@attr.s
class MosaicReader(ItemReader):
    """Reads an Item as a mosaic found it."""

    def __attrs_post_init__(self) -> None:
        """Unwrap the Item."""
        if isinstance(self.input, MosaicItem):
            self.input = self.input.source
        super().__attrs_post_init__()


@attr.s
class MosaicBackend(PGSTACBackend):
    """Draws mosaics for TiTiler."""

    input: Mosaic = attr.ib()
    pool: Any = attr.ib(default=None)
    tms: TileMatrixSet = attr.ib(default=WEB_MERCATOR_TMS)
    reader: type[MultiBaseReader] = attr.ib(default=MosaicReader)
    reader_options: dict[str, Any] = attr.ib(factory=dict)
    crs: CRS = attr.ib(default=WGS84_CRS)
    mosaics: Mosaics = attr.ib(default=None, kw_only=True)
    source: Any = attr.ib(default=None, kw_only=True)
    note: Any = attr.ib(default=None, kw_only=True)
    rasters: Any = attr.ib(default=None, kw_only=True)
    max_image_px: int = attr.ib(default=4096, kw_only=True)

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

    def info(self) -> Search:
        """Give what is known of the search."""
        return self.input.search

    def assets_for_tile(self, x: int, y: int, z: int, **_: Any) -> list[MosaicItem]:  # noqa: ANN401
        """List the Items in a tile."""
        return self._items(*self.tms.bounds(Tile(x, y, z)))

    def assets_for_point(
        self,
        lng: float,
        lat: float,
        coord_crs: CRS = WGS84_CRS,
        **_: Any,  # noqa: ANN401
    ) -> list[MosaicItem]:
        """List the Items at a point."""
        if coord_crs != WGS84_CRS:
            (lng,), (lat,) = transform(coord_crs, WGS84_CRS, [lng], [lat])
        return self._items(lng, lat, lng, lat)

    def assets_for_bbox(
        self,
        xmin: float,
        ymin: float,
        xmax: float,
        ymax: float,
        coord_crs: CRS = WGS84_CRS,
        **_: Any,  # noqa: ANN401
    ) -> list[MosaicItem]:
        """List the Items in a box."""
        box = (xmin, ymin, xmax, ymax)
        if coord_crs != WGS84_CRS:
            box = transform_bounds(coord_crs, WGS84_CRS, *box)
        return self._items(*box)

    def _items(self, west: float, south: float, east: float, north: float) -> list[MosaicItem]:
        place = Place(self.input, (west, south, east, north), is_coarse=False)
        return [MosaicItem(self.source(item)) for item in self.mosaics.places.get(place).items]

    def tile(  # noqa: PLR0913, PLR0917 - TiTiler's signature
        self,
        x: int,
        y: int,
        z: int,
        search_options: dict[str, Any] | None = None,
        tilesize: int | None = None,
        assets: list[str] | None = None,
        style: Style = PLAIN,
        **options: Any,  # noqa: ANN401
    ) -> tuple[ImageData, list[str]]:
        """Draw a tile of classes; other assets are TiTiler's to lay over each other."""
        check_size(tilesize or 0, tilesize or 0, self.max_image_px)
        view = tile_view(self.tms, x, y, z, tilesize)
        if view is None or (assets or [MASK]) != [MASK]:
            named = {**options, "tilesize": tilesize, "assets": assets, "style": style}
            drawn: tuple[ImageData, list[str]] = super().tile(x, y, z, search_options, **named)
            return drawn
        rasters = self.rasters
        unseen = Unseen(self.mosaics.places.get, self.input, view)
        work = unseen.draw(rasters, style)
        self.note(unseen.made_of, work.headers())
        return work.image(self.tms.rasterio_crs), work.used


def no_renders(_reader: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - any of TiTiler's
    """A mosaic draws classes only."""
    return {}
