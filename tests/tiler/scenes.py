"""Masks with known classes, stored as COGs and catalogued in a real pgstac."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from scipy import ndimage

from ingest import pgstac as loading
from producer.cog import COG_MEDIA_TYPE, encode_mask, encode_preview
from producer.grid import Grid
from producer.storage import Storage

COLLECTION = "ukis-csmask-l1c"


def landscape(rows: int, columns: int, seed: int = 0, scale_px: float = 12) -> NDArray[np.uint8]:
    """Draw blobs of all five classes, and no data along one slanted edge."""
    rng = np.random.default_rng(seed)
    coarse = rng.standard_normal((rows // 8 + 2, columns // 8 + 2))
    smooth = ndimage.gaussian_filter(coarse, scale_px / 8)
    field_ = ndimage.zoom(smooth, 8, order=1)[:rows, :columns]
    bins = np.quantile(field_, [0.35, 0.5, 0.65, 0.93])
    classes = (np.digitize(field_, bins) + 1).astype(np.uint8)
    y, x = np.ogrid[:rows, :columns]
    classes[x + y * 0.3 < columns * 0.12] = 0
    return classes


@dataclass(frozen=True)
class Scene:
    """A mask and where it lies."""

    id: str
    epsg: int
    west: float
    north: float
    classes: NDArray[np.uint8]
    sensed: datetime = datetime(2024, 5, 9, 10, 0, tzinfo=UTC)
    collection: str = COLLECTION
    properties: dict[str, Any] = field(default_factory=dict)
    version: str = "1"

    @property
    def grid(self) -> Grid:
        rows, columns = self.classes.shape
        return Grid(self.epsg, self.west, self.north, 10.0, columns, rows)

    def footprint(self) -> list[list[float]]:
        west, south, east, north = self.grid.bounds
        back = Transformer.from_crs(self.epsg, 4326, always_xy=True)
        corners = [(west, north), (west, south), (east, south), (east, north), (west, north)]
        return [list(back.transform(x, y)) for x, y in corners]


def store_scene(scene: Scene, store: Storage, *, preview: bool = False) -> dict[str, Any]:
    """Write the COG of a scene, and give its Item."""
    stem = f"{scene.collection}/{scene.id}/{scene.id}-{scene.version}"
    data = encode_mask(scene.classes, scene.grid, {})
    assets = {"mask": _put(store, f"{stem}.tif", data, COG_MEDIA_TYPE)}
    if preview:
        colors = np.stack([scene.classes * 40] * 3)
        colors[1] = 255 - colors[0]
        picture = encode_preview(colors, scene.classes > 0, scene.grid, {})
        assets["preview"] = _put(store, f"{stem}_preview.tif", picture, COG_MEDIA_TYPE)
    assets["metadata"] = _put(store, f"{stem}.json", b"{}", "application/json")
    ring = scene.footprint()
    longitudes, latitudes = [x for x, _ in ring], [y for _, y in ring]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": scene.id,
        "collection": scene.collection,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": [min(longitudes), min(latitudes), max(longitudes), max(latitudes)],
        "properties": {
            "datetime": scene.sensed.isoformat().replace("+00:00", "Z"),
            "version": scene.version,
            "proj:code": f"EPSG:{scene.epsg}",
            "proj:shape": list(scene.classes.shape),
            "proj:transform": list(scene.grid.transform)[:6],
            **scene.properties,
        },
        "links": [],
        "assets": assets,
    }


def _put(store: Storage, key: str, data: bytes, kind: str) -> dict[str, Any]:
    store.put(key, data)
    checksum = "1220" + sha256(data).hexdigest()
    return {"href": store.href(key), "type": kind, "roles": ["data"], "file:checksum": checksum}


def collection(name: str = COLLECTION) -> dict[str, Any]:
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": name,
        "description": "masks",
        "license": "other",
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2015-06-23T00:00:00Z", "2030-01-01T00:00:00Z"]]},
        },
        "links": [],
    }


def catalogue(*items: dict[str, Any]) -> None:
    """Load Items, and the Collections that they are of, into the pgstac of ``PG*``."""
    with loading.opened() as pgstac:
        for name in sorted({item["collection"] for item in items}):
            pgstac.save(collection(name))
        pgstac.load(items)
