"""Remote products, brought into a local folder: whole or not at all."""

import errno
import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from producer.download import REFUSALS, RemoteFile, open_store, reason
from producer.engines import Progress, silent
from producer.errors import (
    ChecksumError,
    NoSpaceError,
    ProductNameError,
    SafeError,
    StagingError,
    StagingRefusedError,
)
from producer.product import ProductName
from producer.safe import verify
from producer.safe.archive import MANIFEST, files_of
from producer.safe.manifest import Manifest

_SCHEMES = ("s3", "gs", "az", "http", "https")
_WEB = ("http", "https")
_AT_ONCE = 8
"""Files fetched at a time, each with 8 MiB in memory."""


def is_remote(source: str) -> bool:
    """Tell whether a product lies in a bucket or on a web server, and has to be fetched."""
    return urlsplit(source).scheme in _SCHEMES


def fetch(source: str, folder: Path, progress: Progress = silent) -> Path:
    """Bring a remote product into a local folder.

    It appears there whole or not at all, checked against the checksums of its manifest. Of a
    SAFE folder, what masking never reads is left out: about a tenth of Level-1C, a third of
    Level-2A. A call that was broken off is taken up by the same call.

    Args:
        source: ``s3://``, ``gs://`` or ``az://`` address of a SAFE folder or of a zip of one, or
            ``http://`` or ``https://`` address of a zip.
        folder: Where to put it; made if it is not there.
        progress: Told ``fetch``, the bytes so far and all of them.

    Returns:
        Path of the SAFE folder or zip.

    Raises:
        StagingError: It does not come, for now.
        StagingRefusedError: It is not there, is no product, or may not be read.
        ChecksumError: What came is not what its manifest says, twice.
        NoSpaceError: The disk is too small for it; nothing of it is left.
    """
    base, _, name = source.partition("?")[0].rstrip("/").rpartition("/")
    if not is_remote(source) or not base.partition("://")[2]:
        raise StagingRefusedError(source, "wanted s3://bucket/folder/NAME.SAFE, or the like")
    archive = urlsplit(source).scheme in _WEB or name.endswith(".zip")
    target = folder / _local_name(source, archive=archive)
    with _working(source, target) as work:
        if target.exists():
            return target
        part = work / target.name
        wanted = _archive(source, base, name) if archive else _safe(source, part)
        _bring(part, wanted, progress)
        try:
            verify(part)
        except ChecksumError as error:
            # Damaged on the way, perhaps: once more, and then it is the source's fault.
            for damaged in (part,) if archive else (part / file for file in error.wrong):
                damaged.unlink()
            _bring(part, wanted, progress)
            verify(part)
        part.replace(target)
    return target


@contextmanager
def staged(source: str, folder: Path, progress: Progress = silent) -> Iterator[Path]:
    """Bring a remote product into a local folder as ``fetch`` does, and remove it at the end."""
    path = fetch(source, folder, progress)
    try:
        yield path
    finally:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def name_in(source: str) -> ProductName | None:
    """Read the product name at the end of an address; ``None`` if there is none."""
    last = source.partition("?")[0].rstrip("/").rpartition("/")[2]
    try:
        return ProductName.parse(unquote(last).removesuffix(".zip"))
    except ProductNameError:
        return None


def _local_name(source: str, *, archive: bool) -> str:
    # Two products of one name are the same product.
    name = name_in(source) or hashlib.sha256(source.encode()).hexdigest()[:16]
    return f"{name}.zip" if archive else f"{name}.SAFE"


_Wanted = dict[str, RemoteFile]
"""Remote files by their path below the product, empty for a product that is one file."""


def _archive(source: str, base: str, name: str) -> _Wanted:
    # A query may be what lets us in; as a key it would be escaped.
    if urlsplit(source).scheme in _WEB:
        return {"": RemoteFile.look(open_store(source), "")}
    return {"": RemoteFile.look(open_store(base), name)}


def _safe(source: str, part: Path) -> _Wanted:
    store = open_store(source)
    part.mkdir(parents=True, exist_ok=True)
    listing = RemoteFile.look(store, MANIFEST)
    listing.fetch(part / MANIFEST, lambda _: None)
    manifest = Manifest.read(files_of(part))
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="look") as pool:
        return dict(
            zip(manifest.needed, pool.map(partial(_looked, store), manifest.needed), strict=True)
        )


def _looked(store: ObjectStore, name: str) -> RemoteFile:
    return RemoteFile.look(store, name)


def _bring(part: Path, wanted: _Wanted, progress: Progress) -> None:
    """Fetch several files at once; those that are there whole are not fetched again."""
    total = sum(file.size for file in wanted.values())
    lacking = {}
    for name, file in wanted.items():
        path = part / name if name else part
        if not (path.is_file() and path.stat().st_size == file.size):
            path.parent.mkdir(parents=True, exist_ok=True)
            lacking[path] = file
    done = total - sum(file.size for file in lacking.values())
    needed = total - done - sum(_kept(path) for path in lacking)
    if needed > shutil.disk_usage(part.parent).free:
        raise NoSpaceError(part)
    progress("fetch", done, total)
    stop, lock = threading.Event(), threading.Lock()

    def tell(count: int) -> None:
        nonlocal done
        with lock:
            done += count
            progress("fetch", done, total)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch") as pool:
        tasks = [pool.submit(file.fetch, path, tell, stop) for path, file in lacking.items()]
        try:
            ended, _ = wait(tasks, return_when=FIRST_EXCEPTION)
        finally:
            # One that fails ends the others, which keep what they have for the next try.
            stop.set()
            pool.shutdown(cancel_futures=True)
    for task in sorted(ended, key=lambda task: isinstance(task.exception(), InterruptedError)):
        task.result()


def _kept(path: Path) -> int:
    return sum(old.stat().st_size for old in path.parent.glob(f".{path.name}-*.part"))


@contextmanager
def _working(source: str, target: Path) -> Iterator[Path]:
    """Hold a folder beside the target to work in; others that want the same product wait.

    It stays after an error that may pass, with what has come so far.
    """
    work = target.with_name(f".{target.name}.staging")
    try:
        with _locked(work):
            yield work
            shutil.rmtree(work)
    except BaseException as error:
        translated = _translated(error, source, target)
        refused = isinstance(translated, SafeError | StagingRefusedError | NoSpaceError)
        if refused:
            shutil.rmtree(work, ignore_errors=True)
        if translated is error:
            raise
        raise translated from error


@contextmanager
def _locked(work: Path) -> Iterator[None]:
    work.mkdir(parents=True, exist_ok=True)
    handle = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        # Who held it before may have taken it away.
        work.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        os.close(handle)


def _translated(error: BaseException, source: str, target: Path) -> BaseException:
    match error:
        case ChecksumError():
            return ChecksumError(source, error.wrong)
        case SafeError():
            return StagingRefusedError(source, f"what came is no product: {error.problem}")
        case _ if isinstance(error, (*REFUSALS, ValueError)):
            return StagingRefusedError(source, reason(error))
        case OSError() if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return NoSpaceError(target)
        case OSError() | BaseError():
            return StagingError(source, reason(error))
    return error
