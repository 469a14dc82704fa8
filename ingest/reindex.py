"""Rebuilding: pgstac and the ledger from nothing but storage."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from ingest import ledger, pgstac, publishing
from ingest.folders import ahead, folders
from ingest.ledger import Ledger
from ingest.ledger.restoring import Stored
from ingest.pgstac import Pgstac
from ingest.publishing import Found
from ingest.reading import read
from producer.storage import Storage

T = TypeVar("T")

BATCH = 1000
"""Items that pgstac gets at once; publishers wait while it does."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuilding came to."""

    items: int = 0
    """Items that were written to pgstac."""
    rows: int = 0
    """Rows of the ledger that were written."""
    failed: int = 0
    """Products with a mask that cannot be published."""


class Watcher(Protocol):
    """Who is told how a rebuilding goes."""

    def done(self, total: Rebuilt, place: str) -> None:
        """Hear what was done so far, and which folder was the last."""

    def failed(self, reason: str) -> None:
        """Hear why a mask is left out."""


def reindex(store: Storage, watcher: Watcher, prefix: str = "") -> Rebuilt:
    """Publish each mask that lies in storage whole, and note it in the ledger as done.

    Safe to run again, and while workers run: what they made later stays, and so does what is on
    its way in the ledger.

    Args:
        store: Where the masks lie.
        watcher: Told after each batch.
        prefix: Only what lies under this key.

    Raises:
        StorageError: Storage does not answer.
        DatabaseError: The database did not do it.
    """
    total = Rebuilt()
    readings = ahead(partial(read, store), folders(store, prefix))
    with pgstac.opened() as database, ledger.opened() as book:
        for batch in batches(readings):
            found = [one.newest for one in batch if one.newest is not None]
            items, rows = restore(store, found, database, book)
            problems = [one.problems() for one in batch]
            for reason in (line for lines in problems for line in lines):
                watcher.failed(reason)
            failed = sum(1 for lines in problems if lines)
            total = Rebuilt(total.items + items, total.rows + rows, total.failed + failed)
            watcher.done(total, batch[-1].folder.key)
    return total


def restore(
    store: Storage, found: Sequence[Found], database: Pgstac, book: Ledger
) -> tuple[int, int]:
    """Bring masks that lie in storage to pgstac and the ledger; tell how many to each.

    Raises:
        StorageError: Storage does not answer.
        DatabaseError: The database did not do it.
    """
    items = publishing.publish(store, found, database, rebuilding=True)
    return items, book.adopt([_stored(one) for one in found])


def source_of(uri: str) -> str:
    """Write an address as the ledger does: a path where it is one."""
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri


def batches(wanted: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Cut into batches, none of them empty."""
    rest = iter(wanted)
    while batch := list(islice(rest, size)):
        yield batch


def _stored(one: Found) -> Stored:
    record = one.record
    return Stored(
        engine=record.engine.name,
        product=record.product,
        source=source_of(record.source.uri),
        version=record.engine.version,
        record=one.key,
    )
