"""Verifying: everything that was ever masked held against itself, and mended where asked."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ingest import ledger, pgstac
from ingest.database import connected
from ingest.errors import StorageEmptyError
from ingest.findings import Finding, Kind, Mend, examine
from ingest.folders import ahead, folders
from ingest.inventory import Entry, Inventory
from ingest.mending import Mender
from producer.storage import Storage


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be looked at, and mended."""

    collection: str | None = None
    """Only this Collection."""
    checksums: bool = False
    """Read every file."""
    mend: frozenset[Mend] = frozenset()
    storage_lost: bool = False
    """Believe storage that it is empty."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, and what was done about it."""

    finding: Finding
    mended: str | None
    """What was done; ``None`` for nothing."""


@dataclass(slots=True)
class Verifying:
    """One pass over everything."""

    store: Storage
    asked: Asked
    total: int = 0
    """Items in pgstac when it began."""
    checked: int = 0
    """Products that were looked at."""
    found: Counter[Kind] = field(default_factory=Counter)
    mended: Counter[Kind] = field(default_factory=Counter)

    @property
    def unmended(self) -> int:
        """How many findings nothing was done about."""
        return self.found.total() - self.mended.total()

    def run(self, progress: Callable[[int, int], None] = _silent) -> Iterator[Told]:
        """Look at everything, and tell what is wrong as it is found.

        A finding is looked at once more before it is told: what workers do meanwhile is nothing
        wrong.

        Args:
            progress: Told how many products were looked at, and how many Items there are.

        Raises:
            StorageEmptyError: Items were to be mended, and storage has not a single mask.
            StorageError: Storage does not answer.
            DatabaseError: The database did not do it.
        """
        asked = self.asked
        with (
            pgstac.opened() as database,
            ledger.opened() as book,
            connected() as paging,
            connected() as looking,
        ):
            pages = Inventory(self.store, paging)
            self.total = pages.count(asked.collection)
            if self.total and Mend.ITEMS in asked.mend and not asked.storage_lost:
                self._refuse_empty_storage()
            anew = Inventory(self.store, looking)
            mender = Mender(self.store, database, book)
            for entry, kinds in ahead(self._kinds, pages.entries(asked.collection)):
                self.checked += 1
                for kind in kinds:
                    yield from self._told(kind, entry, anew, mender)
                progress(self.checked, max(self.checked, self.total))

    def _kinds(self, entry: Entry) -> tuple[Entry, list[Kind]]:
        return entry, list(dict.fromkeys(one.kind for one in self._examine(entry)))

    def _examine(self, entry: Entry) -> list[Finding]:
        return examine(self.store, entry, checksums=self.asked.checksums)

    def _told(self, kind: Kind, old: Entry, anew: Inventory, mender: Mender) -> Iterator[Told]:
        entry = anew.look(old.collection, old.product)
        if entry is None:
            return
        for finding in self._examine(entry):
            if finding.kind is kind:
                wanted = kind.mend in self.asked.mend
                mended = mender.mend(finding, entry) if wanted else None
                self.found[kind] += 1
                self.mended[kind] += mended is not None
                yield Told(finding, mended)

    def _refuse_empty_storage(self) -> None:
        if next(folders(self.store), None) is None:
            raise StorageEmptyError(self.store.url, self.total)
