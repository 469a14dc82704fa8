"""Publishing: from records that lie in storage to Items that can be found.

The order is what makes it safe to be killed anywhere: the files of a mask lie in place before
its record does, the Item is written beside them, and only then does pgstac hear of it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Any

from ingest import collection as col
from ingest import items
from ingest.pgstac import Pgstac
from producer.errors import RecordError
from producer.layout import METADATA, SUFFIXES, collection_id
from producer.record import MaskRecord
from producer.storage import Storage

COLLECTION_FILE = "collection.json"
"""Name of the Collection in the folder that holds its masks."""
BATCH = 2000
"""Items that pgstac gets at once."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record that lies in storage."""

    key: str
    record: MaskRecord

    @property
    def folder(self) -> str:
        """Key of the folder that it and the files of its mask lie in."""
        return self.key.rpartition("/")[0]

    @property
    def collection(self) -> str:
        """Id of the Collection that the mask belongs to."""
        return collection_id(self.record.engine.name, self.record.level)


def read(store: Storage, key: str) -> Found:
    """Read a record.

    Raises:
        StorageError: It is not there or cannot be read.
        RecordError: It is no record.
    """
    return Found(key, MaskRecord.parse(store.get(key), store.href(key)))


def publish(
    store: Storage, found: Sequence[Found], database: Pgstac, *, only_changed: bool = False
) -> int:
    """Make masks findable; those that are already are written once more, to the same effect.

    Args:
        store: Where they lie.
        found: Their records.
        database: Where they will be found.
        only_changed: Leave Items alone that the database holds as they should be.

    Returns:
        How many Items were written to the database.

    Raises:
        StorageError: Storage does not answer.
        DatabaseError: The database did not do it.
    """
    groups: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        groups[one.collection].append(one)
    written = 0
    for group in groups.values():
        wanted = [_described(store, one) for one in group]
        first = group[0].record
        whole = col.collection(first.engine, first.level, col.FULL_EXTENT)
        _write(store, f"{group[0].collection}/{COLLECTION_FILE}", whole)
        if only_changed:
            wanted = database.changed(wanted)
        if wanted:
            database.save(col.collection(first.engine, first.level, col.extent_of(wanted)))
            database.load(wanted)
            written += len(wanted)
    return written


def record_keys(store: Storage, prefix: str = "") -> Iterator[str]:
    """Go through the records under a prefix, the newest one of each product only.

    Raises:
        StorageError: Storage does not answer.
    """
    keys = (found.key for found in store.list(prefix, SUFFIXES[METADATA]))
    # Every kind of storage lists one folder at a stretch, and a product has its own.
    for folder, members in groupby(keys, lambda key: key.rpartition("/")[0]):
        records = [
            key
            for key in members
            if folder.rpartition("/")[0]
            and not key.endswith((items.ITEM_SUFFIX, f"/{COLLECTION_FILE}"))
        ]
        if len(records) > 1:
            records = [max(records, key=lambda key: _created(store, key))]
        yield from records


def batches(keys: Iterable[str], size: int = BATCH) -> Iterator[list[str]]:
    """Cut keys into batches, none of them empty."""
    rest = iter(keys)
    while batch := list(islice(rest, size)):
        yield batch


def _described(store: Storage, one: Found) -> dict[str, Any]:
    stem = f"{one.folder}/{items.stem(one.record)}"
    _write(store, stem + items.ITEM_SUFFIX, items.document(one.record))
    return items.item(one.record, store.href(one.folder))


def _created(store: Storage, key: str) -> datetime:
    try:
        return read(store, key).record.created
    except RecordError:
        # Reported where it is the only one; here another one speaks for the product.
        return datetime.min.replace(tzinfo=UTC)


def _write(store: Storage, key: str, document: dict[str, Any]) -> None:
    data = json.dumps(document, indent=1).encode() + b"\n"
    there = store.head(key)
    # Not rewritten for nothing: a mirror or a cache of storage sees what changed.
    if there is None or there.size != len(data) or store.get(key) != data:
        store.put(key, data)
