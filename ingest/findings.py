"""Findings: what storage, pgstac and the ledger tell differently of the same product."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ingest.inventory import Entry
from ingest.publishing import Found
from ingest.reading import differing, stem_of
from producer.layout import MASK
from producer.storage import Storage


class Mend(StrEnum):
    """What may be asked to be mended."""

    ITEMS = "items"
    """Take Items without a mask out of pgstac, and have their products masked again."""
    COGS = "cogs"
    """Publish masks that lie in storage and cannot be found, or not in their newest version."""
    CHECKSUMS = "checksums"
    """Have products masked again whose files are not what their record tells."""
    SUPERSEDED = "superseded"
    """Delete the files of earlier engine versions."""
    LEFTOVERS = "leftovers"
    """Delete files that belong to no mask."""
    LEDGER = "ledger"
    """Have the ledger tell what there is."""


class Kind(StrEnum):
    """What may be wrong."""

    ITEM_WITHOUT_COG = "item-without-cog"
    DOUBLED_ITEM = "doubled-item"
    COG_WITHOUT_ITEM = "cog-without-item"
    STALE_ITEM = "stale-item"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable-record"
    SUPERSEDED = "superseded"
    LEFTOVER = "leftover"
    DONE_WITHOUT_ITEM = "done-without-item"
    ITEM_WITHOUT_ROW = "item-without-row"
    ROW_DIFFERS = "row-differs"

    @property
    def mend(self) -> Mend:
        """What has to be asked for to have it mended."""
        return _MENDS[self]


_MENDS = {
    Kind.ITEM_WITHOUT_COG: Mend.ITEMS,
    Kind.DOUBLED_ITEM: Mend.ITEMS,
    Kind.COG_WITHOUT_ITEM: Mend.COGS,
    Kind.STALE_ITEM: Mend.COGS,
    Kind.DAMAGED: Mend.CHECKSUMS,
    Kind.UNREADABLE: Mend.CHECKSUMS,
    Kind.SUPERSEDED: Mend.SUPERSEDED,
    Kind.LEFTOVER: Mend.LEFTOVERS,
    Kind.DONE_WITHOUT_ITEM: Mend.LEDGER,
    Kind.ITEM_WITHOUT_ROW: Mend.LEDGER,
    Kind.ROW_DIFFERS: Mend.LEDGER,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one product."""

    kind: Kind
    collection: str
    product: str
    detail: str
    files: tuple[str, ...] = ()
    """Keys of the files that it is about."""


def examine(store: Storage, entry: Entry, *, checksums: bool) -> list[Finding]:
    """Find what is wrong with a product.

    Args:
        store: Where its files lie.
        entry: What there is of it.
        checksums: Whether to read every file, too.

    Raises:
        StorageError: Storage does not answer.
    """
    return list(_Examination(store, entry, checksums=checksums).findings())


class _Examination:
    """One product under the glass."""

    def __init__(self, store: Storage, entry: Entry, *, checksums: bool) -> None:
        self._store = store
        self._entry = entry
        self._reading = entry.reading
        self._checksums = checksums
        self._newest = entry.reading.newest
        self._shown = self._shown_stem()

    def findings(self) -> Iterator[Finding]:
        yield from self._of_files()
        yield from self._of_item()
        yield from self._of_row()
        yield from self._of_more()

    def _find(self, kind: Kind, detail: str, *files: str) -> Finding:
        keys = tuple(f"{self._reading.folder.key}/{name}" for name in files)
        return Finding(kind, self._entry.collection, self._entry.product, detail, keys)

    def _of_files(self) -> Iterator[Finding]:
        """Hold the newest record, or the one that the Item shows, against its files."""
        for key, problem in self._reading.unreadable.items():
            yield self._find(Kind.UNREADABLE, problem, key.rpartition("/")[2])
        for one in self._reading.found:
            if one is not self._reading.found[-1] and _stem(one) != self._shown:
                continue
            wrong = self._reading.wrong(one)
            if self._checksums:
                wrong = {**differing(self._store, one), **wrong}
            if wrong:
                told = ", ".join(f"{name} {problem}" for name, problem in wrong.items())
                yield self._find(Kind.DAMAGED, told, one.key.rpartition("/")[2])

    def _of_item(self) -> Iterator[Finding]:
        """Hold the Item against storage."""
        items, newest = self._entry.items, self._newest
        if len(items) > 1:
            yield self._find(Kind.DOUBLED_ITEM, f"pgstac has it {len(items)} times")
        if items and self._shown is None:
            yield self._find(Kind.ITEM_WITHOUT_COG, f"{items[0].href} is not there")
        elif items and not self._reading.found and not self._reading.unreadable:
            if not self._entry.under_way:
                yield self._find(Kind.DAMAGED, f"{items[0].href} has no record")
        elif items and newest is not None and self._newer_than_shown(newest):
            if not self._entry.under_way:
                yield self._find(Kind.STALE_ITEM, f"{newest.key} is newer than what it shows")
        elif not items and newest is not None and not self._entry.under_way:
            yield self._find(Kind.COG_WITHOUT_ITEM, f"{newest.key} cannot be found")

    def _of_row(self) -> Iterator[Finding]:
        """Hold the ledger against the other two."""
        row, newest = self._entry.row, self._newest
        if row is None:
            if self._entry.items and newest is not None:
                yield self._find(Kind.ITEM_WITHOUT_ROW, "the ledger has never heard of it")
        elif row.state == "done" and newest is None and not self._entry.items:
            yield self._find(Kind.DONE_WITHOUT_ITEM, "the ledger has it as done")
        elif row.state == "done" and newest is not None:
            told = (row.version, row.record)
            there = (newest.record.engine.version, newest.key)
            if told != there:
                yield self._find(
                    Kind.ROW_DIFFERS, f"the ledger has {told[0]} in {told[1]}, there is {there[1]}"
                )

    def _of_more(self) -> Iterator[Finding]:
        """Find files that nobody needs."""
        newest, folder = self._newest, self._reading.folder
        recorded = {_stem(one) for one in self._reading.found}
        recorded |= {stem_of(key.rpartition("/")[2]) for key in self._reading.unreadable}
        if newest is not None and self._shown == _stem(newest):
            for one in self._reading.found[: self._reading.found.index(newest)]:
                files = self._reading.of_stem(_stem(one))
                yield self._find(Kind.SUPERSEDED, f"{len(files)} files of {_stem(one)}", *files)
        if not self._entry.under_way:
            strays = [
                name
                for name in sorted(folder.files)
                if stem_of(name) not in recorded | {self._shown}
            ]
            if strays:
                yield self._find(Kind.LEFTOVER, f"{len(strays)} files of no record", *strays)
        if folder.parts:
            told = f"{len(folder.parts)} files that were never finished"
            yield self._find(Kind.LEFTOVER, told, *folder.parts)

    def _newer_than_shown(self, newest: Found) -> bool:
        later = self._reading.found[self._reading.found.index(newest) :]
        return self._shown not in {_stem(one) for one in later}

    def _shown_stem(self) -> str | None:
        """Stem of the mask that the Item shows; ``None`` without an Item or without its mask."""
        for item in self._entry.items:
            prefix = self._store.href(self._reading.folder.key) + "/"
            if item.href is None or not item.href.startswith(prefix):
                continue
            name = item.href.removeprefix(prefix)
            if name in self._reading.folder.files:
                return stem_of(name)
        return None


def _stem(one: Found) -> str:
    return stem_of(one.record.files[MASK].key)
