"""Access: whose token a request carries, and what that token is good for."""

import time
from collections import deque
from collections.abc import Iterator
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ingest import ledger
from ingest.admin.errors import (
    NoTokenError,
    RoleError,
    TooManyTokensError,
    WrongTokenError,
)
from ingest.ledger import Ledger, Role, Token

_MOST_WRONG = 10
_WITHIN_S = 60.0
_MOST_ADDRESSES = 10_000

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token that `nimbostac token create` made.",
)


class Refusals:
    """Counts wrong tokens by address, so that guessing costs the guesser and not the database."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}
        self._lock = Lock()

    def note(self, address: str) -> None:
        """Remember that a wrong token came from an address."""
        with self._lock:
            times = self._times.pop(address, deque(maxlen=_MOST_WRONG))
            times.append(time.monotonic())
            self._times[address] = times
            if len(self._times) > _MOST_ADDRESSES:
                del self._times[next(iter(self._times))]

    def wait_s(self, address: str) -> float:
        """Seconds until an address may try again; zero if it may now."""
        with self._lock:
            times = self._times.get(address)
            if times is None or len(times) < _MOST_WRONG:
                return 0.0
            return max(0.0, times[0] + _WITHIN_S - time.monotonic())


def secret(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """Take the secret out of a request, before any database is asked.

    Raises:
        NoTokenError: It has none.
        TooManyTokensError: Too many wrong ones came from there lately.
    """
    if credentials is None:
        raise NoTokenError
    refusals: Refusals = request.app.state.refusals
    wait_s = refusals.wait_s(_address(request))
    if wait_s:
        raise TooManyTokensError(wait_s)
    return credentials.credentials


def book(_: Annotated[str, Depends(secret)]) -> Iterator[Ledger]:
    """Open the ledger for one request."""
    with ledger.opened() as opened:
        yield opened


Secret = Annotated[str, Depends(secret)]
Book = Annotated[Ledger, Depends(book)]


def reader(request: Request, secret: Secret, book: Book) -> Token:
    """Know whose token it is.

    Raises:
        WrongTokenError: Nobody's: unknown, expired or revoked.
    """
    found = book.token_check(secret)
    if found is None:
        refusals: Refusals = request.app.state.refusals
        refusals.note(_address(request))
        raise WrongTokenError
    return found


def operator(token: Annotated[Token, Depends(reader)]) -> Token:
    """Want a token that may do something.

    Raises:
        RoleError: It may only read.
    """
    if token.role is not Role.OPERATE:
        raise RoleError(token.name, token.role, Role.OPERATE)
    return token


Reader = Annotated[Token, Depends(reader)]
Operator = Annotated[Token, Depends(operator)]


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
