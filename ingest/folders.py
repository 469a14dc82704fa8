"""The folders of products in storage, one after the other in the order of their keys."""

import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from ingest.items import ITEM_SUFFIX
from producer.errors import StorageError
from producer.layout import METADATA, SUFFIXES
from producer.storage import Storage

T = TypeVar("T")
R = TypeVar("R")

READERS = 16
"""Reads at once: what a bucket far away needs to be busy."""
_LOCAL_READERS = 4
"""The same of a folder: more wait for each other, as each read is work for the processor."""
_AHEAD = 8 * READERS
_DEPTH = 7
"""Names in the key of a folder: Collection, three of the tile, year, month, product."""
_PART = re.compile(r"\..+\.[0-9a-f]{8}\.part")
"""What a process that was killed leaves in a local folder."""
_PART_OLD_S = 3600


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies in the folder of one product."""

    key: str
    files: dict[str, int]
    """Bytes by file name."""
    parts: tuple[str, ...] = ()
    """Names of files that nobody has written to for an hour and nobody will finish."""

    @property
    def collection(self) -> str:
        """Id of the Collection that it belongs to."""
        return self.key.partition("/")[0]

    @property
    def product(self) -> str:
        """Name of the product."""
        return self.key.rpartition("/")[2]

    def records(self) -> list[str]:
        """Keys of the records, one a version of the engine."""
        suffix = SUFFIXES[METADATA]
        return [
            f"{self.key}/{name}"
            for name in sorted(self.files)
            if name.endswith(suffix) and not name.endswith(ITEM_SUFFIX)
        ]


def folders(store: Storage, prefix: str = "") -> Iterator[Folder]:
    """Go through the folders of products under a prefix, in the order of their keys.

    Memory does not grow with storage. What lies elsewhere in it is none of ours.

    Args:
        store: Where they lie.
        prefix: Whole names of folders, as many as wanted.

    Raises:
        StorageError: Storage does not answer.
    """
    if store.folder is not None:
        try:
            yield from _local(store.folder, prefix.strip("/"))
        except OSError as error:
            raise StorageError(f"cannot list {store.url}: {error.strerror or error}") from error
        return
    # Buckets list by key, so that the files of a folder come together, and folders in order.
    found = store.list(prefix.strip("/"))
    for key, members in groupby(found, lambda one: one.key.rpartition("/")[0]):
        files = {one.key.rpartition("/")[2]: one.size for one in members}
        if key.count("/") == _DEPTH - 1:
            yield Folder(key, files)


def folder(store: Storage, key: str) -> Folder | None:
    """Look at the folder of one product; ``None`` if nothing is in it.

    Raises:
        StorageError: Storage does not answer.
    """
    return next(folders(store, key), None)


def readers(store: Storage) -> int:
    """Say how many reads at once are quickest."""
    return READERS if store.folder is None else _LOCAL_READERS


def ahead(work: Callable[[T], R], wanted: Iterable[T], threads: int = READERS) -> Iterator[R]:
    """Do work in threads, a little ahead of who takes the results, in the order of what is wanted.

    Args:
        work: What it raises is raised where its result would be taken.
        wanted: Taken as it is needed, never as a whole.
        threads: How many.
    """
    pool = ThreadPoolExecutor(threads, "read")
    waiting: deque[Future[R]] = deque()
    try:
        for one in wanted:
            waiting.append(pool.submit(work, one))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _local(root: Path, key: str) -> Iterator[Folder]:
    depth = key.count("/") + 1 if key else 0
    if depth > _DEPTH:
        return
    try:
        entries = sorted(os.scandir(root / key), key=_place)
    except (FileNotFoundError, NotADirectoryError):
        return
    if depth == _DEPTH:
        found = _folder(key, entries)
        if found.files or found.parts:
            yield found
        return
    for entry in entries:
        if entry.is_dir():
            yield from _local(root, f"{key}/{entry.name}" if key else entry.name)


def _place(entry: "os.DirEntry[str]") -> str:
    # As in a key, where a slash follows: "a-b" comes before "a".
    return f"{entry.name}/"


def _folder(key: str, entries: Iterable["os.DirEntry[str]"]) -> Folder:
    files: dict[str, int] = {}
    parts: list[str] = []
    for entry in entries:
        try:
            there = entry.stat()
        except FileNotFoundError:
            continue
        if not _PART.fullmatch(entry.name):
            files[entry.name] = there.st_size
        elif time.time() - there.st_mtime > _PART_OLD_S:
            parts.append(entry.name)
    return Folder(key, files, tuple(parts))
