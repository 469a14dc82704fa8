"""Mending: what is done about a finding."""

from dataclasses import dataclass

from ingest import reindex
from ingest.findings import Finding, Kind
from ingest.inventory import Entry
from ingest.ledger import Ledger, Wish
from ingest.pgstac import Pgstac
from ingest.publishing import Found
from producer.layout import METADATA, SUFFIXES
from producer.storage import Storage

_PRIORITY = 5
"""Of a backfill."""


@dataclass(frozen=True, slots=True)
class Mender:
    """Mends one product at a time."""

    store: Storage
    database: Pgstac
    book: Ledger

    def mend(self, finding: Finding, entry: Entry) -> str | None:
        """Do what a finding asks for, and say what was done; ``None`` for nothing.

        Args:
            finding: What is wrong.
            entry: What there is of the product now.

        Raises:
            StorageError: Storage does not answer.
            DatabaseError: The database did not do it.
        """
        newest = entry.reading.newest
        match finding.kind:
            case Kind.ITEM_WITHOUT_COG | Kind.DOUBLED_ITEM:
                return self._mend_item(finding, entry)
            case Kind.COG_WITHOUT_ITEM | Kind.STALE_ITEM | Kind.ITEM_WITHOUT_ROW:
                return None if newest is None else self._publish(entry, newest)
            case Kind.ROW_DIFFERS:
                return None if newest is None else self._correct(entry, newest)
            case Kind.DAMAGED | Kind.UNREADABLE | Kind.DONE_WITHOUT_ITEM:
                return self._mask_again(finding, entry)
            case Kind.SUPERSEDED | Kind.LEFTOVER:
                return self._delete(finding)

    def _mend_item(self, finding: Finding, entry: Entry) -> str | None:
        newest = entry.reading.newest
        if newest is not None:
            self.database.remove(entry.collection, entry.product)
            return self._publish(entry, newest)
        if not any((item.href or "").startswith(f"{self.store.url}/") for item in entry.items):
            # Of another storage, which nobody can say anything about from here.
            return None
        # Due first: were this killed in between, the next pass would find the Item again.
        told = self._mask_again(finding, entry)
        self.database.remove(entry.collection, entry.product)
        return f"Item deleted; {told}"

    def _publish(self, entry: Entry, newest: Found) -> str:
        reindex.restore(self.store, [newest], self.database, self.book)
        self._correct(entry, newest)
        return f"published from {newest.key}"

    def _correct(self, entry: Entry, newest: Found) -> str | None:
        version = newest.record.engine.version
        if entry.row is not None and self.book.correct(entry.row.id, version, newest.key):
            return f"the ledger has {version} in {newest.key} now"
        return None

    def _mask_again(self, finding: Finding, entry: Entry) -> str:
        reading = entry.reading
        # A record must not vouch for files that are not what it tells.
        broken = {one.key for one in reading.found if reading.wrong(one)}
        for key in broken | {*reading.unreadable, *finding.files}:
            self.store.delete(key)
        if entry.row is None:
            wish = Wish(entry.product, _source(entry))
            self.book.want([wish], entry.engine, priority=_PRIORITY, version="")
        elif not self.book.mask_again(entry.row.id):
            return "its product is on its way already"
        return "its product is due to be masked again"

    def _delete(self, finding: Finding) -> str:
        # Records first: none must be left that names files that are gone.
        for key in sorted(finding.files, key=lambda key: not key.endswith(SUFFIXES[METADATA])):
            self.store.delete(key)
        return f"{len(finding.files)} files deleted"


def _source(entry: Entry) -> str:
    told = [one.record.source.uri for one in entry.reading.found]
    told += [item.source for item in entry.items if item.source]
    return reindex.source_of(told[-1]) if told else ""
