"""Several sources, one after the other."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.filters import Filters
from ingest.sources.page import Page, Source


@dataclass(frozen=True, slots=True)
class SeveralSources:
    """Sources that are listed as one."""

    sources: Sequence[Source]

    @property
    def address(self) -> str:
        """All of their addresses."""
        return ", ".join(source.address for source in self.sources)

    def pages(self, filters: Filters, cursor: str | None = None) -> Iterator[Page]:
        """List the products of each.

        Raises:
            SourceError: As the source says that is being listed.
        """
        first, within = json.loads(cursor) if cursor else (0, None)
        for number, source in enumerate(self.sources[first:], start=first):
            for page in source.pages(filters, within):
                ended = page.cursor is None
                last = ended and number == len(self.sources) - 1
                place = [number + 1, None] if ended else [number, page.cursor]
                yield replace(page, cursor=None if last else json.dumps(place))
            within = None
