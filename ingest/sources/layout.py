"""Where a product lies in the layout of CREODIAS, when all that is known is its name."""

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import obstore
from obstore.exceptions import BaseError

from ingest.errors import SourceRefusedError, SourceUnreachableError
from ingest.filters import Candidate, Filters, Reason
from producer.errors import StorageError
from producer.product import ProductName
from producer.storage import Storage

_AT_ONCE = 16
"""Questions to an object store on the way at the same time."""
_MISSION = "Sentinel-2/MSI"
_REPROCESSED = "0500"
"""Collection 1: what ESA made anew lies beside what it had made before."""


def keys(name: ProductName) -> list[str]:
    """Say where a product may lie below ``Sentinel-2/MSI``, the likeliest first."""
    day = f"{name.sensed:%Y/%m/%d}"
    folders = [name.level, f"{name.level}_N{_REPROCESSED}"]
    if name.baseline == _REPROCESSED:
        folders.reverse()
    return [f"{folder}/{day}/{name}{end}" for folder in folders for end in (".SAFE", ".zip")]


@dataclass(frozen=True, slots=True)
class Layout:
    """A root in the layout of CREODIAS: what holds ``Sentinel-2/MSI``, or that folder itself."""

    root: str
    """A folder, or an address such as ``s3://eodata``."""

    def locate(self, names: Sequence[ProductName]) -> list[str | None]:
        """Find products; ``None`` for one that is not there.

        Raises:
            SourceUnreachableError: The root does not answer.
            SourceRefusedError: It is not there, or will not be read.
        """
        place = self.root.rstrip("/")
        if not place.endswith(_MISSION):
            place = f"{place}/{_MISSION}"
        if "://" not in place:
            if not os.path.isdir(place):  # noqa: PTH112 - as text, or a million Paths are made
                raise SourceRefusedError(self.root, f"there is no folder {place}")
            return [self._in_folder(place, name) for name in names]
        try:
            storage = Storage.from_url(place)
        except StorageError as error:
            raise SourceRefusedError(self.root, str(error)) from error
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda name: self._in_bucket(storage, name), names))

    def _in_folder(self, place: str, name: ProductName) -> str | None:
        paths = (Path(place, key) for key in keys(name))
        return next((str(path) for path in paths if path.exists()), None)

    def _in_bucket(self, storage: Storage, name: ProductName) -> str | None:
        for key in keys(name):
            try:
                if key.endswith(".zip"):
                    obstore.head(storage.store, key)
                elif not obstore.list_with_delimiter(storage.store, key)["objects"]:
                    continue
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise SourceUnreachableError(storage.url, str(error).partition("\n")[0]) from error
            return storage.href(key)
        return None


def located_by(
    layout: Layout | None, candidates: Sequence[Candidate], filters: Filters
) -> tuple[list[Candidate], Counter[str]]:
    """Find out where candidates lie, whose source does not say it.

    Args:
        layout: How; without one, none is found.
        candidates: Products whose ``source`` does not count.
        filters: What they do not want is not asked for: every question takes its time.

    Returns:
        Those that were found, and how many were not, by ``Reason``.

    Raises:
        SourceUnreachableError: The layout's root does not answer.
        SourceRefusedError: It is not there, or will not be read.
    """
    reasons = [filters.judge(candidate) for candidate in candidates]
    skipped = Counter(str(reason) for reason in reasons if reason is not None)
    asked = [one for one, reason in zip(candidates, reasons, strict=True) if reason is None]
    if layout is None:
        return [], skipped + Counter({str(Reason.NO_ADDRESS): len(asked)})
    places = layout.locate([candidate.name for candidate in asked])
    found = [
        replace(candidate, source=place)
        for candidate, place in zip(asked, places, strict=True)
        if place is not None
    ]
    return found, skipped + Counter({str(Reason.ABSENT): len(asked) - len(found)})
