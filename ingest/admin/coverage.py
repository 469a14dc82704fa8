"""Coverage: which products of a tile exist, are masked, failed or missing."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from ingest.admin.access import Book, Reader
from ingest.admin.errors import SpanError
from ingest.admin.models import CoveredTile

router = APIRouter(tags=["Coverage"])

_MOST_DAYS = 3700
"""Ten years."""


@router.get("/coverage")
def coverage(
    book: Book,
    _: Reader,
    tile: Annotated[str, Query(pattern=r"^T?\d{2}[C-HJ-NP-X][A-HJ-NP-Z]{2}$")],
    start: Annotated[date, Query(description="First day, UTC.")],
    end: Annotated[date, Query(description="Last day, itself included.")],
    engine: Annotated[str | None, Query(description="Name of the engine; every one without.")] = (
        None
    ),
) -> CoveredTile:
    """Tell day by day what the ledger knows of a tile's products."""
    if not 0 <= (end - start).days <= _MOST_DAYS:
        raise SpanError(start, end, _MOST_DAYS)
    name = tile.removeprefix("T")
    covered = book.coverage(name, _midnight(start), _midnight(end + timedelta(days=1)), engine)
    return CoveredTile.of(name, covered)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
