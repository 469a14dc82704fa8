"""Brute force: every pixel centre of a mask, brought to degrees and asked of shapely."""

from typing import Any

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

# More than a pixel on each side, so that what a sliver touches is among the candidates.
_MARGIN_PX = 3


def pixels(path: str, polygon: BaseGeometry) -> tuple[NDArray[np.uint8], int]:
    """Classes of the polygon's pixels in a mask, and how many it has in and beyond the mask."""
    with rasterio.open(path) as mask:
        to_degrees = Transformer.from_crs(mask.crs, 4326, always_xy=True)
        to_metres = Transformer.from_crs(4326, mask.crs, always_xy=True)
        outline = shapely.segmentize(polygon, 0.0005)
        metres = shapely.transform(
            outline, lambda xy: np.column_stack(to_metres.transform(xy[:, 0], xy[:, 1]))
        )
        west, south, east, north = metres.bounds
        (top, left), (bottom, right) = mask.index(west, north), mask.index(east, south)
        rows = np.arange(top - _MARGIN_PX, bottom + _MARGIN_PX)
        columns = np.arange(left - _MARGIN_PX, right + _MARGIN_PX)
        column, row = np.meshgrid(columns, rows)
        x, y = mask.transform @ (column + 0.5, row + 0.5)
        longitude, latitude = to_degrees.transform(x, y)
        if polygon.bounds[2] > 180:
            longitude = longitude % 360
        inside = shapely.contains_xy(polygon, longitude, latitude)
        if not inside.any():
            inside = shapely.intersects(metres, shapely.box(x - 5, y - 5, x + 5, y + 5))
        row, column = row[inside], column[inside]
        held = (row >= 0) & (row < mask.height) & (column >= 0) & (column < mask.width)
        values = mask.read(1, window=Window(0, 0, mask.width, mask.height))
        return values[row[held], column[held]], int(inside.sum())


def properties(path: str, polygon: BaseGeometry) -> dict[str, Any]:
    """The ``aoi:`` properties of a mask."""
    values, total = pixels(path, polygon)
    return shares(values, total)


def shares(values: NDArray[np.uint8], total: int) -> dict[str, Any]:
    """The ``aoi:`` properties of some classes."""
    counts = np.bincount(values, minlength=6)[1:]
    covered = int(counts.sum())
    names = ("clear", "cloud_shadow", "semi_transparent", "cloud", "missing")
    found = (counts / covered).tolist() if covered else [None] * 5
    return {
        **{f"aoi:{name}": share for name, share in zip(names, found, strict=True)},
        "aoi:coverage": covered / total,
        "aoi:pixels": covered,
    }
