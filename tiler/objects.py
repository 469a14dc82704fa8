"""Ranges of bytes of a stored object, local or in a bucket."""

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from tiler.errors import MaskUnreadableError

_LOCAL = {"", "file"}

Range = tuple[int, int]
"""First byte and length."""


class StoredBytes(Protocol):
    """An object that can be read in parts, by many threads at once."""

    identity: str
    """Differs between two contents that had the same address."""
    head: bytes
    """Its first bytes, at most as many as were asked for."""

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        """Read parts of it, all in as few requests as they need."""


class NoBytes:
    """What is left of an object of which everything needed was read."""

    head = b""

    def __init__(self, identity: str) -> None:
        self.identity = identity

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        """Read nothing.

        Raises:
            MaskUnreadableError: Something was asked for.
        """
        raise MaskUnreadableError(self.identity, f"{len(ranges)} ranges asked of a closed file")


class LocalFile:
    """A file, kept open: it stays readable as it was when it is replaced."""

    def __init__(self, path: Path, head_bytes: int) -> None:
        self._file = -1
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            status = os.fstat(self._file)
            self.head = os.pread(self._file, head_bytes, 0)
        except OSError as error:
            raise MaskUnreadableError(str(path), error.strerror or str(error)) from error
        self.identity = f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}"

    def __del__(self) -> None:
        # Not before: another thread may be reading what the cache has just given up.
        if self._file >= 0:
            os.close(self._file)

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        """Read parts of the file."""
        return [os.pread(self._file, length, start) for start, length in ranges]


class RemoteObject:
    """An object in a bucket; near ranges are fetched together."""

    def __init__(self, store: ObjectStore, key: str, head_bytes: int) -> None:
        self._store, self._key = store, key
        try:
            answer = obstore.get(store, key, options={"range": (0, head_bytes)})
            self.head = bytes(answer.bytes())
        except (BaseError, OSError) as error:
            raise MaskUnreadableError(key, str(error)) from error
        self.identity = str(answer.meta["e_tag"] or answer.meta["last_modified"])

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        """Read parts of the object.

        Raises:
            MaskUnreadableError: The bucket does not answer.
        """
        if all(start + length <= len(self.head) for start, length in ranges):
            return [self.head[start : start + length] for start, length in ranges]
        starts = [start for start, _ in ranges]
        lengths = [length for _, length in ranges]
        try:
            parts = obstore.get_ranges(self._store, self._key, starts=starts, lengths=lengths)
        except (BaseError, OSError) as error:
            raise MaskUnreadableError(self._key, str(error)) from error
        return [bytes(part) for part in parts]


@lru_cache(maxsize=64)
def _bucket(root: str) -> ObjectStore:
    # Credentials come from the environment, as for producer.storage.
    return from_url(root)


def is_remote(href: str) -> bool:
    """Tell whether an object is in a bucket."""
    return urlsplit(href).scheme not in _LOCAL


def open_bytes(href: str, head_bytes: int) -> StoredBytes:
    """Open an object by its storage address.

    Raises:
        MaskUnreadableError: It is not there, or its storage does not answer.
    """
    parts = urlsplit(href)
    if parts.scheme in _LOCAL:
        return LocalFile(Path(unquote(parts.path)), head_bytes)
    try:
        store = _bucket(f"{parts.scheme}://{parts.netloc}")
    except (BaseError, ValueError) as error:
        raise MaskUnreadableError(href, str(error)) from error
    return RemoteObject(store, parts.path.lstrip("/"), head_bytes)


def gdal_path(href: str) -> str:
    """Give a storage address as GDAL wants it."""
    # GDAL takes what follows file:// for the path as it stands, a %20 for three characters.
    parts = urlsplit(href)
    return unquote(parts.path) if parts.scheme == "file" else href
