"""Middleware: where links start, and what a browser or proxy may keep."""

from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_GOOD = 300


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
