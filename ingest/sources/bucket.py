"""An object store that holds products as folders of objects, or as zips."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from ingest.errors import SourceRefusedError, SourceUnreachableError
from ingest.filters import Filters
from ingest.sources.page import Page
from ingest.sources.tree import File, Listing, Names, Walk
from producer.errors import StorageError
from producer.storage import Storage

_REFUSALS = (PermissionDeniedError, UnauthenticatedError, FileNotFoundError)
_REFUSED = re.compile(r"status code: 4(?!08|29)\d\d")
"""Lists are refused without a class of their own; 408 and 429 ask for patience."""


@dataclass(frozen=True, slots=True)
class BucketSource:
    """Products below a prefix of a bucket."""

    storage: Storage

    @classmethod
    def of(cls, address: str) -> Self:
        """Open one; credentials come from the environment that each cloud defines.

        Args:
            address: ``s3://bucket/prefix``, ``gs://`` or ``az://``.

        Raises:
            SourceRefusedError: The address is of no known kind.
        """
        try:
            return cls(Storage.from_url(address))
        except StorageError as error:
            raise SourceRefusedError(address, str(error)) from error

    @property
    def address(self) -> str:
        """Bucket and prefix."""
        return self.storage.url

    def pages(self, filters: Filters, cursor: str | None = None) -> Iterator[Page]:
        """List products, prefix by prefix; the objects of a SAFE folder are not listed.

        Raises:
            SourceUnreachableError: The store does not answer.
            SourceRefusedError: It says no, or there is nothing under the prefix.
        """
        above = tuple(part for part in self.storage.url.split("/")[2:] if part)
        yield from Walk(_Prefixes(self.storage), filters, above).pages(cursor)


@dataclass(frozen=True, slots=True)
class _Prefixes:
    storage: Storage

    def listed(self, path: Names) -> Listing | None:
        prefix = "/".join(path)
        try:
            found = obstore.list_with_delimiter(self.storage.store, prefix or None)
        except (BaseError, OSError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            refused = isinstance(error, _REFUSALS) or _REFUSED.search(reason)
            kind = SourceRefusedError if refused else SourceUnreachableError
            raise kind(self.address(path), reason) from error
        objects = [File(_name(each["path"]), each["size"]) for each in found["objects"]]
        folders = [_name(each) for each in found["common_prefixes"]]
        if not path and not objects and not folders:
            raise SourceRefusedError(self.storage.url, "there is nothing under this prefix")
        return Listing(folders, objects)

    def address(self, path: Names) -> str:
        return "/".join((self.storage.url, *path))


def _name(key: str) -> str:
    return key.rstrip("/").rpartition("/")[2]
