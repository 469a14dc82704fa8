"""Batches of masks, read and loaded together; one that will not do fails alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ingest import collection as col
from ingest import publishing
from ingest.errors import DatabaseUnreachableError, RecordGoneError
from ingest.folders import READERS, ahead
from ingest.pgstac import Pgstac
from ingest.publishing import Ready
from ingest.writing import Writer, together
from producer.errors import StorageError
from producer.storage import Storage


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read of some records."""

    ready: tuple[Ready, ...]
    failed: Mapping[str, Exception]
    """Errors by the key of the record."""


def read(store: Storage, keys: Sequence[str]) -> Batch:
    """Read the Items that lie beside records, and write those that do not, many at once.

    Raises:
        StorageError: The Items could not be kept for good.
    """
    # Of a folder, one: other batches are read at the same time, and threads that wait for one
    # interpreter take twice the processor's time.
    threads = READERS if store.folder is None else 1
    # Few large pieces: to hand one key to a thread costs as much as to read its record.
    size = max(1, len(keys) // (4 * threads))
    pieces = [keys[start : start + size] for start in range(0, len(keys), size)]
    with together(store) as writer:
        outcomes: dict[str, Ready | Exception] = {}
        for piece in ahead(partial(_read_all, store, writer), pieces, threads):
            outcomes |= piece
        ready = tuple(one for one in outcomes.values() if isinstance(one, Ready))
        for one in {one.collection: one for one in ready}.values():
            publishing.write_collection(writer, one.engine, one.level)
    return Batch(ready, {key: one for key, one in outcomes.items() if isinstance(one, Exception)})


def load(batch: Batch, database: Pgstac) -> dict[str, Exception]:
    """Load what was read into the database; gives the errors by the key of the record.

    Raises:
        DatabaseUnreachableError: PostgreSQL does not answer.
    """
    groups: dict[str, list[Ready]] = defaultdict(list)
    for one in batch.ready:
        groups[one.collection].append(one)
    failed: dict[str, Exception] = {}
    for group in groups.values():
        failed.update(_load(group, database))
    return failed


def _load(group: Sequence[Ready], database: Pgstac) -> dict[str, Exception]:
    first, wanted = group[0], [one.item for one in group]
    try:
        database.save(col.collection(first.engine, first.level, col.extent_of(wanted)))
        database.load(wanted)
    except DatabaseUnreachableError:
        raise
    except Exception as error:  # noqa: BLE001 - pypgstac refuses Items by errors of any class
        if len(group) == 1:
            return {first.key: error}
        half = len(group) // 2
        return _load(group[:half], database) | _load(group[half:], database)
    return {}


def _read_all(store: Storage, writer: Writer, keys: Sequence[str]) -> dict[str, Ready | Exception]:
    return {key: _read(store, writer, key) for key in keys}


def _read(store: Storage, writer: Writer, key: str) -> Ready | Exception:
    try:
        return publishing.ready(store, writer, key)
    except StorageError as error:
        try:
            return error if store.head(key) is not None else RecordGoneError(key)
        except StorageError:
            return error
    except Exception as error:  # noqa: BLE001 - of one record among hundreds
        return error
