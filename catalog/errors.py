"""What can go wrong between a request and the catalogue.

::

    CatalogError
    ├── DatabaseDownError     a database that does not answer; passes by itself
    ├── NotMigratedError      a database without the pgstac that is needed
    ├── SearchError           a search that PostgreSQL refuses
    ├── NoSuchFileError       a file that the Item does not name or storage lacks
    ├── RangeError            byte ranges that the file does not have
    └── StoreDownError        storage that does not answer; passes by itself

``STATUS_CODES`` says how each is answered.
"""

from collections.abc import Mapping

from stac_fastapi.types.errors import InvalidQueryParameter, NotFoundError

_FINAL: Mapping[str, str] = {"Cache-Control": "no-store"}
_PASSING: Mapping[str, str] = {**_FINAL, "Retry-After": "5"}


class CatalogError(Exception):
    """Base of everything that the catalogue raises on purpose."""

    headers: Mapping[str, str] = _FINAL
    """Sent with the answer."""


class DatabaseDownError(CatalogError):
    """A database that does not answer."""

    headers = _PASSING

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database does not answer ({reason}); try again in a moment.")


class NotMigratedError(CatalogError):
    """A database without the pgstac that is needed."""

    remedy = "nimbostac migrate"
    """The command that helps."""

    def __init__(self, found: str | None, wanted: str) -> None:
        has = f"pgstac {found}" if found else "no pgstac"
        super().__init__(
            f"The database has {has}, wanted {wanted}; run `{self.remedy}` against it first."
        )


class SearchError(CatalogError):
    """A search that PostgreSQL refuses."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The search cannot be understood: {reason}")


class NoSuchFileError(CatalogError):
    """A file that the Item does not name or storage lacks."""

    def __init__(self, collection: str, item: str, name: str) -> None:
        super().__init__(
            f"Item {item} of Collection {collection} has no file {name}; its assets name those"
            " that can be downloaded."
        )


class RangeError(CatalogError):
    """Byte ranges that the file does not have."""

    def __init__(self, asked: str, size: int) -> None:
        self.headers = {**_FINAL, "Content-Range": f"bytes */{size}"}
        super().__init__(f"The range {asked!r} does not lie within the {size} bytes of the file.")


class StoreDownError(CatalogError):
    """Storage that does not answer."""

    headers = _PASSING

    def __init__(self) -> None:
        super().__init__("The storage of the masks does not answer; try again in a moment.")


STATUS_CODES: Mapping[type[Exception], int] = {
    DatabaseDownError: 503,
    NotMigratedError: 503,
    SearchError: 400,
    InvalidQueryParameter: 400,
    NotFoundError: 404,
    NoSuchFileError: 404,
    RangeError: 416,
    StoreDownError: 503,
}
