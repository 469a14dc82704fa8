"""The two masks that a path names, and the ways to draw them together."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Request
from morecantile import TileMatrixSet
from starlette.concurrency import run_in_threadpool

from producer.layout import MASK
from tiler.answers import version_of
from tiler.compare.agreement import agreement
from tiler.compare.scenes import pair_path
from tiler.draw import Classes, draw
from tiler.errors import ApartError, NoMaskError
from tiler.items import ItemCache, StoredAsset, StoredItem
from tiler.mosaic import Box
from tiler.rasters import Rasters, RasterSource
from tiler.reader import ItemReader, Source
from tiler.views import View


def mask_of(item: StoredItem) -> StoredAsset:
    """Give the mask of an Item.

    Raises:
        NoMaskError: It has none.
    """
    mask = item.assets.get(MASK)
    if mask is None:
        raise NoMaskError(item.collection, item.id)
    return mask


@dataclass(frozen=True, slots=True)
class Pair:
    """Two Items with masks."""

    a: StoredItem
    b: StoredItem

    @property
    def masks(self) -> tuple[StoredAsset, StoredAsset]:
        """The masks of both."""
        return mask_of(self.a), mask_of(self.b)

    @property
    def made_of(self) -> str:
        """Name what pictures of both are made of."""
        return version_of("compare", *(mask.version for mask in self.masks))

    @property
    def path(self) -> str:
        """Where they are compared, below the tile server."""
        return pair_path((self.a.collection, self.a.id), (self.b.collection, self.b.id))

    def facts(self) -> dict[str, Any]:
        """Say what is compared."""
        return {"a": _facts(self.a), "b": _facts(self.b)}

    def draw(self, rasters: RasterSource, view: View) -> Classes | int | None:
        """Draw where they agree; ``None`` where one of them is nowhere near.

        Raises:
            MaskUnreadableError: Storage does not give a mask.
            NoMaskCogError: A file is no mask of ours.
        """
        one, other = self.masks
        mine = draw(rasters, one, view)
        theirs = None if mine is None else draw(rasters, other, view)
        return None if mine is None or theirs is None else agreement(mine, theirs)

    def bounds(self) -> Box:
        """Give the box that both may cover.

        Raises:
            ApartError: There is none.
        """
        one, other = self.a.bbox, self.b.bbox
        if one[0] > one[2] or other[0] > other[2]:
            # Across the antimeridian; a box too large does no harm.
            return one
        west, south = max(one[0], other[0]), max(one[1], other[1])
        east, north = min(one[2], other[2]), min(one[3], other[3])
        if west >= east or south >= north:
            raise ApartError(self.a.id, self.b.id)
        return west, south, east, north

    def zooms(self, rasters: Rasters, tms: TileMatrixSet, max_px: int) -> tuple[int, int]:
        """Give the zooms of the mask with the finer pixels."""
        readers = [ItemReader(Source(item, rasters, max_px), tms=tms) for item in (self.a, self.b)]
        zooms = [(each.minzoom or 0, each.maxzoom or 0) for each in readers]
        return min(low for low, _ in zooms), max(high for _, high in zooms)


def _facts(item: StoredItem) -> dict[str, Any]:
    return {
        "collection": item.collection,
        "item": item.id,
        "datetime": item.datetime,
        "engine": item.properties.get("nimbostac:engine"),
        "engine_version": item.properties.get("nimbostac:engine_version"),
    }


async def pair_of(
    request: Request,
    collection_id: Annotated[str, Path(description="Collection of the first Item, a")],
    item_id: Annotated[str, Path(description="Id of the first Item, a")],
    other_collection_id: Annotated[str, Path(description="Collection of the second Item, b")],
    other_item_id: Annotated[str, Path(description="Id of the second Item, b")],
) -> Pair:
    """Give an endpoint the two Items that its path names."""
    items: ItemCache = request.app.state.items
    keys = [(collection_id, item_id), (other_collection_id, other_item_id)]
    known = [items.fresh(key) for key in keys]
    a, b = [
        await run_in_threadpool(items.get, key) if item is None else item
        for key, item in zip(keys, known, strict=True)
    ]
    pair = Pair(a, b)
    # Before anything is worked on for it.
    _ = pair.masks
    return pair


PairOf = Annotated[Pair, Depends(pair_of)]
