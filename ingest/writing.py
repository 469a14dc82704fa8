"""Writing: small objects by the hundred, kept for good together before anybody relies on one."""

import ctypes
import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from producer.errors import StorageError
from producer.storage import Storage


class Writer:
    """Writes objects that are not there as they should be; may be used by many threads."""

    def __init__(self, store: Storage) -> None:
        self._store = store
        self._parts: list[tuple[str, Path]] = []

    def put(self, key: str, data: bytes) -> None:
        """Write an object, whole or not at all; it is there, for good, when ``together`` ends.

        Not rewritten for nothing: a mirror or a cache of storage sees what changed.

        Raises:
            NoSpaceError: The disk is full.
            StorageError: The object cannot be written.
        """
        path = self._store.path(key)
        if path is None:
            there = self._store.head(key)
            if there is None or there.size != len(data) or self._store.get(key) != data:
                self._store.put(key, data)
            return
        try:
            if not _is(path, data):
                self._parts.append((_part(path, data), path))
        except OSError:
            # Told in its words, and with its patience, by storage itself.
            self._store.put(key, data)

    def settle(self) -> None:
        """Keep what was written, give it its names, and keep those.

        Raises:
            StorageError: It could not be kept.
        """
        folder = self._store.folder
        if folder is None or not self._parts:
            return
        try:
            _keep(folder)
            while self._parts:
                part, path = self._parts[-1]
                os.replace(part, path)  # noqa: PTH105 - as below
                self._parts.pop()
            _keep(folder)
        except OSError as error:
            told = error.strerror or error
            raise StorageError(f"cannot write {self._store.url}: {told}") from error

    def leave(self) -> None:
        """Remove what has no name yet, as far as that can be done."""
        for part, _ in self._parts:
            _remove(part)


@contextmanager
def together(store: Storage) -> Iterator[Writer]:
    """Write many objects inside the block, which are there, and outlive a loss of power, after it.

    A disk takes as long to keep one small file for good as to keep hundreds. None has its name
    before it is kept, so that whatever is found under one needs no keeping.

    Raises:
        StorageError: They could not be kept for good.
    """
    writer = Writer(store)
    try:
        yield writer
        writer.settle()
    finally:
        writer.leave()


# Plain calls to the system: at thousands of files a second everything else counts.
def _is(path: Path, data: bytes) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return os.fstat(handle).st_size == len(data) and os.read(handle, len(data)) == data
    finally:
        os.close(handle)


def _part(path: Path, data: bytes) -> str:
    """Write beside where it will be; gives where."""
    folder, name = os.path.split(path)
    part = f"{folder}/.{name}.{secrets.token_hex(4)}.part"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        try:
            if os.write(handle, data) < len(data):
                raise OSError(errno.EIO, "cut short")
        finally:
            os.close(handle)
    except BaseException:
        _remove(part)
        raise
    return part


def _remove(part: str) -> None:
    # What stays behind is swept away later; what went wrong before has to be told.
    with suppress(OSError):
        os.unlink(part)  # noqa: PTH108 - as above


def _keep(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syncfs = _syncfs()
        if syncfs is None:
            os.sync()
        elif syncfs(handle):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(handle)


@cache
def _syncfs() -> "ctypes._FuncPointer | None":
    """Find the call that keeps all of one file system, which Linux has and Python does not."""
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
