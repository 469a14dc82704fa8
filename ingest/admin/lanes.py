"""Lanes, the workers in them and the engines that they run."""

from fastapi import APIRouter

from ingest.admin.access import Book, Operator, Reader
from ingest.admin.models import Changed, Engine, LaneState, Redo, Release, Worker
from ingest.backfills.creating import known_versions
from ingest.ledger import Lane
from producer import engines

router = APIRouter(tags=["Lanes"])


@router.get("/lanes")
def lanes(book: Book, _: Reader) -> list[LaneState]:
    """Tell how much there is to do in each lane, and which engines are stopped."""
    return [LaneState.model_validate(lane) for lane in book.lanes()]


@router.post("/lanes/{lane}/release")
def release(lane: Lane, body: Release, book: Book, token: Operator) -> list[LaneState]:
    """Set an engine free that failed on everything."""
    found = engines.entry(body.engine)
    with book.transaction():
        book.release(lane, found.name)
        book.audit(token.name, "release", lane, {"engine": found.name})
    return lanes(book, token)


@router.get("/workers")
def workers(book: Book, _: Reader) -> list[Worker]:
    """List the workers that were seen today, and what each is at."""
    return [Worker.model_validate(worker) for worker in book.workers()]


@router.get("/engines", name="engines")
def list_engines(book: Book, _: Reader) -> list[Engine]:
    """List the engines that backfills may name."""
    return [
        Engine(
            name=entry.name,
            title=entry.title,
            levels=list(entry.levels),
            versions=known_versions(book, entry.name, entry.levels),
        )
        for entry in engines.ENTRIES
    ]


@router.post("/redo")
def redo(body: Redo, book: Book, token: Operator) -> Changed:
    """Mask everything again that another version of an engine has masked.

    The masks that are there stay until the new ones are published.
    """
    found = engines.entry(body.engine)
    book.audit(token.name, "redo", found.name, {"version": body.version})
    return Changed(products=book.redo(found.name, body.version, priority=body.priority))
