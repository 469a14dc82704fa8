"""The STAC API: stac-fastapi over pgstac, read-only, with downloads and health."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import orjson
from brotli_asgi import BrotliMiddleware
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from stac_fastapi.extensions.free_text import FreeTextConformanceClasses
from stac_fastapi.pgstac.app import instantiate_api
from stac_fastapi.pgstac.config import Settings
from stac_fastapi.pgstac.extensions import FreeTextExtension
from stac_fastapi.pgstac.models.extensions import Extensions
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from catalog import downloads, health
from catalog.client import CatalogClient, json_object
from catalog.database import get_connection, pool
from catalog.errors import STATUS_CODES, CatalogError, SearchError
from catalog.forwarded import ForwardedMiddleware
from catalog.settings import CatalogSettings
from producer.storage import Storage


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the connections to the database; a parent application enters it for a mounted one."""
    async with pool(app.state.catalog) as opened:
        app.state.readpool = opened
        yield


def create_app(settings: CatalogSettings | None = None) -> FastAPI:
    """Build the application.

    Run with ``uvicorn --factory catalog.app:create_app``, or mount it below a path and enter
    ``lifespan`` for it.
    """
    settings = settings or CatalogSettings()
    stock = _stock_settings(settings)
    api = instantiate_api(
        client=CatalogClient,
        extensions=_extensions(stock),
        lifespan=lifespan,
        settings=stock,
    )
    api.add_route_dependencies([{"path": "/search", "method": "POST"}], [Depends(json_object)])
    app: FastAPI = api.app
    app.state.catalog = settings
    app.state.store = Storage.from_url(settings.store_url) if settings.store_url else None
    app.state.get_connection = get_connection
    app.include_router(downloads.router)
    app.include_router(health.router)
    for kind in STATUS_CODES:
        app.add_exception_handler(kind, _answer_error)
    app.add_exception_handler(orjson.JSONDecodeError, _answer_bad_json)
    app.user_middleware = _middleware(settings)
    return app


def _stock_settings(settings: CatalogSettings) -> Settings:
    # All that could switch writing on or searching off is said, so that the environment
    # of another stac-fastapi cannot.
    return Settings(
        _env_file=None,
        stac_fastapi_title=settings.title,
        stac_fastapi_description=settings.description,
        stac_fastapi_landing_id="nimbostac",
        stac_fastapi_version=version("nimbostac"),
        root_path=settings.root_path,
        prefix_path="",
        enabled_extensions=None,
        enable_transactions_extensions=False,
        enable_catalogs_extension=False,
        enable_response_models=False,
        enable_direct_response=False,
        enable_metrics=False,
        use_api_hydrate=False,
    )


def _extensions(stock: Settings) -> Extensions:
    conformance = FreeTextConformanceClasses
    return Extensions(
        search_map={"free_text": FreeTextExtension(conformance_classes=[conformance.SEARCH])},
        item_collection_map={
            "free_text": FreeTextExtension(conformance_classes=[conformance.ITEMS])
        },
        settings=stock,
    )


def _middleware(settings: CatalogSettings) -> list[Middleware]:
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "OPTIONS"],
            allow_headers=["Content-Type", "Range", "If-Range", "If-None-Match"],
            expose_headers=["Accept-Ranges", "Content-Range", "Content-Disposition", "ETag"],
            max_age=600,
        ),
        Middleware(ForwardedMiddleware),
        # A compressed file has other bytes than those that a range counts.
        Middleware(BrotliMiddleware, excluded_handlers=[r"/download/[^/]*$"]),
    ]


async def _answer_error(request: Request, error: Exception) -> JSONResponse:
    del request
    status = next(code for kind, code in STATUS_CODES.items() if isinstance(error, kind))
    headers = dict(error.headers) if isinstance(error, CatalogError) else {}
    body = {"code": type(error).__name__, "description": str(error)}
    return JSONResponse(body, status, headers=headers)


async def _answer_bad_json(request: Request, error: Exception) -> JSONResponse:
    return await _answer_error(request, SearchError(f"a parameter is no JSON: {error}"))
