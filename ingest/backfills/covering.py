"""Coverage: of one tile, which products exist, are masked, failed or are missing."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ingest.backfills.spec import FilterSpec
from ingest.filters import sift
from ingest.ledger import Ledger, State
from ingest.sources import Source
from producer.product import ProductName

_FIRST = date(2015, 6, 23)
"""Sentinel-2A was launched."""
_WORDS = {
    State.DONE: "masked",
    State.RUNNING: "running",
    State.QUEUED: "running",
    State.DUE: "waiting",
    State.HELD: "waiting",
    State.FAILED: "failed",
    State.ABORTED: "missing",
}


def cover(
    book: Ledger, filters: FilterSpec, engine: str | None = None, source: Source | None = None
) -> dict[str, Any]:
    """Tell what there is of a tile, day by day.

    Args:
        book: The ledger.
        filters: One tile, and days.
        engine: Name of the engine; every one without.
        source: Looked through for products that the ledger has never heard of: they are missing.

    Returns:
        ``tile`` and ``days``, each with ``date`` and ``products``: ``product``, ``engine``,
        ``state``, ``version`` of the engine and ``detail``.

    Raises:
        SourceError: The source does not answer, or will not.
    """
    (tile,) = filters.tiles
    start = datetime.combine(filters.start or _FIRST, time(), UTC)
    end = book.now() if filters.end is None else datetime.combine(filters.end, time(), UTC)
    end += timedelta(days=1)
    days: dict[date, list[dict[str, Any]]] = {}
    known = set()
    for one in book.coverage(tile, start, end, engine):
        known.add(one.product)
        told = {
            "product": one.product,
            "engine": one.engine,
            "state": _WORDS[one.state],
            "version": one.engine_version,
            "detail": one.detail,
        }
        days.setdefault(one.sensed.date(), []).append(told)
    for name in _unheard(source, filters, known):
        told = {"product": str(name), "engine": None, "state": "missing"}
        told |= {"version": None, "detail": "never asked for"}
        days.setdefault(name.sensed.date(), []).append(told)
    return {
        "tile": tile,
        "days": [
            {"date": day.isoformat(), "products": products}
            for day, products in sorted(days.items())
        ],
    }


def _unheard(source: Source | None, filters: FilterSpec, known: set[str]) -> list[ProductName]:
    if source is None:
        return []
    found = [one for page in source.pages(filters.filters()) for one in page.candidates]
    wanted = sift(found, filters.filters()).wanted
    return sorted(
        (one.name for one in wanted if one.product not in known), key=lambda name: name.sensed
    )
