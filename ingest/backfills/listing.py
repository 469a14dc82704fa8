"""Listing: the products of a backfill brought into the ledger, page by page."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ingest import ledger
from ingest.backfills.spec import StoredSpec
from ingest.errors import DatabaseError, SourceError
from ingest.filters import Acquisition, Candidate, Filters, Reason, sift
from ingest.ledger import Backfill, BackfillState, Ledger, State, Wish
from ingest.sources import Page
from producer.product import ProductName

logger = logging.getLogger(__name__)

_IDLE_S = 1.0
_FIRST_DELAY_S = 2.0
_LONGEST_DELAY_S = 300.0
_WAITING = (State.HELD, State.DUE, State.QUEUED)


@dataclass(frozen=True, slots=True)
class Picked:
    """What is to be done of a page, the ledger considered."""

    wanted: tuple[Candidate, ...]
    superseded: tuple[str, ...]
    """Products in the ledger that wait, of which a newer baseline is wanted now."""
    skipped: Counter[str]


def step(book: Ledger, backfill: Backfill) -> bool:
    """List one page of a backfill.

    What the page holds is wanted and its place noted in one transaction: killed anywhere, the
    next step repeats nothing and loses nothing.

    Args:
        book: The ledger.
        backfill: As it was looked up last.

    Returns:
        Whether there is more to list.

    Raises:
        SourceUnreachableError: The source does not answer for now; the same call may work later.
        DatabaseError: The ledger does not do what it is asked.
    """
    return _Listings().step(book, backfill)


def work(stop: threading.Event) -> None:
    """List every backfill that is to be listed, until an event is set.

    Sources and a database that are away are waited for, each for itself.
    """
    while not stop.is_set():
        try:
            with ledger.opened() as book:
                _Listings().work(book, stop)
        except DatabaseError as error:
            logger.warning("listing waits: %s", error)
            stop.wait(_FIRST_DELAY_S)


@dataclass(slots=True)
class _Listings:
    """Backfills that are being listed, each with its place in its source."""

    pages: dict[str, tuple[str | None, Iterator[Page]]] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    """Seconds that a source was waited for last, by backfill."""
    until: dict[str, float] = field(default_factory=dict)
    """Until when it is waited for, by this process's own clock."""

    def work(self, book: Ledger, stop: threading.Event) -> None:
        """Go through the backfills in turns, a page each, so that a long one holds up no other.

        Raises:
            DatabaseError: The ledger does not do what it is asked.
        """
        while not stop.is_set():
            more = False
            for one in book.listings():
                if not stop.is_set() and self.until.get(one, 0) < time.monotonic():
                    more |= self._try(book, book.backfill_get(one))
            if not more:
                stop.wait(_IDLE_S)

    def _try(self, book: Ledger, backfill: Backfill) -> bool:
        try:
            more = self.step(book, backfill)
        except SourceError as error:
            delay_s = self.delays.get(backfill.id, _FIRST_DELAY_S / 2) * 2
            self.delays[backfill.id] = delay_s = min(delay_s, _LONGEST_DELAY_S)
            self.until[backfill.id] = time.monotonic() + delay_s
            logger.warning("backfill %s: %s; once more in %.0f s", backfill.id, error, delay_s)
            return False
        except DatabaseError:
            raise
        except Exception as error:
            # One that nobody foresaw must not keep every other backfill from being listed.
            logger.exception("backfill %s failed", backfill.id)
            book.backfill_failed(backfill.id, f"{type(error).__name__}: {error}")
            return False
        self.delays.pop(backfill.id, None)
        return more

    def step(self, book: Ledger, backfill: Backfill) -> bool:
        """List one page; as the function ``step``."""
        if backfill.state is not BackfillState.LISTING:
            # Listed to its end by the dispatcher, perhaps, while somebody else went along.
            return False
        spec = StoredSpec.read(backfill.spec)
        try:
            page = self._next(backfill, spec)
        except SourceError as error:
            self.pages.pop(backfill.id, None)
            if error.passing:
                book.backfill_trouble(backfill.id, str(error))
                raise
            book.backfill_failed(backfill.id, str(error))
            logger.warning("backfill %s failed: %s", backfill.id, error)
            return False
        with book.transaction():
            if not book.listing_at(backfill.id, backfill.cursor):
                # Paused, aborted, or listed by somebody else meanwhile.
                self.pages.pop(backfill.id, None)
                return True
            take(book, backfill, spec, page)
            if page.cursor is None:
                book.backfill_listed(backfill.id)
        if page.cursor is None:
            self.pages.pop(backfill.id, None)
        return page.cursor is not None

    def _next(self, backfill: Backfill, spec: StoredSpec) -> Page:
        cursor, pages = self.pages.pop(backfill.id, (None, None))
        if pages is None or cursor != backfill.cursor:
            pages = iter(spec.source.open().pages(spec.filters.filters(), backfill.cursor))
        page = next(pages, Page((), None))
        self.pages[backfill.id] = (page.cursor, pages)
        return page


def take(book: Ledger, backfill: Backfill, spec: StoredSpec, page: Page) -> None:
    """Bring a page into the ledger, within a transaction of the caller's."""
    picked = pick(book, spec, page)
    gone = 0
    if picked.superseded:
        gone = book.supersede(backfill.id, backfill.engine, picked.superseded)
        picked.skipped.update({str(Reason.OLDER): gone} if gone else {})
    want(book, backfill, spec, picked)
    # What was found on an earlier page, and has to go now, was found no more.
    found = len(picked.wanted) - gone
    book.backfill_note(backfill.id, cursor=page.cursor, found=found, skipped=picked.skipped)
    if backfill.error is not None:
        book.backfill_trouble(backfill.id, None)


def want(book: Ledger, backfill: Backfill, spec: StoredSpec, picked: Picked) -> int:
    """Wish for what was picked; tells how much of it nobody had wanted before."""
    new = 0
    for level in sorted({one.name.level for one in picked.wanted}):
        new += book.want(
            [
                Wish(one.product, one.source, one.bytes)
                for one in picked.wanted
                if one.name.level == level
            ],
            backfill.engine,
            priority=backfill.priority,
            version=spec.versions.get(level) or _present(book, backfill.engine, level),
            backfill=backfill.id,
        ).new
    return new


def pick(book: Ledger, spec: StoredSpec, page: Page, filters: Filters | None = None) -> Picked:
    """Keep what filters want, those of the spec or others, unless a newer baseline is known."""
    sifted = sift(page.candidates, filters or spec.filters.filters())
    # Plain text: how JSON is written is a matter of which packages are loaded.
    skipped = Counter({str(reason): n for reason, n in sifted.skipped.items()})
    skipped.update({str(reason): n for reason, n in page.skipped.items()})
    held = _held(book, spec.engine, sifted.wanted)
    wanted: list[Candidate] = []
    superseded: set[str] = set()
    for one in sifted.wanted:
        rivals = held.get(Acquisition.of(one.name), ())
        if any(
            name.baseline > one.name.baseline and state is not State.ABORTED
            for name, state in rivals
        ):
            skipped[str(Reason.OLDER)] += 1
            continue
        wanted.append(one)
        superseded.update(
            str(name)
            for name, state in rivals
            if name.baseline < one.name.baseline and state in _WAITING
        )
    return Picked(tuple(wanted), tuple(sorted(superseded)), skipped)


def _held(
    book: Ledger, engine: str, candidates: Sequence[Candidate]
) -> dict[Acquisition, list[tuple[ProductName, State]]]:
    places = {(one.name.tile, one.name.sensed) for one in candidates}
    found: dict[Acquisition, list[tuple[ProductName, State]]] = {}
    for name, state in _parsed(book.alike(engine, sorted(places)).items()):
        found.setdefault(Acquisition.of(name), []).append((name, state))
    return found


def _parsed(held: Iterable[tuple[str, State]]) -> Iterator[tuple[ProductName, State]]:
    for product, state in held:
        yield ProductName.parse(product), state


def _present(book: Ledger, engine: str, level: str) -> str:
    """Tell the version that is there, where none was known when the backfill was created."""
    return book.latest_version(engine, level) or ""
