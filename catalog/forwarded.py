"""The address under which clients see the API, behind proxies and below a mount point."""

import re
from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

_SITE = "nimbostac.site"
_HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_PREFIX = re.compile(r"(/[\w.~-]+)+")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class ForwardedMiddleware:
    """Believe ``Forwarded`` and ``X-Forwarded-*``, as set by a proxy in front.

    Unlike the middleware of stac-fastapi it keeps the port of a ``Host`` that was passed on,
    reads IPv6 addresses and ``X-Forwarded-Prefix``, and takes a mounted application's own
    root for the base of its addresses.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as it was before the proxies."""
        if scope["type"] == "http":
            scope = _seen_from_outside(scope)
        await self.app(scope, receive, send)


def site_of(request: Request) -> str:
    """Address of the site that the API is part of, without a closing slash.

    For a mounted application that is where its parent lives, and else the host.
    """
    site: str = request.scope[_SITE]
    return site


def _seen_from_outside(scope: Scope) -> Scope:
    headers = Headers(scope=scope)
    forwarded = dict(_forwarded(headers.get("forwarded", "")))
    scheme = forwarded.get("proto") or _first(headers, "x-forwarded-proto")
    if scheme not in _DEFAULT_PORTS:
        scheme = scope["scheme"]
    host = forwarded.get("host") or _first(headers, "x-forwarded-host")
    if not _HOST.fullmatch(host):
        host = headers.get("host", "localhost")
    port = "" if forwarded else _first(headers, "x-forwarded-port")
    if port.isdecimal() and not re.search(r":\d+$", host):
        host = f"{host}:{port}"
    host = host.removesuffix(f":{_DEFAULT_PORTS[scheme]}")

    root, path = scope.get("root_path", ""), scope["path"]
    prefix = _first(headers, "x-forwarded-prefix").rstrip("/")
    if not _PREFIX.fullmatch(prefix) or f"{root}/".startswith(f"{prefix}/"):
        prefix = ""
    root, path = prefix + root, prefix + path
    parent = prefix + scope["app_root_path"] if "app_root_path" in scope else ""
    return {
        # Without a parent's router this application's own is asked for addresses.
        **{key: value for key, value in scope.items() if key != "router"},
        "scheme": scheme,
        "path": path,
        "root_path": root,
        # Starlette builds addresses below the outermost application's root.
        "app_root_path": root,
        "headers": [
            *((name, value) for name, value in scope["headers"] if name != b"host"),
            (b"host", host.encode("latin-1")),
        ],
        _SITE: f"{scheme}://{host}{parent}",
    }


def _first(headers: Headers, name: str) -> str:
    # Proxies append; the first is what the client itself asked for.
    return headers.get(name, "").split(",")[0].strip()


def _forwarded(value: str) -> Iterator[tuple[str, str]]:
    for pair in value.partition(",")[0].split(";"):
        name, separator, text = pair.partition("=")
        if separator:
            yield name.strip().lower(), text.strip().strip('"')
