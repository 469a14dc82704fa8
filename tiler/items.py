"""Items as the tile server needs them, and for how long it may remember them."""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Self

import orjson
from fastapi import Path, Request

from tiler.database import Pool
from tiler.errors import ItemNotFoundError

_RASTER_TYPES = ("image/tiff", "image/vnd.stac.geotiff")
_MAX_ITEMS = 4096


@dataclass(frozen=True, slots=True)
class StoredAsset:
    """One raster of an Item."""

    key: str
    href: str
    """Storage address."""
    media_type: str
    version: str
    """Changes whenever the file does."""


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One Item of pgstac, as far as drawing it goes."""

    collection: str
    id: str
    version: str
    """Changes whenever anything in the Item does."""
    bbox: tuple[float, float, float, float]
    datetime: str
    properties: Mapping[str, Any]
    assets: Mapping[str, StoredAsset]
    """The rasters by asset key; what is no raster is left out."""

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Read a STAC Item, or the part of one that a mosaic search gives."""
        version = sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
        bbox = content["bbox"]
        half = len(bbox) // 2
        properties = content.get("properties") or {}
        return cls(
            collection=content["collection"],
            id=content["id"],
            version=version,
            bbox=(bbox[0], bbox[1], bbox[half], bbox[half + 1]),
            datetime=str(properties.get("datetime") or properties.get("start_datetime") or ""),
            properties=properties,
            assets={
                key: StoredAsset(
                    key,
                    asset["href"],
                    asset.get("type", ""),
                    str(asset.get("file:checksum") or version),
                )
                for key, asset in content["assets"].items()
                if str(asset.get("type", "")).startswith(_RASTER_TYPES)
            },
        )

    def __str__(self) -> str:
        return self.id


class ItemCache:
    """Items by Collection and id, none older than the age that was agreed.

    One thread asks the database for an Item while the others that want it wait for the answer.
    """

    def __init__(self, pool: Pool, age_s: float) -> None:
        self._pool = pool
        self._age_s = age_s
        self._lock = threading.Lock()
        self._items: OrderedDict[tuple[str, str], tuple[float, StoredItem]] = OrderedDict()
        self._asking: dict[tuple[str, str], threading.Lock] = {}

    def fresh(self, collection: str, item: str) -> StoredItem | None:
        """Look an Item up without asking the database."""
        found = self._items.get((collection, item))
        if found is None or time.monotonic() - found[0] > self._age_s:
            return None
        return found[1]

    def get(self, collection: str, item: str) -> StoredItem:
        """Look an Item up, in the database if need be.

        Raises:
            ItemNotFoundError: pgstac does not hold it.
        """
        key = (collection, item)
        known = self.fresh(collection, item)
        if known is not None:
            return known
        with self._lock:
            asking = self._asking.setdefault(key, threading.Lock())
        try:
            with asking:
                known = self.fresh(collection, item)
                if known is not None:
                    return known
                # The age counts from before the question: the answer may be that old.
                asked = time.monotonic()
                found = self._ask(collection, item)
                with self._lock:
                    self._items[key] = (asked, found)
                    self._items.move_to_end(key)
                    while len(self._items) > _MAX_ITEMS:
                        self._items.popitem(last=False)
                return found
        except ItemNotFoundError:
            with self._lock:
                self._items.pop(key, None)
            raise
        finally:
            with self._lock:
                self._asking.pop(key, None)

    def _ask(self, collection: str, item: str) -> StoredItem:
        with self._pool.connection() as connection:
            row = connection.execute(
                "SELECT pgstac.get_item(%s, %s)::text", (item, collection)
            ).fetchone()
        if row is None or row[0] is None:
            raise ItemNotFoundError(collection, item)
        return StoredItem.of(orjson.loads(row[0]))


def stored_item(
    request: Request,
    collection_id: Annotated[str, Path(description="STAC Collection Identifier")],
    item_id: Annotated[str, Path(description="STAC Item Identifier")],
) -> StoredItem:
    """Give an endpoint the Item that its path names."""
    cache: ItemCache = request.app.state.items
    return cache.get(collection_id, item_id)
