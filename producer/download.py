"""One object of a bucket or web server, fetched into a file; a broken download goes on."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

import obstore
from obstore.exceptions import (
    NotFoundError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import HTTPStore, ObjectStore, from_url

CHUNK_BYTES = 8 * 2**20
"""What one request asks for, and so what one download holds in memory."""
REFUSALS = (NotFoundError, FileNotFoundError, PermissionDeniedError, UnauthenticatedError)
"""What waiting does not help against."""

_RETRIES = 3
_RETRY_TIMEOUT = timedelta(seconds=30)


class ShortError(OSError):
    """An answer that ended before its object did."""


def open_store(address: str, *, hurried: bool = False) -> ObjectStore:
    """Open a folder of a bucket or web server.

    Args:
        address: ``https://``, ``http://``, ``s3://``, ``gs://``, ``az://`` or ``file://``;
            credentials come from the environment that each cloud defines.
        hurried: Give up after three seconds without a connection and never try again, where
            there is a way to do without; else be patient with a network that stutters.
    """
    # A public bucket's web address would be taken for S3, and credentials looked for.
    opened = HTTPStore.from_url if address.startswith(("http://", "https://")) else from_url
    return opened(
        address,
        client_options={
            "allow_http": True,
            "connect_timeout": "3s" if hurried else "10s",
            # A line may be slow, but not silent.
            "read_timeout": "30s",
            "timeout": "1h",
        },
        retry_config={"max_retries": 0 if hurried else _RETRIES, "retry_timeout": _RETRY_TIMEOUT},
    )


def reason(error: BaseException) -> str:
    """Say in one line what went wrong; obstore's errors go on for a page."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An object as its server describes it."""

    store: ObjectStore
    key: str
    size: int
    """Bytes."""
    tag: str | None
    """Its ETag: another one is another version."""
    ranges: bool
    """Whether the server gives parts."""

    @classmethod
    def look(cls, store: ObjectStore, key: str) -> Self:
        """Ask for its first byte: some servers that give objects do not tell of them.

        Raises:
            BaseError: It is not there, or the server does not answer.
        """
        try:
            first = obstore.get(store, key, options={"range": (0, 1)})
        except NotSupportedError:
            # The simplest of web servers give files only whole.
            whole = obstore.get(store, key)
            return cls(store, key, whole.meta["size"], whole.meta["e_tag"], ranges=False)
        return cls(store, key, first.meta["size"], first.meta["e_tag"], ranges=True)

    def fetch(
        self,
        target: Path,
        tell: Callable[[int], None],
        stop: threading.Event | None = None,
    ) -> None:
        """Fetch it into a file that appears whole or not at all.

        What comes lies beside the target until it is whole; a later call goes on with it if the
        object is still the same.

        Args:
            target: The file; its folder is there.
            tell: Told how many bytes have come since it was last told.
            stop: Gives up, with what came kept, when it is set.

        Raises:
            BaseError: The server broke off.
            OSError: The file cannot be written, or what came was short.
        """
        identity = hashlib.sha256(f"{self.tag} {self.size}".encode()).hexdigest()[:12]
        part = target.with_name(f".{target.name}-{identity}.part")
        # What is left of another version of the object is of no use any more.
        for old in target.parent.iterdir():
            if old != part and old.name.startswith(f".{target.name}-") and old.suffix == ".part":
                old.unlink(missing_ok=True)
        write = self._write_ranges if self.ranges else self._write_whole
        write(part, tell, stop or threading.Event())
        if part.stat().st_size != self.size:
            part.unlink()
            raise ShortError(f"{self.key} came with other than its {self.size} bytes")
        part.replace(target)

    def _write_ranges(self, part: Path, tell: Callable[[int], None], stop: threading.Event) -> None:
        with part.open("ab") as file:
            tell(file.tell())
            while (done := file.tell()) < self.size:
                _check(stop)
                last = min(done + CHUNK_BYTES, self.size)
                options: obstore.GetOptions = {"range": (done, last)}
                if self.tag:
                    options["if_match"] = self.tag
                data = obstore.get(self.store, self.key, options=options).bytes()
                file.write(data)
                file.flush()
                tell(len(data))
                if len(data) < last - done:
                    raise ShortError(f"{self.key} was cut off at {file.tell()} bytes")

    def _write_whole(self, part: Path, tell: Callable[[int], None], stop: threading.Event) -> None:
        with part.open("wb") as file:
            for chunk in obstore.get(self.store, self.key).stream(min_chunk_size=CHUNK_BYTES):
                _check(stop)
                file.write(chunk)
                tell(len(chunk))


def _check(stop: threading.Event) -> None:
    if stop.is_set():
        raise InterruptedError("told to stop")
