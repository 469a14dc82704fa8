"""Middleware: where links start, tiles of twice the size, what a browser or proxy may keep."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_GOOD = 300
_SCALED = re.compile(r"(/tiles/[^/]+/\d+/\d+/\d+)@([1-4])x(\.\w+)?")
_TILE_PX = 256


@dataclass(frozen=True, slots=True)
class OwnRoot:
    """ASGI middleware that lets links start where the application is mounted.

    Starlette builds them from the root of the outermost application.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with this application as its root."""
        await self.app({**scope, "app_root_path": scope.get("root_path", "")}, receive, send)


@dataclass(frozen=True, slots=True)
class Scaled:
    """ASGI middleware that reads ``…/{y}@2x.png``, as maps ask where pixels are small."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as one for a tile of that size."""
        found = _SCALED.search(scope["path"]) if "@" in scope.get("path", "") else None
        if found is not None and found.end() == len(scope["path"]):
            tile, scale, kind = found.groups(default="")
            path = scope["path"][: found.start()] + tile + kind
            size = f"tilesize={_TILE_PX * int(scale)}".encode()
            query = b"&".join(filter(None, (scope["query_string"], size)))
            scope = {**scope, "path": path, "raw_path": quote(path).encode(), "query_string": query}
        await self.app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class CacheHeaders:
    """ASGI middleware that says ``Cache-Control`` where an endpoint did not."""

    app: ASGIApp
    max_age_s: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at the head of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "cache-control" not in headers:
                    headers["cache-control"] = self._control(scope, message["status"])
            await send(message)

        await self.app(scope, receive, with_headers)

    def _control(self, scope: Scope, status: int) -> str:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        listed = path.rstrip("/") in {"/searches", "/searches/list"} or path.startswith("/healthz")
        if status >= _GOOD or scope["method"] not in {"GET", "HEAD"} or listed:
            return "no-store"
        return f"public, max-age={self.max_age_s}"
