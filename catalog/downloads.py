"""Downloads of the files that an Item names, from a local folder or a bucket."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Annotated, Any

import obstore
from fastapi import APIRouter, Path, Request
from obstore.exceptions import BaseError
from obstore.exceptions import NotFoundError as NotInStoreError
from obstore.store import AzureStore, GCSStore, S3Store
from stac_fastapi.types.errors import NotFoundError
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from catalog.database import connection
from catalog.errors import NoSuchFileError, StoreDownError
from catalog.ranges import Ranges, asked_ranges, http_date, is_fresh
from ingest.addresses import stored_key
from producer.storage import Storage

router = APIRouter(tags=["Downloads"])

CollectionId = Annotated[str, Path(description="Collection ID")]
ItemId = Annotated[str, Path(description="Item ID")]

_SIDECAR = ".aux.xml"
_PATH = "/collections/{collection_id}/items/{item_id}/download/{file_name}"
_CHUNK_BYTES = 1 << 18
# A new version of an engine gives its files a new name.
_CACHE = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _File:
    """One file of an Item."""

    storage: Storage
    key: str
    media_type: str
    size: int
    etag: str
    modified: datetime

    @property
    def headers(self) -> dict[str, str]:
        """What is said of the file whatever part of it is sent."""
        name = self.key.rpartition("/")[2]
        shown = "inline" if self.media_type in ("image/png", "application/json") else "attachment"
        return {
            "Accept-Ranges": "bytes",
            "Cache-Control": _CACHE,
            "Content-Disposition": f'{shown}; filename="{name}"',
            "ETag": self.etag,
            "Last-Modified": http_date(self.modified),
            "X-Content-Type-Options": "nosniff",
        }

    async def stream(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Read bytes of the state that the headers spoke of, and of no other."""
        options: obstore.GetOptions = {"range": (start, stop), "if_match": self.etag}
        if start < stop:
            found = await obstore.get_async(self.storage.store, self.key, options=options)
            async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(chunk)


@router.head(_PATH, response_class=Response, include_in_schema=False)
@router.get(_PATH, response_class=Response, summary="Download a file of an Item")
async def download(
    request: Request,
    collection_id: CollectionId,
    item_id: ItemId,
    file_name: Annotated[str, Path(description="Name of the file, as an asset has it")],
) -> Response:
    """Send a file or parts of it: byte ranges, conditions and ``HEAD`` work as RFC 9110 says."""
    storage: Storage | None = request.app.state.store
    # The name is only compared with those that the Item has; none of it is opened.
    assets = await _assets(request, collection_id, item_id)
    asset = assets.get(file_name, {})
    key = stored_key(asset, storage)
    if storage is None or key is None:
        raise NoSuchFileError(collection_id, item_id, file_name)
    settings = request.app.state.catalog
    if settings.download_redirect and isinstance(storage.store, S3Store | GCSStore | AzureStore):
        good_for = timedelta(seconds=settings.download_redirect_s)
        signed = await obstore.sign_async(storage.store, request.method, key, good_for)  # type: ignore[call-overload]
        return RedirectResponse(signed, 307, {"Cache-Control": "no-store"})
    media_type = asset.get("type", "application/octet-stream")
    file = await _look_up(storage, key, media_type)
    if file is None:
        raise NoSuchFileError(collection_id, item_id, file_name)
    return _answer(request, file)


@router.get(
    _PATH.removesuffix("{file_name}"),
    response_class=HTMLResponse,
    summary="List the files of an Item",
)
async def listing(request: Request, collection_id: CollectionId, item_id: ItemId) -> str:
    """List the files as web servers do for a folder.

    GDAL looks for it when it opens a file, and without it for dozens of files that might lie
    beside the one it opens.
    """
    assets = await _assets(request, collection_id, item_id)
    # Of the class names that GDAL keeps beside a file it would read no more than a legend
    # tells, for two more requests.
    names = [escape(name) for name in assets if not name.endswith(_SIDECAR)]
    title = f"<title>Index of {escape(request.url.path.rstrip('/'))}</title>"
    lines = [f'<a href="{name}">{name}</a><br>' for name in names]
    return "\n".join(("<!doctype html>", title, *lines, ""))


async def _assets(request: Request, collection: str, item: str) -> dict[str, dict[str, Any]]:
    """Read the assets of an Item, by the names of their files."""
    async with connection(request.app) as lent:
        found = await lent.fetchval("SELECT get_item($1, $2)", item, collection)
    if found is None:
        raise NotFoundError(f"Item {item} in Collection {collection} does not exist.")
    assets = found.get("assets", {}).values()
    return {asset["href"].rpartition("/")[2]: asset for asset in assets if "href" in asset}


async def _look_up(storage: Storage, key: str, media_type: str) -> _File | None:
    try:
        meta = await obstore.head_async(storage.store, key)
    except (NotInStoreError, FileNotFoundError):
        return None
    except (BaseError, OSError) as error:
        raise StoreDownError from error
    modified = meta["last_modified"]
    etag = meta["e_tag"] or f'"{modified.timestamp():.6f}-{meta["size"]}"'
    return _File(storage, key, media_type, meta["size"], etag, modified)


def _answer(request: Request, file: _File) -> Response:
    headers = file.headers
    if is_fresh(request.headers, file.etag, file.modified):
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        headers["Content-Length"] = str(file.size)
        return Response(headers=headers, media_type=file.media_type)
    ranges = asked_ranges(request.headers, file.size, file.etag, file.modified)
    if ranges is None:
        headers["Content-Length"] = str(file.size)
        return StreamingResponse(
            file.stream(0, file.size), headers=headers, media_type=file.media_type
        )
    if len(ranges) > 1:
        return _multipart(file, ranges)
    start, stop = ranges[0]
    headers["Content-Length"] = str(stop - start)
    headers["Content-Range"] = _content_range(file, start, stop)
    return StreamingResponse(
        file.stream(start, stop), 206, headers=headers, media_type=file.media_type
    )


def _multipart(file: _File, ranges: Ranges) -> Response:
    boundary = secrets.token_hex(16)
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {file.media_type}\r\n"
        f"Content-Range: {_content_range(file, start, stop)}\r\n\r\n".encode()
        for start, stop in ranges
    ]
    tail = f"\r\n--{boundary}--\r\n".encode()

    async def parts() -> AsyncIterator[bytes]:
        for head, (start, stop) in zip(heads, ranges, strict=True):
            yield head
            async for chunk in file.stream(start, stop):
                yield chunk
        yield tail

    length = sum(map(len, heads)) + sum(stop - start for start, stop in ranges) + len(tail)
    return StreamingResponse(
        parts(),
        206,
        headers={**file.headers, "Content-Length": str(length)},
        media_type=f"multipart/byteranges; boundary={boundary}",
    )


def _content_range(file: _File, start: int, stop: int) -> str:
    return f"bytes {start}-{stop - 1}/{file.size}"
