"""Downloads of the files that an Item names, from a local folder or a bucket."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import obstore
from fastapi import APIRouter, Path, Request
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import AzureStore, GCSStore, S3Store
from starlette.responses import RedirectResponse, Response, StreamingResponse

from catalog.database import connection
from catalog.errors import NoSuchFileError, StoreDownError
from catalog.links import stored_key
from catalog.ranges import Ranges, asked_ranges, http_date, is_fresh
from producer.storage import Storage

router = APIRouter(tags=["Downloads"])

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
    collection_id: Annotated[str, Path(description="Collection ID")],
    item_id: Annotated[str, Path(description="Item ID")],
    file_name: Annotated[str, Path(description="Name of the file, as an asset has it")],
) -> Response:
    """Send a file or parts of it: byte ranges, conditions and ``HEAD`` work as RFC 9110 says."""
    storage: Storage | None = request.app.state.store
    asset = await _asset(request, collection_id, item_id, file_name)
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


async def _asset(request: Request, collection: str, item: str, name: str) -> dict[str, Any]:
    """Find the asset by the name of its file; nothing else of the request names anything."""
    async with connection(request.app) as lent:
        found = await lent.fetchval("SELECT get_item($1, $2)", item, collection)
    for asset in (found or {}).get("assets", {}).values():
        if asset.get("href", "").rpartition("/")[2] == name:
            return dict(asset)
    raise NoSuchFileError(collection, item, name)


async def _look_up(storage: Storage, key: str, media_type: str) -> _File | None:
    try:
        meta = await obstore.head_async(storage.store, key)
    except (NotFoundError, FileNotFoundError):
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
