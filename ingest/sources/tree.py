"""Trees of products: folders in folders, walked lazily in one order that a cursor resumes.

CREODIAS lays products out as ``Sentinel-2/MSI/L1C/2020/05/09/NAME.SAFE``. Any tree is walked, but
folders that are named like that are left out where their level or days are not wanted.
"""

import calendar
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from ingest.filters import Candidate, Filters, Reason
from ingest.sources.page import PAGE, Page
from producer.errors import ProductNameError
from producer.product import ProductName

_MANIFEST = "manifest.safe"
_YEAR = re.compile(r"20\d\d")
_MONTH_OR_DAY = re.compile(r"\d\d?")
_LEVEL = re.compile(r"(L1C|L2A)(_N\d{4})?")
_ENDINGS = (".SAFE", ".zip")

Names = tuple[str, ...]
"""Names of the folders from the root, and of the entry itself."""


class File(NamedTuple):
    """A file in a folder."""

    name: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in one folder."""

    folders: Sequence[str]
    files: Sequence[File]


class Folders(Protocol):
    """A tree of folders, wherever it lies."""

    def listed(self, path: Names) -> Listing | None:
        """List one folder; ``None`` if this one, of all, cannot be read.

        Raises:
            SourceError: None can.
        """

    def address(self, path: Names) -> str:
        """Where an entry lies, as a worker sees it."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A product, or a folder that is done with; the cursor after it is its path."""

    path: Names
    candidate: Candidate | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """One way through a tree: depth first, by name."""

    folders: Folders
    filters: Filters
    above: Names = ()
    """Names of the folders that lead to the root; they, too, may be a level and days."""

    def pages(self, cursor: str | None) -> Iterator[Page]:
        """Go through the tree.

        Args:
            cursor: Where a page has said that it ends.
        """
        if self.above and self.above[-1].endswith(_ENDINGS):
            yield _page([self._product((), None)])
            return
        after: Names = tuple(json.loads(cursor)) if cursor else ()
        held: list[_Found] = []
        for found in self._below((), after):
            held.append(found)
            if len(held) >= PAGE:
                yield _page(held, json.dumps(found.path))
                held = []
        yield _page(held)

    def _below(self, path: Names, after: Names) -> Iterator[_Found]:
        listing = self.folders.listed(path)
        if listing is None:
            yield _Found(path, reason=Reason.UNREADABLE)
            return
        if any(file.name == _MANIFEST for file in listing.files):
            yield self._product(path, None)
            return
        first = after[0] if after else ""
        files = {file.name: file for file in listing.files if file.name.endswith(_ENDINGS)}
        for name in sorted({*listing.folders, *files}):
            if name < first or (name == first and len(after) == 1):
                continue
            here = (*path, name)
            if name in files:
                yield self._product(here, files[name].bytes)
            elif name.endswith(_ENDINGS[0]):
                yield self._product(here, None)
            elif self._may_hold((*self.above, *here)):
                yield from self._below(here, after[1:] if name == first else ())
        if path:
            yield _Found(path)

    def _product(self, path: Names, size: int | None) -> _Found:
        name = path[-1] if path else self.above[-1] if self.above else ""
        try:
            parsed = ProductName.parse(name)
        except ProductNameError:
            return _Found(path, reason=Reason.NO_PRODUCT)
        return _Found(path, Candidate(parsed, self.folders.address(path), size))

    def _may_hold(self, names: Names) -> bool:
        level = _LEVEL.fullmatch(names[-1])
        if level is not None and self.filters.level not in (None, level[1]):
            return False
        span = span_of(names)
        return span is None or self.filters.reaches(*span)


def _page(found: Sequence[_Found], cursor: str | None = None) -> Page:
    skipped = Counter(str(one.reason) for one in found if one.reason is not None)
    candidates = tuple(one.candidate for one in found if one.candidate is not None)
    return Page(candidates, cursor, skipped)


def span_of(names: Names) -> tuple[date, date] | None:
    """Read the days that a folder is named after: a year, and maybe a month and a day in it."""
    for depth in (1, 2, 3):
        year, *rest = names[-depth:]
        if _YEAR.fullmatch(year) and len(rest) == depth - 1:
            if not all(_MONTH_OR_DAY.fullmatch(part) for part in rest):
                return None
            return _span(int(year), [int(part) for part in rest])
    return None


def _span(year: int, rest: Sequence[int]) -> tuple[date, date] | None:
    month = rest[0] if rest else None
    day = rest[1] if len(rest) > 1 else None
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    if month is None:
        return first, date(year, 12, 31)
    if day is None:
        return first, date(year, month, calendar.monthrange(year, month)[1])
    return first, first
