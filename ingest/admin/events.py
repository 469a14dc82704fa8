"""Server-sent events: what changes, as it changes."""

import time
from collections.abc import AsyncIterable
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from ingest import ledger
from ingest.admin.access import Secret, reader

if TYPE_CHECKING:
    from ingest.admin.watching import Watch

router = APIRouter(tags=["Events"])

CHECK_S = 5.0
"""How often a stream looks whether its token is still good."""


def _admitted(request: Request, secret: Secret) -> str:
    """Know the token before the first event, and let go of the database until the next look."""
    with ledger.opened() as book:
        reader(request, secret, book)
    return secret


@router.get("/events", response_class=EventSourceResponse)
async def events(
    request: Request, secret: Annotated[str, Depends(_admitted)]
) -> AsyncIterable[ServerSentEvent]:
    """Tell backfills, lanes and workers: now, and whenever any of it changes.

    Events are called `state`, their data is JSON with `backfills`, `lanes` and `workers`, at most
    one a second; `problem` with a `detail` where the ledger cannot be seen. A comment comes every
    15 seconds. The stream ends when the token does.
    """
    watch: Watch = request.app.state.watch
    with watch.listening():
        told, checked = 0, time.monotonic()
        while not watch.ended:
            look = await watch.after(told, CHECK_S)
            if look is not None and look.number != told:
                told = look.number
                yield ServerSentEvent(raw_data=look.data, event=look.event, id=str(look.number))
            if time.monotonic() - checked > CHECK_S:
                checked = time.monotonic()
                if not await run_in_threadpool(_is_good, secret):
                    return


def _is_good(secret: str) -> bool:
    with ledger.opened() as book:
        return book.token_check(secret) is not None
