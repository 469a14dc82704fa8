"""Items as the tile server needs them, and for how long it may remember them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Annotated, Any, Self

import orjson
from fastapi import Path, Request

from tiler.database import Pool, snapshot
from tiler.errors import ItemNotFoundError
from tiler.fresh import Fresh

_RASTER_TYPES = ("image/tiff", "image/vnd.stac.geotiff")
_MAX_ITEMS = 4096
_PLACED = ("proj:code", "proj:shape", "proj:transform")


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

    def drawn(self) -> Self:
        """Give what drawing it takes, a fraction of the memory."""
        placed = {name: self.properties[name] for name in _PLACED if name in self.properties}
        return replace(self, properties=placed)

    def __str__(self) -> str:
        return self.id


class ItemCache(Fresh[tuple[str, str], StoredItem]):
    """Items by Collection and id."""

    def __init__(self, pool: Pool, age_s: float) -> None:
        """Remember Items of a database for some seconds."""

        def ask(key: tuple[str, str]) -> StoredItem:
            collection, item = key
            with pool.connection() as connection:
                row = connection.execute(
                    "SELECT pgstac.get_item(%s, %s)::text", (item, collection)
                ).fetchone()
            if row is None or row[0] is None:
                raise ItemNotFoundError(collection, item)
            return StoredItem.of(orjson.loads(row[0]))

        super().__init__(ask, lambda: snapshot(pool), age_s, _MAX_ITEMS)


def stored_item(
    request: Request,
    collection_id: Annotated[str, Path(description="STAC Collection Identifier")],
    item_id: Annotated[str, Path(description="STAC Item Identifier")],
) -> StoredItem:
    """Give an endpoint the Item that its path names."""
    cache: ItemCache = request.app.state.items
    return cache.get((collection_id, item_id))
