"""The calendar: for every day, the largest share of a polygon that was seen clear."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from tiler.clear.rows import Row

_CELL, _STEP, _LEFT, _TOP = 11, 13, 34, 34
_YEAR_HEIGHT = 7 * _STEP + 34
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKS = 54
# White to green in equal steps of lightness, readable without colour vision.
_COLORS = ("#e8e8e8", "#d3e6c4", "#b0d29a", "#84b966", "#549a3a", "#2f7020")
_EMPTY = "#ffffff"


@dataclass(frozen=True, slots=True)
class Day:
    """The best acquisition of one day, UTC."""

    date: date
    row: Row

    @property
    def share(self) -> float:
        """Share of the whole polygon that was seen clear."""
        return self.row.fractions.clear_seen


def days_of(rows: Sequence[Row]) -> list[Day]:
    """Take the best acquisition of each day, in the order of time."""
    best: dict[date, Day] = {}
    for row in rows:
        day = Day(datetime.fromisoformat(row.datetime).date(), row)
        if day.date not in best or day.share > best[day.date].share:
            best[day.date] = day
    return [best[each] for each in sorted(best)]


def records(days: Sequence[Day]) -> list[dict[str, Any]]:
    """Give one record a day that has an acquisition."""
    return [
        {
            "date": day.date.isoformat(),
            "clear_seen": day.share,
            "clear": day.row.fractions.clear,
            "coverage": day.row.fractions.coverage,
            "collection": day.row.first.collection,
            "items": [product.id for product in day.row.products],
        }
        for day in days
    ]


def svg(days: Sequence[Day], title: str) -> str:
    """Draw a heat map: a block a year, a column a week, Monday on top.

    Args:
        days: In the order of time.
        title: For readers that see no picture.
    """
    years = sorted({day.date.year for day in days})
    width = _LEFT + _WEEKS * _STEP + 10
    height = _TOP + len(years) * _YEAR_HEIGHT + 20
    known = {day.date: day for day in days}
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    font = 'font-family="sans-serif" font-size="10"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {font}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="18" font-size="13">{escape(title)}</text>',
    ]
    for number, year in enumerate(years):
        parts += _year(year, _TOP + number * _YEAR_HEIGHT, known)
    parts += _legend(_TOP + len(years) * _YEAR_HEIGHT)
    return "".join([*parts, "</svg>"])


def _year(year: int, top: int, known: dict[date, Day]) -> list[str]:
    first = date(year, 1, 1)
    grid = top + 14
    parts = [f'<text x="2" y="{grid + 9}" fill="#333333">{year}</text>']
    for month, name in enumerate(_MONTHS, start=1):
        x = _LEFT + _week(date(year, month, 1), first) * _STEP
        parts.append(f'<text x="{x}" y="{top + 9}" fill="#333333">{name}</text>')
    day = first
    while day.year == year:
        x, y = _LEFT + _week(day, first) * _STEP, grid + day.weekday() * _STEP
        place = f'x="{x}" y="{y}" width="{_CELL}" height="{_CELL}"'
        found = known.get(day)
        if found is None:
            parts.append(f'<rect {place} fill="{_EMPTY}" stroke="#eeeeee"/>')
        else:
            words = f"{day.isoformat()}: {found.share:.0%} seen clear"
            parts.append(
                f'<rect {place} fill="{_color(found.share)}" stroke="#999999">'
                f"<title>{words}</title></rect>"
            )
        day += timedelta(days=1)
    return parts


def _week(day: date, first: date) -> int:
    return ((day - first).days + first.weekday()) // 7


def _color(share: float) -> str:
    return _COLORS[min(math.floor(share * len(_COLORS)), len(_COLORS) - 1)]


def _legend(top: int) -> list[str]:
    parts = [f'<text x="{_LEFT}" y="{top + 10}" fill="#333333">0 %</text>']
    for number, color in enumerate(_COLORS):
        x = _LEFT + 26 + number * _STEP
        parts.append(
            f'<rect x="{x}" y="{top + 1}" width="{_CELL}" height="{_CELL}" fill="{color}"'
            ' stroke="#999999"/>'
        )
    x = _LEFT + 30 + len(_COLORS) * _STEP
    words = "100 % of the polygon seen clear; white: no acquisition"
    return [*parts, f'<text x="{x}" y="{top + 10}" fill="#333333">{words}</text>']
