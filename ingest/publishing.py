"""Publishing: from records that lie in storage to Items that can be found.

The order is what makes it safe to be killed anywhere: the files of a mask lie in place before
its record does, the Item is written beside them, and only then does pgstac hear of it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import orjson

from ingest import collection as col
from ingest import items
from ingest.folders import ahead, readers
from ingest.pgstac import Pgstac
from ingest.writing import Writer, together
from producer.errors import StorageError
from producer.layout import METADATA, SUFFIXES, collection_id
from producer.record import EngineRecord, MaskRecord
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


@dataclass(frozen=True, slots=True)
class Ready:
    """A mask whose Item lies beside it."""

    key: str
    """That of its record."""
    engine: EngineRecord
    level: str
    item: dict[str, Any]
    """As the database is to have it."""

    @property
    def collection(self) -> str:
        """Id of the Collection that it belongs to."""
        return collection_id(self.engine.name, self.level)


def read(store: Storage, key: str) -> Found:
    """Read a record.

    Raises:
        StorageError: It is not there or cannot be read.
        RecordError: It is no record.
    """
    return Found(key, MaskRecord.parse(store.get(key), store.href(key)))


def publish(
    store: Storage,
    found: Sequence[Found],
    database: Pgstac,
    *,
    only_changed: bool = False,
    rebuilding: bool = False,
) -> int:
    """Make masks findable; those that are already are written once more, to the same effect.

    Args:
        store: Where they lie.
        found: Their records.
        database: Where they will be found.
        only_changed: Leave Items alone that the database holds as they should be.
        rebuilding: Leave Items alone that were made later than what is told here.

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
        with together(store) as writer:
            wanted = list(ahead(partial(described, store, writer), group, readers(store)))
            first = group[0].record
            write_collection(writer, first.engine, first.level)
        if only_changed:
            wanted = database.changed(wanted)
        if wanted:
            database.save(col.collection(first.engine, first.level, col.extent_of(wanted)))
            if rebuilding:
                written += database.fill(wanted)
            else:
                database.load(wanted)
                written += len(wanted)
    return written


def write_collection(writer: Writer, engine: EngineRecord, level: str) -> None:
    """Write the Collection of an engine and level where its masks lie in storage.

    Raises:
        StorageError: Storage does not answer.
    """
    whole = col.collection(engine, level, col.FULL_EXTENT)
    writer.put(f"{whole['id']}/{COLLECTION_FILE}", _json(whole))


def ready(store: Storage, writer: Writer, key: str) -> Ready:
    """Take the Item that lies beside a record, or write it there.

    Raises:
        StorageError: The record is not there, or storage does not answer.
        RecordError: It is no record.
    """
    lying = _lying(store, key)
    if lying is not None:
        return lying
    found = read(store, key)
    record = found.record
    return Ready(key, record.engine, record.level, described(store, writer, found))


def described(store: Storage, writer: Writer, one: Found) -> dict[str, Any]:
    """Write the Item of a mask beside it; gives it as the database is to have it.

    Raises:
        StorageError: Storage does not answer.
    """
    return items.moved(write_item(writer, one), store.href(one.folder))


def write_item(store: Storage | Writer, one: Found) -> dict[str, Any]:
    """Write the Item of a mask beside it; gives it with files in its own folder, ``.``.

    Raises:
        StorageError: Storage does not answer.
    """
    near = items.item(one.record, ".")
    stem = f"{one.folder}/{items.stem(one.record)}"
    store.put(stem + items.ITEM_SUFFIX, _json(items.beside(near)))
    return near


def _lying(store: Storage, key: str) -> Ready | None:
    """Take the Item that lies beside a record; ``None`` if it was not made of that.

    A third of the work of building it: of the record only what it shares with the Item is looked
    at, the time of its making above all.
    """
    record = store.get(key)
    stem = key.removesuffix(SUFFIXES[METADATA])
    try:
        told = orjson.loads(record)
        whole = orjson.loads(store.get(stem + items.ITEM_SUFFIX))
        engine = EngineRecord.model_validate(told["engine"])
        is_of_it = (
            whole["id"] == told["product"]
            and whole["collection"] == collection_id(engine.name, told["level"])
            and _moment(whole["properties"]["created"]) == _moment(told["created"])
        )
        item = items.moved(items.apart(whole), store.href(key.rpartition("/")[0]))
        return Ready(key, engine, told["level"], item) if is_of_it else None
    except (StorageError, ValueError, TypeError, LookupError, AttributeError):
        # Whatever is wrong: the record has to be read in full, and tells.
        return None


_moment = datetime.fromisoformat


def _json(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
