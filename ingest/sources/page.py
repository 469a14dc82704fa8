"""What every source gives: products, page by page, with a cursor to go on from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ingest.filters import Candidate, Filters

PAGE = 1000
"""Products of a page, roughly: what one transaction of the ledger takes in."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what a source lists."""

    candidates: tuple[Candidate, ...]
    cursor: str | None
    """Goes on after this page; only its own source can read it. ``None``: there is no more."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """How many entries are no products that can be worked on, by ``Reason``."""


class Source(Protocol):
    """Where products are looked for."""

    @property
    def address(self) -> str:
        """Where it is, for people."""

    def pages(self, filters: Filters, cursor: str | None = None) -> Iterator[Page]:
        """List products, in an order that stays the same; the last page has no cursor.

        Args:
            filters: A source may leave out what these do not want, where that saves work; it
                need not.
            cursor: From a page of this source: goes on after it.

        Raises:
            SourceUnreachableError: It does not answer; the same call may work later.
            SourceRefusedError: It is not there, or will not be read.
        """
