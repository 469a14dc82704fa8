"""Backfills, failures and coverage as tables for people."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from ingest.backfills.estimates import Estimate
from ingest.ledger import Failure

_STATES = ("done", "running", "queued", "due", "held", "failed", "aborted")
_FILTERS = ("start", "end", "tiles", "bbox", "level", "baseline_min", "max_cloud")
_COLOURS = {"failed": "red", "missing": "yellow", "masked": "green", "done": "green"}


def show_all(views: Iterable[dict[str, Any]]) -> None:
    """Show backfills, a line each."""
    names = ("ID", "Name", "State", "Engine", "Found", "Done", "Failed", "Left", "ETA", "Created")
    table = Table(*names, box=None)
    for one in views:
        counts = one["counts"]
        numbers = (one["found"], counts["done"], counts["failed"], _left(counts))
        table.add_row(
            one["id"],
            Text(one["name"]),
            _coloured(one["state"]),
            one["engine"],
            *map(str, numbers),
            duration(one["eta_s"]) if _left(counts) else "",
            _moment(one["created"]),
        )
    Console().print(table)


def show(view: dict[str, Any]) -> None:
    """Show all that is known of one backfill."""
    table = Table(box=None, show_header=False)
    counts = view["counts"]
    told = ", ".join(f"{counts[state]} {state}" for state in _STATES if counts[state])
    reason = view["spec"].get("engine_reason")
    rows: dict[str, str | Text] = {
        "Backfill": f"{view['id']}  {view['name']}",
        "State": _coloured(view["state"]),
        "Engine": f"{view['engine']}{f' ({reason})' if reason else ''}",
        "Asked": f"{_moment(view['created'])} UTC by {view['created_by']}",
        "Wanted": wishes(view["spec"]),
        "Found": str(view["found"]),
        "Left out": skipped(view["skipped"]),
        "Products": f"{told or 'none yet'}",
        "Done": f"{100 * view['done_share']:.1f} %",
        "Pace": f"{view['rate_per_hour']:.0f} an hour",
        "Left": duration(view["eta_s"]) if _left(counts) else "",
        "Trouble": Text(view["error"] or "", style="red"),
    }
    for name, value in rows.items():
        if str(value):
            table.add_row(name, value if isinstance(value, Text) else Text(value))
    Console().print(table)


def show_estimate(estimate: Estimate) -> None:
    """Show what a backfill would come to."""
    table = Table(box=None, show_header=False)
    size = decimal(estimate.bytes) if estimate.bytes else ""
    unknown = f"{estimate.bytes_unknown} of unknown size" if estimate.bytes_unknown else ""
    rows = {
        "Engine": f"{estimate.engine} {estimate.engine_reason}".strip(),
        "Found": str(estimate.found),
        "Masked already": str(estimate.already_masked),
        "To do": str(estimate.to_do),
        "Size": ", ".join(filter(None, (size, unknown))),
        "Time": "nothing is known of this engine yet"
        if estimate.expected_s is None
        else f"{duration(estimate.expected_s)}, by {estimate.basis}",
        "Left out": skipped(estimate.skipped),
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(value))
    Console().print(table)


def show_failures(failures: Sequence[Failure]) -> None:
    """Show what was given up, and why."""
    table = Table(box=None)
    table.add_column("Product", no_wrap=True)
    for name in ("Lane", "Kind", "Tries", "When"):
        table.add_column(name)
    # Folded, not cut: the end of a path is what tells.
    table.add_column("Reason", overflow="fold")
    for one in failures:
        table.add_row(
            one.product,
            one.lane,
            one.kind,
            str(one.attempts),
            _moment(one.updated.isoformat()),
            Text(one.error),
        )
    Console().print(table)


def show_coverage(covered: dict[str, Any]) -> None:
    """Show the products of a tile, day by day."""
    table = Table("Day", "Product", "Engine", "State", "", box=None)
    for day in covered["days"]:
        for number, one in enumerate(day["products"]):
            table.add_row(
                "" if number else day["date"],
                one["product"],
                one["engine"] or "",
                _coloured(one["state"]),
                Text(one["detail"] or ""),
            )
    Console().print(table)


def skipped(told: dict[str, int]) -> str:
    """Put into words what was left out."""
    return ", ".join(f"{number} {reason}" for reason, number in sorted(told.items()) if number)


def wishes(spec: dict[str, Any]) -> str:
    """Put into words which products are wanted."""
    source = spec.get("source") or {}
    filters = spec.get("filters") or {}
    place = source.get("address") or f"{len(source.get('names') or ())} names"
    if source.get("also"):
        place += f" and {len(source['also'])} more"
    words = [place]
    for name in _FILTERS:
        value = filters.get(name)
        if value:
            told = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            words.append(f"{name.replace('_', ' ')} {told}")
    if filters.get("geometry"):
        words.append("within a polygon")
    return "; ".join(words)


def duration(seconds: float | None) -> str:
    """Put seconds into words of at most two units."""
    if seconds is None:
        return "unknown"
    rest = round(seconds)
    for size, unit, smaller, name in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if rest >= size:
            return f"{rest // size} {unit} {rest % size // smaller} {name}"
    return f"{rest} s"


def _left(counts: dict[str, int]) -> int:
    return sum(counts[state] for state in ("held", "due", "queued", "running"))


def _coloured(state: str) -> Text:
    return Text(state, style=_COLOURS.get(state, ""))


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M}"
