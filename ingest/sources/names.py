"""A list of products: names, paths or addresses, from a file or given with the backfill."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ingest.errors import SourceRefusedError, SourceUnreachableError
from ingest.filters import Candidate, Filters, Reason
from ingest.sources.layout import Layout, located_by
from ingest.sources.page import PAGE, Page
from producer.errors import ProductNameError
from producer.product import ProductName


@dataclass(frozen=True, slots=True)
class NamesSource:
    """Products by name; what has a slash in it lies there, the others are located by a layout."""

    names: Sequence[str] = ()
    file: Path | None = None
    """A text file with one a line, instead; paths in it are relative to its folder."""
    layout: Layout | None = None

    @property
    def address(self) -> str:
        """The file, or how many names there are."""
        return f"{len(self.names)} names" if self.file is None else str(self.file)

    def pages(self, filters: Filters, cursor: str | None = None) -> Iterator[Page]:
        """List them in their order.

        Raises:
            SourceUnreachableError: The file or the layout's root does not answer.
            SourceRefusedError: There is no such file, or no such root.
        """
        done = int(cursor or 0)
        lines = self._lines(done)
        while chunk := list(islice(lines, PAGE)):
            done += len(chunk)
            yield self._page([line.strip() for line in chunk], filters, str(done))
        yield Page((), None)

    def _lines(self, done: int) -> Iterator[str]:
        if self.file is None:
            yield from islice(self.names, done, None)
            return
        try:
            with self.file.open(encoding="utf-8") as lines:
                yield from islice(lines, done, None)
        except UnicodeDecodeError as error:
            raise SourceRefusedError(self.address, "it is no text") from error
        except FileNotFoundError as error:
            raise SourceRefusedError(self.address, "there is no such file") from error
        except OSError as error:
            raise SourceUnreachableError(self.address, error.strerror or str(error)) from error

    def _page(self, lines: list[str], filters: Filters, cursor: str) -> Page:
        candidates: list[Candidate] = []
        skipped: Counter[str] = Counter()
        bare: list[Candidate] = []
        for line in lines:
            if not line or line.startswith("#"):
                continue
            try:
                name = ProductName.parse(line.rstrip("/").rpartition("/")[2])
            except ProductNameError:
                skipped[str(Reason.NO_PRODUCT)] += 1
                continue
            if "/" in line:
                candidates.append(Candidate(name, self._place(line.rstrip("/"))))
            else:
                bare.append(Candidate(name, ""))
        located, lacking = located_by(self.layout, bare, filters)
        return Page((*candidates, *located), cursor, skipped + lacking)

    def _place(self, line: str) -> str:
        if self.file is None or "://" in line:
            return line
        return str(self.file.parent / line)
