"""Views: how far a backfill is, as people and programs read it."""

from typing import Any

from ingest.ledger import Backfill, Ledger

_NAMES_SHOWN = 20


def view(book: Ledger, backfill: Backfill) -> dict[str, Any]:
    """Describe a backfill and how far it is, ready for JSON.

    Raises:
        UnknownBackfillError: It is gone.
    """
    progress = book.progress(backfill.id)
    return {
        "id": backfill.id,
        "name": backfill.name,
        "engine": backfill.engine,
        "state": str(backfill.state),
        "priority": backfill.priority,
        "created": backfill.created.isoformat(),
        "created_by": backfill.created_by,
        "spec": _shortened(backfill.spec),
        "found": backfill.found,
        "skipped": backfill.skipped,
        "counts": {str(state): number for state, number in progress.counts.items()},
        "total": progress.total,
        # Of those that are known: nothing is left to do, whatever came of it.
        "done_share": 1 - progress.left / progress.total if progress.total else 0.0,
        "rate_per_hour": progress.rate_per_hour,
        # While products are still looked for, nobody knows how many there will be.
        "eta_s": progress.eta_s if backfill.listed else None,
        "error": backfill.error,
    }


def _shortened(spec: dict[str, Any]) -> dict[str, Any]:
    """Leave out names beyond the first few: there may be thousands."""
    source = spec.get("source") or {}
    names = source.get("names") or []
    if len(names) <= _NAMES_SHOWN:
        return spec
    short = {**source, "names": names[:_NAMES_SHOWN], "names_in_all": len(names)}
    return {**spec, "source": short}
