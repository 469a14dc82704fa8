"""A small catalogue of one place under several skies, and a field in its middle."""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from producer.classes import MaskClass
from producer.storage import Storage
from tests import records

TILE = "33UUU"
COLLECTION, OTHER = "ukis-csmask-l1c", "kappamask-l1c"
_KAPPAMASK = records.Made(engine="kappamask", version="2.4.0")
MIXED, HALF, CLEAR, OVERCAST = (
    datetime(2017, 2, 6, 10, 21, 1, tzinfo=UTC),
    datetime(2017, 2, 16, 10, 21, 1, tzinfo=UTC),
    datetime(2017, 3, 8, 10, 21, 1, tzinfo=UTC),
    datetime(2018, 8, 15, 10, 21, 1, tzinfo=UTC),
)
FIELD_PX = slice(96, 160)
"""Rows and columns of the field, around the place where four quadrants meet."""


def filled(value: MaskClass) -> NDArray[np.uint8]:
    """(row, column): one class everywhere."""
    return np.full((records.EDGE_PX, records.EDGE_PX), value, np.uint8)


def west_cloudy() -> NDArray[np.uint8]:
    """(row, column): cloud in the west, clear in the east."""
    mask = filled(MaskClass.CLEAR)
    mask[:, : records.EDGE_PX // 2] = MaskClass.CLOUD
    return mask


def fill(store: Storage) -> None:
    """Catalogue four days by one engine, and the first of them by another, too."""
    masks = {
        MIXED: records.quadrants(),
        HALF: west_cloudy(),
        CLEAR: filled(MaskClass.CLEAR),
        OVERCAST: filled(MaskClass.CLOUD),
    }
    stored = [records.stored_mask(store, TILE, day, mask) for day, mask in masks.items()]
    stored.append(records.stored_mask(store, TILE, MIXED, west_cloudy(), _KAPPAMASK))
    records.catalogued(store, *stored)


def item(day: datetime) -> str:
    """Id of the Item of a day."""
    return str(records.product_name(TILE, day))


def place(row: float, column: float) -> tuple[float, float]:
    """Longitude and latitude of the upper left corner of a mask's pixel."""
    epsg, x_m, y_m = records.tile_origin(TILE)
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(x_m + 10 * column, y_m - 10 * row)
    return longitude, latitude


def field() -> list[tuple[float, float]]:
    """Corners of the field, the first one again at the end."""
    low, high = FIELD_PX.start, FIELD_PX.stop
    return [place(*at) for at in ((low, low), (low, high), (high, high), (high, low), (low, low))]


def middle() -> tuple[float, float]:
    """Latitude and longitude of the middle of the masks."""
    half = records.EDGE_PX / 2
    longitude, latitude = place(half, half)
    return round(latitude, 6), round(longitude, 6)
