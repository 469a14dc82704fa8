"""Readings: the folder of one product with the records in it, held against its files."""

import hashlib
from dataclasses import dataclass

from ingest import publishing
from ingest.folders import Folder
from ingest.items import ITEM_SUFFIX
from ingest.publishing import Found
from producer.errors import RecordError, StorageError
from producer.layout import METADATA, SUFFIXES
from producer.storage import Storage

_ENDS = sorted((*SUFFIXES.values(), ITEM_SUFFIX), key=len, reverse=True)


@dataclass(frozen=True, slots=True)
class Reading:
    """What lies in the folder of one product."""

    folder: Folder
    found: tuple[Found, ...]
    """Records, the newest one last."""
    unreadable: dict[str, str]
    """What is wrong with a record, by key."""

    @property
    def newest(self) -> Found | None:
        """The newest record whose files are there in full length."""
        return next((one for one in reversed(self.found) if not self.wrong(one)), None)

    def wrong(self, one: Found) -> dict[str, str]:
        """Say what is wrong with the files that a record names, by file name."""
        wrong = {}
        for file in one.record.files.values():
            size = self.folder.files.get(file.key)
            if size is None:
                wrong[file.key] = "is not there"
            elif size != file.size:
                wrong[file.key] = f"has {size} bytes, {file.size} in the record"
        return wrong

    def of_stem(self, stem: str) -> list[str]:
        """Names of the files of one mask."""
        return sorted(name for name in self.folder.files if stem_of(name) == stem)

    def problems(self) -> list[str]:
        """Say what keeps masks of this folder from being published, a line each."""
        return [
            *self.unreadable.values(),
            *(
                f"{one.folder}/{name} {problem}"
                for one in self.found
                for name, problem in self.wrong(one).items()
            ),
        ]


def read(store: Storage, folder: Folder) -> Reading:
    """Read the records in a folder; one that was replaced meanwhile is left out.

    Raises:
        StorageError: Storage does not answer.
    """
    found: list[Found] = []
    unreadable: dict[str, str] = {}
    for key in folder.records():
        try:
            found.append(publishing.read(store, key))
        except RecordError as error:
            unreadable[key] = str(error)
        except StorageError:
            # A worker that makes the mask again takes its record away first.
            if store.head(key) is not None:
                raise
    found.sort(key=lambda one: (one.record.created, one.key))
    return Reading(folder, tuple(found), unreadable)


def differing(store: Storage, one: Found) -> dict[str, str]:
    """Hold the content of the files that a record names against it, by file name.

    Raises:
        StorageError: Storage does not answer.
    """
    wrong = {}
    for file in one.record.files.values():
        key = f"{one.folder}/{file.key}"
        if store.head(key) is None:
            continue
        if hashlib.sha256(store.get(key)).hexdigest() != file.sha256:
            wrong[file.key] = "has another SHA-256 than its record tells"
    return wrong


def stem_of(name: str) -> str:
    """File name of a mask's file without what tells its files apart."""
    return next((name.removesuffix(end) for end in _ENDS if name.endswith(end)), name)


def record_name(stem: str) -> str:
    """File name of the record of a stem."""
    return stem + SUFFIXES[METADATA]
