"""The administration: an application of its own, mounted beside the services or run alone."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from types import FrameType

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.admin import backfills, coverage, events, lanes, session
from ingest.admin.access import Refusals
from ingest.admin.errors import STATUS_CODES, AccessError
from ingest.admin.models import Problem
from ingest.admin.watching import Watch

_ROUTERS = (session.router, backfills.router, lanes.router, coverage.router, events.router)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Watch the ledger for listeners; a parent application enters it for a mounted one."""
    watch = app.state.watch = Watch()
    with _ended_by_signals(watch):
        try:
            yield
        finally:
            await watch.end()


def create_app() -> FastAPI:
    """Build the application; the ledger is where the ``PG*`` variables say.

    Run with ``uvicorn --factory ingest.admin.app:create_app``, or mount it below a path and enter
    ``lifespan`` for it.
    """
    app = FastAPI(
        title="Nimbostac administration",
        description="Backfills, lanes and workers. Everything needs a token.",
        version=version("nimbostac"),
        openapi_url="/api",
        docs_url="/api.html",
        redoc_url=None,
        lifespan=lifespan,
        middleware=[Middleware(NotKept)],
        responses={code: {"model": Problem} for code in (401, 403, 429, 503)},
    )
    app.state.refusals = Refusals()
    for router in _ROUTERS:
        app.include_router(router)
    app.add_api_route("/", lambda: RedirectResponse("api.html"), include_in_schema=False)
    for kind in STATUS_CODES:
        app.add_exception_handler(kind, _answer_error)
    return app


class NotKept:
    """ASGI middleware: what is told with a token is kept by no cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add to the head of its answer."""

        async def with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0] != b"cache-control"]
                message["headers"] = [*kept, (b"cache-control", b"no-store")]
            await send(message)

        await self.app(scope, receive, with_header if scope["type"] == "http" else send)


async def _answer_error(request: Request, error: Exception) -> JSONResponse:
    del request
    status = next(code for kind, code in STATUS_CODES.items() if isinstance(error, kind))
    headers = dict(error.headers) if isinstance(error, AccessError) else {}
    return JSONResponse({"detail": str(error)}, status, headers=headers)


@contextmanager
def _ended_by_signals(watch: Watch) -> Iterator[None]:
    """Let listeners go as soon as the server is asked to stop.

    A server waits for open connections before it ends the lifespan, and streams are open for ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    ending: set[asyncio.Task[None]] = set()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def heard(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(lambda: ending.add(loop.create_task(watch.end())))
        earlier = before[signal.Signals(number)]
        if callable(earlier):
            earlier(number, frame)
        elif earlier is signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in before:
        signal.signal(number, heard)
    try:
        yield
    finally:
        for number, earlier in before.items():
            if signal.getsignal(number) is heard:
                signal.signal(number, earlier)
