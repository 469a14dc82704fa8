"""Times as a URL may say them: an instant, an interval, or plain days."""

import re

from stac_pydantic.shared import validate_datetime

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_OPEN = ("", "..")


def interval(text: str | None) -> str | None:
    """Complete a time or interval whose ends may be plain days, which count whole.

    Args:
        text: Such as ``2024-06-01``, ``2024-06-01/2024-06-05``, ``../2024-06-05T12:00:00Z``.

    Raises:
        ValueError: It is none of these.
    """
    if text is None:
        return None
    first, slash, last = text.partition("/")
    if not slash and _DAY.fullmatch(first):
        slash, last = "/", first
    if _DAY.fullmatch(first):
        first = f"{first}T00:00:00Z"
    if _DAY.fullmatch(last):
        last = f"{last}T23:59:59.999999Z"
    first, last = (".." if slash and end in _OPEN else end for end in (first, last))
    return validate_datetime(f"{first}{slash}{last}")
