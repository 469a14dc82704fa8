"""The files of the web page: compressed once, and addressed by what is in them.

The page itself, ``index.html``, is asked for each time. What it names it names below
``at/{edition}/``, where the edition is a digest of every file: what lies there never changes, so
that a browser that was here before asks for little more than the page. All files are found
without the edition, too, for who links to them.
"""

import base64
import functools
import gzip
import hashlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import brotli  # type: ignore[import-untyped]  # has no annotations
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

_MEDIA_TYPES = {
    # Browsers run no module of another type, and what a system's own table says differs.
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".tiles": "application/octet-stream",
}
_LEAST_BYTES = 500
"""Smaller files are sent as they are."""
_BROTLI_QUALITY = 5
"""A tenth larger than the best, in a fiftieth of the time."""
_NOT_PUBLISHED = {
    "node_modules",
    "test",
    "package.json",
    "package-lock.json",
    "jsconfig.json",
    "vendor.js",
}
_VENDOR_AGE_S = 24 * 3600
_EDITION_AGE_S = 365 * 24 * 3600
_LOOK_S = 1.0
"""Files that somebody edits are looked at so often."""
_OF_AN_EDITION = {"index.html", "style.css", "icon.svg", "src", "vendor"}
_IN_EDITION = re.compile(r"at/([0-9a-f]{16})/(.+)")
_NAMED = re.compile(r'((?:href|src)="|"\./)(?=src/|vendor/|style\.css|icon\.svg)')
_IMPORT_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)
_HASH = re.compile(r"'sha256-[^']+'")


@dataclass(frozen=True, slots=True)
class Edition:
    """The page as it is now."""

    name: str
    """Digest of all files, 16 hexadecimal digits: the same wherever they are the same."""
    index: bytes
    """``index.html``, with what it names below ``at/{name}/``."""


class WebFiles(StaticFiles):
    """The files of the web page, as browsers want them told."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True)
        self._folder = folder.resolve()
        self._looked_at = -_LOOK_S
        self._edition: Edition | None = None
        self._kept: dict[tuple[str, str], Response] = {}

    def kept(self, scope: Scope) -> Response | None:
        """Give what never changes from memory, once it has been asked for."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return None
        path = self.get_path(scope)
        if not path.startswith("at/"):
            return None
        return self._kept.get((path, _encoding(Headers(scope=scope))))

    @override
    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        # This runs in a thread, where files may be read.
        if time.monotonic() - self._looked_at >= _LOOK_S:
            edition = _edition(self._folder, _signature(self._folder))
            if edition != self._edition:
                self._edition, self._kept = edition, {}
            self._looked_at = time.monotonic()
        inside = _IN_EDITION.sub(r"\2", path)
        if not _is_published(Path(inside)):
            return "", None
        return super().lookup_path(inside)

    @override
    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        path, asked = Path(full_path), Headers(scope=scope)
        media_type = _MEDIA_TYPES.get(path.suffix)
        encoding = _encoding(asked) if media_type else ""
        response: Response
        if self._edition and path == self._folder / "index.html":
            content, etag = self._edition.index, self._edition.name
            response = Response(_encoded(content, encoding), status_code)
            response.headers["etag"] = f'"{etag}-{encoding}"'
        elif encoding and stat_result.st_size >= _LEAST_BYTES:
            version = (stat_result.st_mtime_ns, stat_result.st_size)
            response = Response(_encoded_file(path, version, encoding), status_code)
            response.headers["etag"] = f'"{version[0]:x}-{version[1]:x}-{encoding}"'
        else:
            encoding = ""
            response = FileResponse(path, status_code=status_code, stat_result=stat_result)
        if media_type:
            response.headers["content-type"] = media_type
            response.headers["vary"] = "Accept-Encoding"
        if encoding:
            response.headers["content-encoding"] = encoding
        response.headers["cache-control"] = self._age(scope, path)
        if self.is_not_modified(response.headers, asked):
            return NotModifiedResponse(response.headers)
        if encoding and "immutable" in response.headers["cache-control"]:
            self._kept[self.get_path(scope), encoding] = response
        return response

    def _age(self, scope: Scope, path: Path) -> str:
        of = _IN_EDITION.fullmatch(self.get_path(scope))
        if of:
            # A page that is older than the files gets those of now, but must not keep them.
            is_now = self._edition is not None and of[1] == self._edition.name
            return f"public, max-age={_EDITION_AGE_S}, immutable" if is_now else "no-cache"
        # Asked for again each time, and mostly answered in a word by the ETag; what others
        # wrote changes only with a new version.
        return f"public, max-age={_VENDOR_AGE_S}" if "vendor" in path.parts else "no-cache"


class Kept:
    """Answers with what the page's files keep, before any other part of an application is asked.

    A first visit asks for some forty files, one after the other on few connections.
    """

    def __init__(self, app: ASGIApp, files: WebFiles) -> None:
        self.app = app
        self.files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        await (self.files.kept(scope) or self.app)(scope, receive, send)


def _is_published(inside: Path) -> bool:
    return inside.suffix != ".sh" and not any(
        part in _NOT_PUBLISHED or (part.startswith(".") and part != ".") for part in inside.parts
    )


def _signature(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Tell the page's files with their times and sizes."""
    return tuple(sorted(_stated(folder, folder)))


def _stated(folder: Path, root: Path) -> Iterator[tuple[str, int, int]]:
    for entry in os.scandir(folder):
        path = Path(entry.path).relative_to(root)
        if not _is_published(path) or path.parts[0] not in _OF_AN_EDITION:
            continue
        if entry.is_dir():
            yield from _stated(Path(entry.path), root)
        else:
            state = entry.stat()
            yield path.as_posix(), state.st_mtime_ns, state.st_size


@functools.lru_cache(maxsize=4)
def _edition(folder: Path, signature: tuple[tuple[str, int, int], ...]) -> Edition | None:
    digest = hashlib.sha256()
    for name, _, _ in signature:
        digest.update(f"{name} ".encode())
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    try:
        page = (folder / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    name = digest.hexdigest()[:16]
    page = _NAMED.sub(rf"\1at/{name}/", page)
    imports = _IMPORT_MAP.search(page)
    if imports:
        # The page's security policy names its one script by its hash.
        own = base64.b64encode(hashlib.sha256(imports[1].encode()).digest()).decode()
        page = _HASH.sub(f"'sha256-{own}'", page)
    return Edition(name, page.encode())


def _encoding(asked: Headers) -> str:
    """Choose what a client takes: ``br``, ``gzip``, or nothing."""
    accepted = asked.get("accept-encoding", "")
    wishes = (wish.replace(" ", "").partition(";") for wish in accepted.split(","))
    names = {name for name, _, weight in wishes if weight != "q=0"}
    return next((name for name in ("br", "gzip") if name in names), "")


@functools.lru_cache(maxsize=512)
def _encoded_file(path: Path, version: tuple[int, int], encoding: str) -> bytes:
    """Compress a file; ``version`` is its time and size, by which another one is told."""
    del version
    return _encoded(path.read_bytes(), encoding)


def _encoded(content: bytes, encoding: str) -> bytes:
    if encoding == "br":
        return bytes(brotli.compress(content, quality=_BROTLI_QUALITY))
    return gzip.compress(content, 6, mtime=0) if encoding == "gzip" else content
