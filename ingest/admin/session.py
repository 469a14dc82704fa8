"""Who asks, and who did what."""

from typing import Annotated

from fastapi import APIRouter, Query

from ingest.admin.access import Book, Reader
from ingest.admin.models import Entry, Session

router = APIRouter(tags=["Tokens"])


@router.get("/session")
def session(token: Reader) -> Session:
    """Tell whose token it is and what it is good for."""
    return Session.model_validate(token)


@router.get("/audit")
def audit(
    book: Book,
    _: Reader,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(description="Id of an entry, for the next page.")] = None,
) -> list[Entry]:
    """List what was done and by whom, the last first."""
    return [Entry.model_validate(entry) for entry in book.audit_list(limit, before)]
