"""All services in one process: the web page, the STAC API and the tile server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

import catalog.app
import ingest.admin.app
import tiler.app
from deploy.page import Kept, WebFiles

_SERVICES = ("stac", "tiler")
"""Those that serve everybody, and say whether they can."""
_NOT_FOUND = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Not found - Nimbostac</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}
</style><h1>There is nothing at this address</h1>
<p>The masks are on <a href="/">the map</a>; programs find them through
<a href="/stac">the STAC API</a> and draw them with <a href="/tiler">the tile server</a>.</p></html>
"""


class Entrances:
    """Takes ``/stac`` for ``/stac/``, where a mounted application begins."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and scope["path"].removeprefix("/") in (*_SERVICES, "admin"):
            scope = {**scope, "path": f"{scope['path']}/"}
        await self.app(scope, receive, send)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold what the services hold: mounting them does not start them."""
    async with (
        catalog.app.lifespan(app.state.services["stac"]),
        tiler.app.lifespan(app.state.services["tiler"]),
        ingest.admin.app.lifespan(app.state.services["admin"]),
    ):
        yield


def create_app() -> FastAPI:
    """Build the application; where the servers are, the environment says.

    Run with ``uvicorn --factory deploy.app:create_app``.
    """
    app = FastAPI(title="Nimbostac", lifespan=lifespan, openapi_url=None)
    app.state.services = {
        "stac": catalog.app.create_app(),
        "tiler": tiler.app.create_app(),
        "admin": ingest.admin.app.create_app(),
    }
    app.add_middleware(Entrances)
    app.add_exception_handler(404, _answer_not_found)
    app.add_api_route("/healthz", _alive)
    app.add_api_route("/healthz/ready", _ready)
    for name, service in app.state.services.items():
        app.mount(f"/{name}", service)
    files = WebFiles(web_folder())
    app.mount("/", files)
    app.add_middleware(Kept, files=files)
    return app


def web_folder() -> Path:
    """Find the files of the web page: in the installed package, or beside it in a checkout."""
    packaged = Path(__file__).parent / "web"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "web"


async def _alive() -> dict[str, str]:
    return {"status": "alive"}


async def _ready(request: Request) -> JSONResponse:
    transport = httpx.ASGITransport(app=request.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answers = await asyncio.gather(
            *(client.get(f"/{name}/healthz/ready") for name in _SERVICES)
        )
    ready = all(answer.is_success for answer in answers)
    parts = {name: answer.json() for name, answer in zip(_SERVICES, answers, strict=True)}
    return JSONResponse(
        {"status": "ready" if ready else "not ready", **parts},
        200 if ready else 503,
        headers={"Cache-Control": "no-store"},
    )


async def _answer_not_found(request: Request, error: Exception) -> Response:
    del error
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_NOT_FOUND, 404)
    return JSONResponse({"detail": f"nothing is at {request.url.path}"}, 404)
