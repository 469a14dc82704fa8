"""An object store that holds products as folders of objects, or as zips."""

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
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise SourceRefusedError(self.address(path), _first_line(error)) from error
        except FileNotFoundError as error:
            # A store answers an empty prefix with an empty list: it is the bucket that is missing.
            raise SourceRefusedError(self.address(path), _first_line(error)) from error
        except (BaseError, OSError, ValueError) as error:
            raise SourceUnreachableError(self.address(path), _first_line(error)) from error
        objects = [File(_name(each["path"]), each["size"]) for each in found["objects"]]
        folders = [_name(each) for each in found["common_prefixes"]]
        if not path and not objects and not folders:
            raise SourceRefusedError(self.storage.url, "there is nothing under this prefix")
        return Listing(folders, objects)

    def address(self, path: Names) -> str:
        return "/".join((self.storage.url, *path))


def _name(key: str) -> str:
    return key.rstrip("/").rpartition("/")[2]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
