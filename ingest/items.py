"""Items: what the record of a mask says, in the words of STAC."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ingest import collection as col
from ingest.extent import BBox, stamp
from producer.classes import VALID_CLASSES, MaskClass
from producer.layout import MASK, METADATA, SUFFIXES, collection_id
from producer.product import ProductName
from producer.record import FileRecord, GridRecord, MaskRecord

ITEM_SUFFIX = ".item.json"
"""What follows the stem of a mask's files in the key of its Item."""

_SHA2_256 = "1220"
"""Multihash prefix: function sha2-256, 32 bytes."""
_PLATFORMS = {
    "S2A": "sentinel-2a",
    "S2B": "sentinel-2b",
    "S2C": "sentinel-2c",
    "S2D": "sentinel-2d",
}
_SHARES = {value: f"nimbostac:{value.name.lower()}" for value in VALID_CLASSES}
_VIEWS = frozenset(
    ("view:azimuth", "view:incidence_angle", "view:sun_azimuth", "view:sun_elevation")
)
_DATE_LINE = 180.0
_HERE = "."
_HOMEWARD = ("root", "parent", "collection")
"""Relations of the links by which an Item that lies beside its files leads to its Collection."""
_UP = "../" * 6
"""From the folder of a product to that of its Collection."""
_TILES = 60_000
"""Grids that are kept: products of one tile lie on one grid, and there are 56,686 tiles."""

_common_assets = lru_cache(col.assets)


def item(record: MaskRecord, base: str) -> dict[str, Any]:
    """Build the Item of a mask, without links to the catalogue that it will be in.

    Args:
        record: The mask.
        base: Address of the folder that its files lie in, without a closing slash.

    Raises:
        ProductNameError: The record names no product.
    """
    properties = _properties(record)
    documents = _assets(record, base)
    return {
        "type": "Feature",
        "stac_version": col.STAC_VERSION,
        "stac_extensions": list(_extensions(properties, documents)),
        "id": record.product,
        "collection": collection_id(record.engine.name, record.level),
        "geometry": record.source.footprint,
        "bbox": list(bbox(record.source.footprint)),
        "properties": properties,
        "links": [_derived_from(record)],
        "assets": documents,
    }


def beside(whole: dict[str, Any]) -> dict[str, Any]:
    """Give an Item of files in its own folder, ``.``, the links of one that lies beside them.

    It reads the same wherever the folder goes.
    """
    home = {"href": f"{_UP}collection.json", "type": "application/json"}
    links = [{"rel": rel, **home} for rel in _HOMEWARD]
    return {**whole, "links": [*links, *whole["links"]]}


def apart(whole: dict[str, Any]) -> dict[str, Any]:
    """Take from an Item that lies beside its files what ``beside`` gave it."""
    links = [link for link in whole["links"] if link["rel"] not in _HOMEWARD]
    return {**whole, "links": links}


def moved(whole: dict[str, Any], base: str) -> dict[str, Any]:
    """Give an Item of files in its own folder, ``.``, the address of that folder.

    Cheaper than building it again.
    """
    documents = {
        key: {**asset, "href": base + asset["href"].removeprefix(_HERE)}
        for key, asset in whole["assets"].items()
    }
    return {**whole, "assets": documents}


def stem(record: MaskRecord) -> str:
    """File name of the mask without its suffix, which its other files share."""
    return record.files[MASK].key.removesuffix(SUFFIXES[MASK])


def bbox(geometry: dict[str, Any]) -> BBox:
    """Bound a geometry; west is greater than east where it was split at the antimeridian."""
    polygons = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        polygons = [polygons]
    points = [point for polygon in polygons for point in polygon[0]]
    west, east = min(x for x, *_ in points), max(x for x, *_ in points)
    south, north = min(y for _, y, *_ in points), max(y for _, y, *_ in points)
    if west == -_DATE_LINE and east == _DATE_LINE and len(polygons) > 1:
        west = min(x for x, *_ in points if x > 0)
        east = max(x for x, *_ in points if x < 0)
    return west, south, east, north


def cloud_cover(record: MaskRecord) -> float | None:
    """Per cent of the valid area under cloud, semi-transparent cloud included.

    Returns:
        ``None`` where nothing is valid: 0 would be found by who looks for clear scenes.
    """
    if not any(record.pixels.get(value) for value in VALID_CLASSES):
        return None
    return _cover({value: record.share(value) for value in VALID_CLASSES})


def _cover(shares: dict[MaskClass, float]) -> float:
    return round(100 * (shares[MaskClass.CLOUD] + shares[MaskClass.SEMI_TRANSPARENT]), 4)


def _properties(record: MaskRecord) -> dict[str, Any]:
    name = ProductName.parse(record.product)
    source = record.source
    created = stamp(record.created)
    measured = {
        "view:azimuth": source.view_azimuth,
        "view:incidence_angle": source.view_off_nadir,
        "view:sun_azimuth": source.sun_azimuth,
        "view:sun_elevation": source.sun_elevation,
        "nimbostac:datatake": source.datatake,
        "nimbostac:weights_sha256": record.engine.weights.sha256 if record.engine.weights else None,
    }
    return {
        "datetime": stamp(source.sensed),
        "created": created,
        # The Item is replaced when its mask is made again, never otherwise.
        "updated": created,
        "title": f"Cloud mask of T{name.tile}, {source.sensed:%Y-%m-%d %H:%M} UTC",
        # Without one pgstac's free-text search finds no Item, whatever its title says.
        "description": f"Clouds and cloud shadows in {record.product}, by {record.engine.name}",
        "platform": f"sentinel-{name.platform.removeprefix('S').lower()}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "gsd": col.RESOLUTION_M,
        **_projection(record.grid),
        "grid:code": f"MGRS-{name.tile}",
        "mgrs:utm_zone": int(name.tile[:2]),
        "mgrs:latitude_band": name.tile[2],
        "mgrs:grid_square": name.tile[3:],
        "sat:relative_orbit": name.orbit,
        **_shares(record),
        "version": record.engine.version,
        "processing:software": record.software,
        "processing:version": record.engine.version,
        "nimbostac:engine": record.engine.name,
        "nimbostac:engine_version": record.engine.version,
        "nimbostac:level": record.level,
        "nimbostac:baseline": source.baseline,
        **{key: value for key, value in measured.items() if value is not None},
    }


@lru_cache(_TILES)
def _projection(grid: GridRecord) -> dict[str, Any]:
    """Place a grid; not to be changed, for many Items share it."""
    a, b, c, d, e, f = grid.transform
    height, width = grid.shape
    corners = [(c, f), (c + a * width + b * height, f + d * width + e * height)]
    return {
        "proj:code": f"EPSG:{grid.epsg}",
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform),
        "proj:bbox": [
            *(min(axis) for axis in zip(*corners, strict=True)),
            *(max(axis) for axis in zip(*corners, strict=True)),
        ],
    }


def _shares(record: MaskRecord) -> dict[str, float]:
    missing = {"nimbostac:missing": round(record.share(MaskClass.MISSING), 6)}
    shares = {value: record.share(value) for value in VALID_CLASSES}
    if not any(shares.values()):
        return missing
    told = {_SHARES[value]: round(share, 6) for value, share in shares.items()}
    return {"eo:cloud_cover": _cover(shares), **told, **missing}


def _assets(record: MaskRecord, base: str) -> dict[str, dict[str, Any]]:
    common = _common_assets(record.engine.classes)
    metadata = {"href": f"{base}/{stem(record)}{SUFFIXES[METADATA]}", **common[METADATA]}
    found = {key: _asset(file, base, common.get(key)) for key, file in record.files.items()}
    return {**found, METADATA: metadata}


def _asset(file: FileRecord, base: str, common: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "href": f"{base}/{file.key}",
        **(common or {"roles": ["data"]}),
        "type": file.media_type,
        "file:size": file.size,
        "file:checksum": _SHA2_256 + file.sha256,
        **(_projection(file.grid) if file.grid else {}),
    }


def _derived_from(record: MaskRecord) -> dict[str, Any]:
    uri = record.source.uri
    return {
        "rel": "derived_from",
        "href": uri if "://" in uri else f"file://{uri}",
        "title": record.product,
    }


def _extensions(properties: dict[str, Any], documents: dict[str, Any]) -> Iterator[str]:
    """List the extensions in use; a schema rejects an Item that lists it for nothing."""
    yield from (col.CLASSIFICATION, col.FILE, col.GRID, col.MGRS, col.PROCESSING)
    yield from (col.PROJECTION, col.RASTER, col.SATELLITE, col.VERSION)
    if "eo:cloud_cover" in properties or "preview" in documents:
        yield col.EO
    if not _VIEWS.isdisjoint(properties):
        yield col.VIEW
