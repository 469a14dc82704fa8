"""Storage of masks: a local folder or a bucket, by one interface."""

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from producer.errors import NoSpaceError, StorageError

_PART = ".part"
_BUCKETS = ("s3", "gs", "az")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What storage knows of one object."""

    key: str
    size: int
    """Bytes."""
    etag: str | None


@dataclass(frozen=True, slots=True)
class Storage:
    """A folder or bucket prefix; keys are relative to it, with forward slashes."""

    url: str
    """``file:///folder`` or ``s3://bucket/prefix``, without a closing slash."""
    store: ObjectStore
    folder: Path | None
    """The local folder, where it is one."""

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Open storage; a local folder is made if it is not there.

        Args:
            url: A path, or an address that starts with ``file://``, ``s3://``, ``gs://`` or
                ``az://``; credentials come from the environment that each cloud defines.

        Raises:
            StorageError: The address is of no known kind or cannot be opened.
        """
        parts = urlsplit(url)
        if parts.scheme == "file" and parts.netloc:
            raise StorageError(f"{url} names the host {parts.netloc!r}; wanted file:///folder")
        if parts.scheme in ("", "file"):
            if not parts.path:
                raise StorageError("storage has no address; wanted a folder or s3://bucket/prefix")
            folder = Path(unquote(parts.path) if parts.scheme else url).expanduser().absolute()
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise _translated(error, folder) from error
            return cls(folder.as_uri(), LocalStore(folder), folder)
        if parts.scheme not in _BUCKETS:
            wanted = ", ".join(f"{scheme}://" for scheme in _BUCKETS)
            raise StorageError(f"cannot open storage {url}: wanted a folder, or one of {wanted}")
        try:
            return cls(url.rstrip("/"), from_url(url), None)
        except (BaseError, ValueError) as error:
            # The first line says it; what follows is for the library's own developers.
            reason = str(error).partition("\n")[0]
            raise StorageError(f"cannot open storage {url}: {reason}") from error

    def href(self, key: str) -> str:
        """Address of an object.

        Raises:
            StorageError: The key climbs out of this storage.
        """
        return f"{self.url}/{_checked(key)}"

    def key(self, href: str) -> str:
        """Key of an object of this storage.

        Raises:
            StorageError: The address lies elsewhere.
        """
        prefix = f"{self.url}/"
        if not href.startswith(prefix):
            raise StorageError(f"{href} lies outside of {self.url}")
        return _checked(href.removeprefix(prefix))

    def path(self, key: str) -> Path | None:
        """Local path of an object, where storage is a local folder.

        Raises:
            StorageError: The key climbs out of this storage.
        """
        return None if self.folder is None else self.folder / _checked(key)

    @contextmanager
    def staged(self, key: str) -> Iterator[Path]:
        """Give a local path to write to, and move what was written into place.

        The file appears under its key whole or not at all: a failure inside the block leaves
        what was there before.

        Raises:
            NoSpaceError: The disk is full.
            StorageError: The object cannot be written.
        """
        target = self.path(key)
        try:
            if target is None:
                with tempfile.TemporaryDirectory(prefix="nimbostac-") as scratch:
                    part = Path(scratch) / Path(key).name
                    yield part
                    self._upload(key, part)
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            part = _part(target)
            try:
                yield part
                with part.open("rb+") as written:
                    os.fsync(written.fileno())
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise _translated(error, target or key) from error

    def put(self, key: str, data: bytes) -> None:
        """Write a small object, whole or not at all.

        Raises:
            NoSpaceError: The disk is full.
            StorageError: The object cannot be written.
        """
        target = self.path(key)
        if target is None:
            with self.staged(key) as part:
                part.write_bytes(data)
            return
        try:
            _put(target, data)
        except OSError as error:
            raise _translated(error, target) from error

    def get(self, key: str) -> bytes:
        """Read an object.

        Raises:
            StorageError: It is not there or cannot be read.
        """
        try:
            if self.folder is not None:
                # Not by a Path, which takes longer than the reading of a small file.
                with open(f"{self.folder}/{_checked(key)}", "rb") as file:  # noqa: PTH123
                    return file.read()
            return bytes(obstore.get(self.store, _checked(key)).bytes())
        except (BaseError, OSError) as error:
            raise StorageError(f"cannot read {self.href(key)}: {error}") from error

    def head(self, key: str) -> StoredObject | None:
        """Look at an object; ``None`` if it is not there.

        Raises:
            StorageError: Storage does not answer.
        """
        try:
            meta = obstore.head(self.store, _checked(key))
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise StorageError(f"cannot look at {self.href(key)}: {error}") from error
        return StoredObject(key, meta["size"], meta["e_tag"])

    def list(self, prefix: str = "", suffix: str = "") -> Iterator[StoredObject]:
        """Go through the objects whose keys lie under a prefix and end in a suffix.

        Args:
            prefix: Whole names of folders: ``a/b`` finds ``a/b/c`` but not ``a/bc``.
            suffix: End of the key.

        Raises:
            StorageError: Storage does not answer.
        """
        try:
            for batch in obstore.list(self.store, prefix or None):
                for meta in batch:
                    if meta["path"].endswith(suffix) and not meta["path"].endswith(_PART):
                        yield StoredObject(meta["path"], meta["size"], meta["e_tag"])
        except (BaseError, OSError) as error:
            raise StorageError(f"cannot list {self.href(prefix)}: {error}") from error

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error.

        Raises:
            StorageError: It cannot be removed.
        """
        try:
            obstore.delete(self.store, _checked(key))
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise StorageError(f"cannot remove {self.href(key)}: {error}") from error

    def _upload(self, key: str, part: Path) -> None:
        try:
            obstore.put(self.store, _checked(key), part)
        except BaseError as error:
            raise StorageError(f"cannot write {self.href(key)}: {error}") from error


def _part(target: Path) -> Path:
    # Random, for two threads may write the same object; the last one stands.
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}{_PART}")


def _put(target: Path, data: bytes) -> None:
    """Write a small file; for thousands of them every call to the system counts."""
    part = _part(target)
    try:
        try:
            file = part.open("wb")
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            file = part.open("wb")
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _checked(key: str) -> str:
    # "folder / key" would follow an absolute key or ".." to anywhere on the disk.
    if not key or "\0" in key or {"", ".", ".."} & set(key.split("/")):
        raise StorageError(f"{key!r} is no key of an object in storage")
    return key


def _translated(error: OSError, path: Path | str) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpaceError(path)
    return StorageError(f"cannot write {path}: {error.strerror or error}")
