"""Byte ranges and conditions of a request, as RFC 9110 has them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.datastructures import Headers

from catalog.errors import RangeError

_SPEC = re.compile(r"(\d*)-(\d*)", re.ASCII)
_MOST_RANGES = 100

Ranges = Sequence[tuple[int, int]]
"""First byte and the byte after the last, one pair a range, none overlapping another."""


def http_date(moment: datetime) -> str:
    """Write a moment as HTTP wants it."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def is_fresh(headers: Headers, etag: str, modified: datetime) -> bool:
    """Tell whether the client holds this very state already."""
    known = headers.get("if-none-match")
    if known is not None:
        tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
        return "*" in tags or etag in tags
    since = _moment(headers.get("if-modified-since"))
    return since is not None and modified.replace(microsecond=0) <= since


def asked_ranges(headers: Headers, size: int, etag: str, modified: datetime) -> Ranges | None:
    """Read the ranges that a client asks for.

    Args:
        headers: Of the request.
        size: Bytes of the file.
        etag: Strong validator of the file, with its quotes.
        modified: When the file was last changed.

    Returns:
        ``None`` where the whole file is to be sent: nothing, another unit or too many ranges
        were asked for, or the client's part is of another state (``If-Range``).

    Raises:
        RangeError: The ranges are malformed, or all lie outside of the file.
    """
    asked = headers.get("range", "")
    unit, separator, specs = asked.partition("=")
    if not separator or unit.strip().lower() != "bytes":
        return None
    condition = headers.get("if-range")
    # A date is as strong as a tag here only if it is the very one that was sent.
    if condition is not None and condition not in (etag, http_date(modified)):
        return None
    ranges = []
    for spec in specs.split(","):
        match = _SPEC.fullmatch(spec.strip())
        if match is None or match[0] == "-":
            raise RangeError(asked, size)
        first, last = match.groups()
        if not first:
            start, stop = max(size - int(last), 0), size
        else:
            start, stop = int(first), min(int(last) + 1, size) if last else size
            if last and int(last) < start:
                raise RangeError(asked, size)
        if start < stop:
            ranges.append((start, stop))
    if not ranges:
        raise RangeError(asked, size)
    return None if len(ranges) > _MOST_RANGES else _merged(ranges)


def _merged(ranges: list[tuple[int, int]]) -> Ranges:
    ordered = sorted(ranges)
    merged = ordered[:1]
    for start, stop in ordered[1:]:
        if start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    # Asked for in an order of the client's own, they come in it.
    return ranges if len(merged) == len(ranges) else merged


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
