"""Routes that answer a tile at once where all it needs is at hand.

TiTiler's endpoint resolves a dozen dependencies and crosses into a thread, which together take
three times what the tile does. A request that says nothing unusual, for an Item that is known and
a mask whose blocks are read, has no need of either. Everything else, and every error, is left to
the endpoint.
"""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar

from fastapi.routing import APIRoute
from rio_tiler.errors import TileOutsideBounds
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from titiler.core.resources.enums import ImageType

from producer.layout import MASK
from tiler.answers import is_known, mark, not_modified, tile_response, version_of
from tiler.draw import draw
from tiler.errors import FilterError, NoMaskCogError, StyleError
from tiler.images import ClassImage
from tiler.mosaic import Found, Mosaics, Place
from tiler.palette import is_empty
from tiler.patchwork import Unseen
from tiler.rasters import AtHand, ColdError
from tiler.searches import FILTERS, LEAST_CLOUD, SELECTION, wanted
from tiler.style import Style
from tiler.views import SharedTileMatrixSets, View, shared_sets, tile_view
from tiler.wmts import with_days

if TYPE_CHECKING:
    from tiler.items import ItemCache
    from tiler.settings import TilerSettings

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_KNOWN = {"assets", "tilesize", "classes", "buffer_m", "v", SELECTION, *FILTERS}
_SELECTIONS = {"first", LEAST_CLOUD}
_FORMATS: dict[str | None, ImageType | None] = {
    None: None,
    **{kind.value: kind for kind in ImageType},
}
_MAX_DIGITS = 9
_OK = 200
# More of them would keep other requests waiting.
_MOST_AT_ONCE = 64


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
        self.selection = query.get(SELECTION, "first")
        if self.selection not in _SELECTIONS:
            raise _OrdinaryError
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
            settings: TilerSettings = request.app.state.settings
            try:
                asked = TileAsked(request, settings.max_image_px)
                response = self.answer(request, asked)
            except _ORDINARY:
                response = await endpoint(request)
                response.headers.update(getattr(request.state, "said", {}))
            made_of = getattr(request.state, "made_of", None)
            if response.status_code == _OK and made_of is not None:
                if is_known(request, made_of):
                    return not_modified(request, made_of)
                mark(request, response, made_of)
            if settings.empty_status != _OK and is_empty(bytes(response.body)):
                return Response(status_code=settings.empty_status, headers=_kept(response))
            return response

        return handler

    def answer(self, request: Request, asked: TileAsked) -> Response:  # noqa: ARG002
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
        if item is None or MASK not in item.assets:
            raise ColdError
        asset = item.assets[MASK]
        request.state.made_of = made_of = version_of(asset.version)
        if is_known(request, made_of):
            return not_modified(request, made_of)
        drawn = draw(AtHand(state.rasters), asset, asked.view, asked.style)
        if drawn is None:
            raise _OrdinaryError
        return tile_response(ClassImage(drawn, asked.view, asked.crs), asked.format)


class MosaicRoute(AtOnceRoute):
    """A route to the tiles of a mosaic, or to anything else of it."""

    def get_route_handler(self) -> Handler:
        """Tell the WMTS of days, too."""
        handler = super().get_route_handler()
        if self.name != "wmts":
            return handler

        async def by_day(request: Request) -> Response:
            response = await handler(request)
            days = request.app.state.mosaics.days.get
            known = await run_in_threadpool(days, request.state.mosaic)
            whole = await run_in_threadpool(with_days, bytes(response.body), known)
            return Response(whole, response.status_code, media_type="application/xml")

        return by_day

    def answer(self, request: Request, asked: TileAsked) -> Response:
        """Answer a tile of the Collection or registered search that the path names."""
        mosaics: Mosaics = request.app.state.mosaics
        path = request.path_params
        if "search_id" in path:
            mosaic = mosaics.searches.fresh(path["search_id"])
        else:
            key = (path["collection_id"], wanted(request.query_params))
            mosaic = mosaics.collections.fresh(key)
        if mosaic is not None and asked.selection == LEAST_CLOUD:
            mosaic = mosaics.clearest.fresh(mosaic)
        if mosaic is None:
            raise ColdError

        def find(place: Place) -> Found:
            found = mosaics.places.fresh(place)
            if found is None or len(found.items) > _MOST_AT_ONCE:
                raise ColdError
            return found

        tile = Unseen(find, mosaic, asked.view)
        request.state.made_of = made_of = version_of(*tile.made_of)
        if is_known(request, made_of):
            return not_modified(request, made_of)
        work = tile.draw(AtHand(request.app.state.rasters), asked.style)
        return tile_response(work.image(asked.crs), asked.format)


def _kept(response: Response) -> dict[str, str]:
    kept = ("etag", "cache-control", "nimbostac-items")
    return {name: response.headers[name] for name in kept if name in response.headers}
