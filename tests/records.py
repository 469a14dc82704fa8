"""Valid records and small stored masks, made without running an engine.

For whoever needs a catalogue with something in it::

    stored = stored_mask(store, tile="33UUU", sensed=datetime(2017, 2, 16, 10, tzinfo=UTC))
    catalogued(store, stored)  # with the fixtures ``store`` and ``pgstac``
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from shapely import affinity, to_geojson
from shapely.geometry import MultiPolygon, Polygon, box

from ingest import pgstac, publishing
from producer import cog, png
from producer.classes import VALID_CLASSES, MaskClass
from producer.grid import Grid
from producer.layout import (
    CATEGORIES,
    MASK,
    METADATA,
    PREVIEW,
    SUFFIXES,
    THUMBNAIL,
    file_key,
    stem_key,
)
from producer.product import ProductName
from producer.record import (
    EngineRecord,
    FileRecord,
    GridRecord,
    MaskRecord,
    SourceRecord,
    WeightsRecord,
)
from producer.storage import Storage

SENSED = datetime(2017, 2, 16, 10, 21, 1, 26_000, tzinfo=UTC)
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EDGE_PX = 256
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
MEDIA_TYPES = {
    MASK: COG,
    PREVIEW: COG,
    THUMBNAIL: "image/png",
    CATEGORIES: "application/xml",
}

_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")


@dataclass(frozen=True, slots=True)
class Made:
    """How a mask came about."""

    engine: str = "ukis-csmask"
    version: str = "1.0.0"
    level: str = "L1C"
    created: datetime = CREATED


MADE = Made()


@dataclass(frozen=True, slots=True)
class Stored:
    """A mask that lies in storage."""

    record: MaskRecord
    stem: str

    @property
    def record_key(self) -> str:
        return file_key(self.stem, METADATA)

    @property
    def collection(self) -> str:
        return self.stem.partition("/")[0]

    @property
    def item(self) -> str:
        return self.record.product


def quadrants(edge_px: int = EDGE_PX) -> NDArray[np.uint8]:
    """(row, column): clear, cloud; shadow, semi-transparent; a corner of each of 0 and 5."""
    mask = np.full((edge_px, edge_px), MaskClass.CLEAR, np.uint8)
    half, eighth = edge_px // 2, edge_px // 8
    mask[:half, half:] = MaskClass.CLOUD
    mask[half:, :half] = MaskClass.CLOUD_SHADOW
    mask[half:, half:] = MaskClass.SEMI_TRANSPARENT
    mask[:eighth, :eighth] = MaskClass.NO_DATA
    mask[-eighth:, -eighth:] = MaskClass.MISSING
    return mask


@cache
def tile_origin(tile: str) -> tuple[int, float, float]:
    """EPSG code and upper left corner of an MGRS square of 100 km, NGA.STND.0037, annex B."""
    zone, band, (column, row) = int(tile[:2]), tile[2], tile[3:]
    south = band < "N"
    epsg = (32700 if south else 32600) + zone
    easting = 100_000 * (_COLUMNS[zone % 3].index(column) + 1)
    first = 100_000 * ((_ROWS.index(row) - 5 * (zone % 2 == 0)) % 20)
    wanted = -80 + 8 * _BANDS.index(band) + 4
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)

    def miss(northing: float) -> float:
        return abs(float(to_degrees.transform(easting + 50_000, northing + 50_000)[1]) - wanted)

    northing = min((first + 2_000_000 * turn for turn in range(5)), key=miss)
    return epsg, float(easting), float(northing + 100_000)


def grid_of(tile: str, shape: tuple[int, int] = (EDGE_PX, EDGE_PX)) -> Grid:
    """Grid of 10 m from the upper left corner of a tile on."""
    epsg, x_m, y_m = tile_origin(tile)
    return Grid(epsg, x_m, y_m, 10.0, width=shape[1], height=shape[0])


def footprint_of(grid: Grid) -> dict[str, Any]:
    """GeoJSON of a grid's outline, split at the antimeridian."""
    west, south, east, north = grid.bounds
    to_degrees = Transformer.from_crs(grid.epsg, 4326, always_xy=True)
    corners = [(west, north), (west, south), (east, south), (east, north)]
    points = [to_degrees.transform(x, y) for x, y in corners]
    if max(x for x, _ in points) - min(x for x, _ in points) < 180:
        return _geojson(Polygon(points))
    whole = Polygon([(x % 360, y) for x, y in points])
    parts = whole & box(0, -90, 180, 90), whole & box(180, -90, 360, 90)
    return _geojson(MultiPolygon([parts[0], affinity.translate(parts[1], -360)]))


def _geojson(geometry: Polygon | MultiPolygon) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(to_geojson(geometry))
    return read


def product_name(
    tile: str = "33UUU", sensed: datetime = SENSED, level: str = "L1C", baseline: str = "0204"
) -> ProductName:
    """Name a product that need not exist."""
    return ProductName(
        "S2A", level, sensed.replace(microsecond=0), baseline, 65, tile, f"{sensed:%Y%m%dT%H%M%S}"
    )


def record_of(
    name: ProductName | None = None,
    mask: NDArray[np.uint8] | None = None,
    made: Made = MADE,
    files: dict[str, FileRecord] | None = None,
) -> MaskRecord:
    """Write the record of a mask; without ``files`` it names one that lies nowhere."""
    name = product_name(level=made.level) if name is None else name
    mask = quadrants() if mask is None else mask
    grid = grid_of(name.tile, mask.shape)
    key = stem_key(name, made.engine, made.version).rpartition("/")[2] + SUFFIXES[MASK]
    return MaskRecord(
        product=str(name),
        level=name.level,
        created=made.created,
        engine=EngineRecord(
            name=made.engine,
            version=made.version,
            classes=VALID_CLASSES,
            weights=WeightsRecord(name="model.onnx", sha256="ab" * 32),
        ),
        software={"nimbostac": "0.1.0", made.engine: made.version},
        source=SourceRecord(
            name=str(name),
            uri=f"s3://eodata/{name}.SAFE",
            sensed=name.sensed.replace(microsecond=26_000),
            baseline=f"{name.baseline[:2]}.{name.baseline[2:]}",
            footprint=footprint_of(grid),
            datatake=f"GS{name.platform}",
            sun_azimuth=160.5,
            sun_elevation=22.25,
            view_azimuth=104.0,
            view_off_nadir=3.5,
            cloud_cover=12.5,
        ),
        grid=GridRecord(
            epsg=grid.epsg, transform=tuple(grid.transform)[:6], shape=(grid.height, grid.width)
        ),
        pixels={value: int((mask == value).sum()) for value in MaskClass},
        files=files or {MASK: FileRecord(key=key, media_type=COG, size=1234, sha256="cd" * 32)},
        timings_s={"infer": 1.5},
    )


def stored_mask(
    store: Storage,
    tile: str = "33UUU",
    sensed: datetime = SENSED,
    mask: NDArray[np.uint8] | None = None,
    made: Made = MADE,
) -> Stored:
    """Write a small real COG with all that belongs to it, its record last, as a producer does."""
    name = product_name(tile, sensed, made.level)
    mask = quadrants() if mask is None else mask
    grid = grid_of(tile, mask.shape)
    stem = stem_key(name, made.engine, made.version)
    tags = {"PRODUCT": str(name)}
    picture = np.repeat((mask * 50)[np.newaxis], 3, axis=0)
    data = {
        MASK: cog.encode_mask(mask, grid, tags),
        CATEGORIES: cog.category_names(),
        PREVIEW: cog.encode_preview(picture, mask != MaskClass.NO_DATA, grid, tags),
        THUMBNAIL: png.encode_png(mask),
    }
    files = {}
    for asset, content in data.items():
        key = file_key(stem, asset)
        store.put(key, content)
        files[asset] = FileRecord(
            key=key.rpartition("/")[2],
            media_type=MEDIA_TYPES[asset],
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
    record = record_of(name, mask, made, files)
    store.put(file_key(stem, METADATA), record.model_dump_json(indent=1).encode())
    return Stored(record, stem)


def catalogued(store: Storage, *stored: Stored) -> None:
    """Load stored masks into the pgstac that the PG* variables mean."""
    with pgstac.opened() as database:
        found = [publishing.read(store, one.record_key) for one in stored]
        publishing.publish(store, found, database)
