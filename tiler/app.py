"""The tile server: TiTiler over the Items of pgstac."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import jinja2
from fastapi import APIRouter, Depends, FastAPI, Request
from rio_tiler.colormap import ColorMaps
from starlette.middleware.cors import CORSMiddleware
from starlette.templating import Jinja2Templates
from starlette_cramjam.middleware import CompressionMiddleware
from titiler.core.factory import (
    ColorMapFactory,
    MultiBaseTilerFactory,
    TMSFactory,
)
from titiler.core.utils import update_openapi
from titiler.extensions.wmts import wmtsExtension
from titiler.mosaic.extensions.wmts import wmtsExtension as mosaicWmtsExtension
from titiler.pgstac.extensions import searchInfoExtension
from titiler.pgstac.factory import (
    MosaicTilerFactory,
    add_search_list_route,
    add_search_register_route,
)

from producer.layout import MASK
from tiler import footprints, health, landing, legend, parameters, share, timeline
from tiler.answers import version_of
from tiler.atonce import ItemRoute, MosaicRoute
from tiler.backend import (
    MosaicBackend,
    MosaicReader,
    backend,
    first_on_top,
    no_renders,
)
from tiler.clear.desk import Desk
from tiler.clear.router import router as clear_router
from tiler.compare.router import router as compare_router
from tiler.crs import known_crs
from tiler.database import open_pool
from tiler.errors import add_exception_handlers
from tiler.images import render_classes
from tiler.items import ItemCache, StoredItem, stored_item
from tiler.middleware import CacheHeaders, OwnRoot, Scaled
from tiler.mosaic import Mosaics
from tiler.palette import CLASS_COLORS
from tiler.places import Places
from tiler.rasters import Rasters
from tiler.reader import ItemReader, Source
from tiler.renders import item_renders, rendersExtension
from tiler.searches import collection_mosaic, registered_search
from tiler.settings import TilerSettings
from tiler.views import shared_sets

ITEM_PATH = "/collections/{collection_id}/items/{item_id}"
COLLECTION_PATH = "/collections/{collection_id}"
SEARCH_PATH = "/searches/{search_id}"

_IMAGES = {"jpeg", "jpg", "png", "jp2", "webp", "tiff"}

# Brotli's own level takes seconds for a vector tile, and the event loop with them.
_COMPRESSION = 4


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold connections and caches while the application runs.

    An application that mounts this one enters it itself: mounting does not.
    """
    settings: TilerSettings = app.state.settings
    app.state.dbpool = open_pool(settings)
    app.state.rasters = Rasters(settings)
    app.state.items = ItemCache(app.state.dbpool, settings.item_age_s)
    app.state.mosaics = Mosaics(app.state.dbpool, settings.item_age_s)
    app.state.places = Places(app.state.dbpool, settings.item_age_s)
    app.state.clear = Desk(settings, app.state.dbpool, app.state.rasters)
    try:
        yield
    finally:
        app.state.clear.close()
        app.state.rasters.close()
        app.state.dbpool.close()


def source(request: Request, item: Annotated[StoredItem, Depends(stored_item)]) -> Source:
    """Give TiTiler's endpoints the Item that the path names."""
    versioned(request, item)
    settings: TilerSettings = request.app.state.settings
    return Source(item, request.app.state.rasters, settings.max_image_px)


def versioned(request: Request, item: StoredItem) -> None:
    """Let caches know what an answer is made of, and let links to tiles name it."""
    mask = item.assets.get(MASK)
    names = request.query_params.getlist("assets")
    if mask is None or names not in ([], [MASK]):
        return
    request.state.made_of = made_of = version_of(mask.version)
    linked = getattr(request.scope.get("route"), "name", "") in {"tilejson", "wmts"}
    if linked and "v" not in request.query_params:
        # TiTiler makes the addresses of tiles from this list.
        request.query_params._list.append(("v", made_of))  # noqa: SLF001


def create_app(settings: TilerSettings | None = None) -> FastAPI:
    """Build the application.

    Run with ``uvicorn --factory tiler.app:create_app``.
    """
    settings = settings or TilerSettings()
    app = FastAPI(
        title=landing.TITLE,
        openapi_url="/api",
        docs_url="/api.html",
        redoc_url=None,
        root_path=settings.root_path,
        lifespan=lifespan,
        dependencies=[Depends(known_crs)],
    )
    app.state.settings = settings
    update_openapi(app)
    add_exception_handlers(app)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "HEAD", "OPTIONS"],
        allow_headers=["*"],
        expose_headers=["*"],
    )
    app.add_middleware(CacheHeaders, max_age_s=settings.max_age_s)
    app.add_middleware(
        CompressionMiddleware,
        exclude_mediatype={f"image/{kind}" for kind in _IMAGES},
        compression_level=_COMPRESSION,
    )
    app.add_middleware(OwnRoot)
    app.add_middleware(Scaled)
    templates = Jinja2Templates(
        env=jinja2.Environment(
            autoescape=jinja2.select_autoescape(["html", "xml"]),
            loader=jinja2.ChoiceLoader(
                [
                    jinja2.PackageLoader("titiler.pgstac", "templates"),
                    jinja2.PackageLoader("titiler.core", "templates"),
                ]
            ),
        )
    )
    conforms_to = _add_tiles(app, templates)
    app.include_router(landing.create_router(templates, conforms_to))
    app.include_router(health.router)
    app.include_router(legend.router)
    app.include_router(footprints.router)
    app.include_router(timeline.router)
    app.include_router(share.router)
    app.include_router(clear_router)
    app.include_router(compare_router)
    return app


def _tiles_first(router: APIRouter) -> APIRouter:
    """Put the routes that are asked for most where the search for a route begins."""
    router.routes.sort(key=lambda route: getattr(route, "name", "") != "tile")
    return router


def _add_tiles(app: FastAPI, templates: Jinja2Templates) -> set[str]:
    """Add TiTiler's factories; gives what they conform to."""
    common: dict[str, Any] = {
        "layer_dependency": parameters.layer,
        "dataset_dependency": parameters.drawing,
        "stats_dependency": parameters.statistics,
        "process_dependency": parameters.no_process,
        "colormap_dependency": parameters.no_colormap,
        "render_dependency": parameters.nothing,
        "reader_dependency": parameters.nothing,
        "tile_dependency": parameters.nothing,
        "environment_dependency": parameters.gdal_environment,
        "render_func": render_classes,
        "supported_tms": shared_sets(),
        "templates": templates,
    }
    # Typed for any: TiTiler's factories take coroutines, and say classes.
    item: dict[str, Any] = {
        **common,
        "reader": ItemReader,
        "path_dependency": source,
        "assets_dependency": parameters.layer,
        "get_renders": item_renders,
        "extensions": [
            wmtsExtension(tile_dependencies=[], layer_identifier_provider=str),
            rendersExtension(),
        ],
    }
    items = MultiBaseTilerFactory(
        router=APIRouter(route_class=ItemRoute), router_prefix=ITEM_PATH, **item
    )
    app.include_router(_tiles_first(items.router), prefix=ITEM_PATH, tags=["STAC Item"])
    mosaic: dict[str, Any] = {
        **common,
        "backend": MosaicBackend,
        "backend_dependency": backend,
        "dataset_reader": MosaicReader,
        "assets_accessor_dependency": parameters.nothing,
        "pixel_selection_dependency": first_on_top,
        "get_renders": no_renders,
        "add_statistics": True,
        "add_part": True,
        "extensions": [
            searchInfoExtension(),
            # Named for what it shows: the id of a search changes with every word of it, and
            # the catalogue's links must name the layer.
            mosaicWmtsExtension(tile_dependencies=[], layer_identifier_provider=lambda _: "masks"),
        ],
    }
    searches = MosaicTilerFactory(
        router=APIRouter(route_class=MosaicRoute),
        router_prefix=SEARCH_PATH,
        **{**mosaic, "path_dependency": registered_search},
    )
    app.include_router(_tiles_first(searches.router), prefix=SEARCH_PATH, tags=["STAC Search"])
    add_search_list_route(app, prefix="/searches", tags=["STAC Search"])
    add_search_register_route(app, prefix="/searches", tile_dependencies=[], tags=["STAC Search"])
    collections = MosaicTilerFactory(
        router=APIRouter(route_class=MosaicRoute),
        router_prefix=COLLECTION_PATH,
        **{**mosaic, "path_dependency": collection_mosaic},
    )
    app.include_router(
        _tiles_first(collections.router), prefix=COLLECTION_PATH, tags=["STAC Collection"]
    )
    colors = ColorMaps(data={"classes": dict(CLASS_COLORS)})
    schemes = TMSFactory(templates=templates)
    app.include_router(schemes.router, tags=["Tiling Schemes"])
    palettes = ColorMapFactory(supported_colormaps=colors, templates=templates)
    app.include_router(palettes.router, tags=["ColorMaps"])
    factories = (searches, collections, items, schemes, palettes)
    return set().union(*(factory.conforms_to for factory in factories))
