"""Publishing: from records that lie in storage to Items that can be found.

The order is what makes it safe to be killed anywhere: the files of a mask lie in place before
its record does, the Item is written beside them, and only then does pgstac hear of it.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ingest import collection as col
from ingest import items
from ingest.pgstac import Pgstac
from producer.layout import METADATA, SUFFIXES
from producer.record import MaskRecord
from producer.storage import Storage

logger = logging.getLogger(__name__)

COLLECTION_FILE = "collection.json"
"""Name of the Collection in the folder that holds its masks."""
BATCH = 2000
"""Items that pgstac gets at once."""


def read(store: Storage, record_key: str) -> MaskRecord:
    """Read a record.

    Raises:
        StorageError: It is not there or cannot be read.
        RecordError: It is no record.
    """
    return MaskRecord.parse(store.get(record_key), store.href(record_key))


def publish(store: Storage, record_keys: Iterable[str], database: Pgstac) -> int:
    """Make masks findable; those that are already are written once more, to the same effect.

    Args:
        store: Where they lie.
        record_keys: Keys of their records.
        database: Where they will be found.

    Returns:
        How many there were.

    Raises:
        StorageError: Storage does not answer.
        RecordError: A record cannot be read.
        DatabaseError: The database did not do it.
    """
    records = [(key, read(store, key)) for key in record_keys]
    groups: dict[str, list[tuple[str, MaskRecord]]] = defaultdict(list)
    for key, record in records:
        groups[key.partition("/")[0]].append((key, record))
    for collection_id, group in groups.items():
        _publish_collection(store, collection_id, group, database)
    return len(records)


def record_keys(store: Storage, prefix: str = "") -> Iterator[str]:
    """Go through the keys of all records under a prefix, in the order of storage."""
    suffix, item = SUFFIXES[METADATA], items.ITEM_SUFFIX
    for found in store.list(prefix, suffix):
        folder, _, name = found.key.rpartition("/")
        if folder and name != COLLECTION_FILE and not name.endswith(item):
            yield found.key


def batches(keys: Iterable[str], size: int = BATCH) -> Iterator[list[str]]:
    """Cut keys into batches, none of them empty."""
    rest = iter(keys)
    while batch := list(islice(rest, size)):
        yield batch


def _publish_collection(
    store: Storage,
    collection_id: str,
    group: list[tuple[str, MaskRecord]],
    database: Pgstac,
) -> None:
    _, first = group[0]
    loaded = []
    for key, record in group:
        folder = key.rpartition("/")[0]
        _write(store, f"{folder}/{items.stem(record)}{items.ITEM_SUFFIX}", items.document(record))
        loaded.append(items.item(record, store.href(folder)))
    everything = col.collection(first.engine, first.level, col.FULL_EXTENT)
    _write(store, f"{collection_id}/{COLLECTION_FILE}", everything)
    database.save(col.collection(first.engine, first.level, col.extent_of(loaded)))
    database.load(loaded)
    logger.info("%s: %d Items", collection_id, len(loaded))


def _write(store: Storage, key: str, document: dict[str, Any]) -> None:
    data = json.dumps(document, indent=1).encode() + b"\n"
    # Not rewritten for nothing: a mirror or a cache of storage sees what changed.
    if store.head(key) is None or store.get(key) != data:
        store.put(key, data)
