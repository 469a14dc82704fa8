"""Routes that answer a tile at once where all it needs is at hand.

TiTiler's endpoint resolves a dozen dependencies and crosses into a thread, which together take
three times what the tile does. A request that says nothing unusual, for an Item that is known and
a mask whose blocks are read, has no need of either. Everything else, and every error, is left to
the endpoint.
"""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi.routing import APIRoute
from rio_tiler.errors import TileOutsideBounds
from starlette.requests import Request
from starlette.responses import Response
from titiler.core.resources.enums import ImageType

from producer.layout import MASK
from tiler.answers import tile_response
from tiler.backend import FILTERS, wanted
from tiler.draw import draw
from tiler.errors import FilterError, NoMaskCogError, StyleError
from tiler.images import ClassImage
from tiler.items import ItemCache, StoredAsset
from tiler.mosaic import Found, Mosaics, Place
from tiler.patchwork import patchwork
from tiler.rasters import AtHand, ColdError
from tiler.style import Style
from tiler.views import SharedTileMatrixSets, View, shared_sets, tile_view

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_KNOWN = {"assets", "tilesize", "classes", "buffer_m", "v", *FILTERS}
_FORMATS = {None: None, **{kind.value: kind for kind in ImageType}}
_MAX_DIGITS = 9
# More of them would keep other requests waiting.
_MOST_AT_ONCE = 40


class _OrdinaryError(Exception):
    """Something that the endpoint has to say."""


_ORDINARY = (
    _OrdinaryError,
    ColdError,
    FilterError,
    NoMaskCogError,
    StyleError,
    TileOutsideBounds,
    ValueError,
)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise _OrdinaryError
    return int(text)


class TileAsked:
    """What a request for a tile says, as long as it says nothing unusual."""

    _sets: ClassVar[SharedTileMatrixSets] = shared_sets()

    def __init__(self, request: Request, max_px: int) -> None:
        path, query = request.path_params, request.query_params
        if not _KNOWN.issuperset(query) or query.getlist("assets") not in ([], [MASK]):
            raise _OrdinaryError
        identifier = path["tileMatrixSetId"]
        if identifier not in self._sets.tilematrixsets:
            raise _OrdinaryError
        size_px = _number(query["tilesize"]) if "tilesize" in query else None
        if size_px is not None and not 0 < size_px <= max_px:
            raise _OrdinaryError
        kind = path.get("format")
        if kind not in _FORMATS:
            raise _OrdinaryError
        self.format = _FORMATS[kind]
        self.style = Style.parse(query.get("classes"), query.get("buffer_m"))
        self.version = query.get("v")
        tms = self._sets.get(identifier)
        self.crs = tms.rasterio_crs
        x, y, z = (_number(path[name]) for name in "xyz")
        view = tile_view(tms, x, y, z, size_px)
        if view is None:
            raise _OrdinaryError
        self.view: View = view


class AtOnceRoute(APIRoute):
    """A route of TiTiler's factories, which answers known tiles itself."""

    def get_route_handler(self) -> Handler:
        """Put what can be answered at once before the endpoint."""
        endpoint = super().get_route_handler()
        if self.name != "tile":
            return endpoint

        async def handler(request: Request) -> Response:
            try:
                asked = TileAsked(request, request.app.state.settings.max_image_px)
                return self.answer(request, asked)
            except _ORDINARY:
                return await endpoint(request)

        return handler

    def answer(self, request: Request, asked: TileAsked) -> Response:
        """Answer a tile from memory.

        Raises:
            ColdError: Something is not at hand.
        """
        raise ColdError


class ItemRoute(AtOnceRoute):
    """A route to the tiles of one Item."""

    def answer(self, request: Request, asked: TileAsked) -> Response:
        """Answer a tile of the Item that the path names."""
        state, path = request.app.state, request.path_params
        items: ItemCache = state.items
        item = items.fresh((path["collection_id"], path["item_id"]))
        if item is None:
            raise ColdError
        asset: StoredAsset | None = item.assets.get(MASK)
        if asset is None:
            raise _OrdinaryError
        drawn = draw(AtHand(state.rasters), asset, asked.view, asked.style)
        if drawn is None:
            raise _OrdinaryError
        return tile_response(ClassImage(drawn, asked.view, asked.crs), asked.format)


class MosaicRoute(AtOnceRoute):
    """A route to the tiles of a mosaic."""

    def answer(self, request: Request, asked: TileAsked) -> Response:
        """Answer a tile of the Collection or registered search that the path names."""
        mosaics: Mosaics = request.app.state.mosaics
        path = request.path_params
        if "search_id" in path:
            mosaic = mosaics.searches.fresh(path["search_id"])
        else:
            key = (path["collection_id"], wanted(request.query_params))
            mosaic = mosaics.collections.fresh(key)
        if mosaic is None:
            raise ColdError

        def find(place: Place) -> Found:
            found = mosaics.places.fresh(place)
            if found is None or (place.is_coarse and len(found.items) > _MOST_AT_ONCE):
                raise ColdError
            return found

        rasters = AtHand(request.app.state.rasters)
        work = patchwork(find, rasters, mosaic, asked.view, asked.style)
        if not work.used:
            raise _OrdinaryError
        return tile_response(work.image(asked.crs), asked.format)
