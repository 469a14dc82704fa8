"""Why a request to the administration is refused, and the HTTP status of everything that is.

::

    IngestError
    ├── AccessError
    │   ├── NoTokenError        a request without a token
    │   ├── WrongTokenError     a token that is unknown, has expired or was revoked
    │   ├── TooManyTokensError  too many wrong tokens from one address
    │   └── RoleError           a token that may read, where something is done
    └── SpanError               days from and to that are no span, or too long a one

``STATUS_CODES`` says how each is answered.
"""

import math
from collections.abc import Mapping
from datetime import date

from typing_extensions import override

from ingest.errors import (
    BackfillError,
    BackfillStateError,
    DatabaseError,
    IngestError,
    SourceError,
    SourceRefusedError,
    UnknownBackfillError,
)
from producer.errors import ProducerError


class AccessError(IngestError):
    """Somebody may not do what was asked."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Sent with the answer."""
        return {}


class NoTokenError(AccessError):
    """A request without a token."""

    def __init__(self) -> None:
        super().__init__(
            "this needs a token, sent as `Authorization: Bearer TOKEN`;"
            " `nimbostac token create` makes one"
        )

    @property
    @override
    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": "Bearer"}


class WrongTokenError(AccessError):
    """A token that is unknown, has expired or was revoked."""

    def __init__(self) -> None:
        super().__init__(
            "the token is unknown, has expired or was revoked;"
            " `nimbostac token create` makes another"
        )

    @property
    @override
    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class TooManyTokensError(AccessError):
    """Too many wrong tokens from one address."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = math.ceil(wait_s)
        super().__init__(f"too many wrong tokens came from there; wait {self.wait_s} s")

    @property
    @override
    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.wait_s)}


class RoleError(AccessError):
    """A token that may read, where something is done."""

    def __init__(self, name: str, has: str, wanted: str) -> None:
        super().__init__(f"the token {name!r} has the role {has}; this takes the role {wanted}")


class SpanError(IngestError):
    """Days from and to that are no span, or too long a one."""

    def __init__(self, start: date, end: date, most_days: int) -> None:
        super().__init__(
            f"{start} to {end}; wanted from 1 to {most_days} days, the first one first"
        )


STATUS_CODES: Mapping[type[Exception], int] = {
    NoTokenError: 401,
    WrongTokenError: 401,
    TooManyTokensError: 429,
    RoleError: 403,
    SpanError: 422,
    UnknownBackfillError: 404,
    BackfillStateError: 409,
    BackfillError: 422,
    SourceRefusedError: 422,
    SourceError: 502,
    DatabaseError: 503,
    ProducerError: 422,
    IngestError: 500,
}
"""The first that an error is counts."""
