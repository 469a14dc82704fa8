"""Where the tiles of Sentinel-2 lie: 109.8 km squares named after MGRS 100 km squares."""

from functools import lru_cache

from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from producer.grid import Grid
from producer.outline import ring_of
from producer.safe.footprint import footprint

_SQUARE_M = 100_000
_STEP_M = 60
"""Corners of tiles lie on multiples of the largest pixel, counted from the equator."""
TILE_PX = 10_980
"""Edge of a whole tile in pixels of 10 m."""
_FALSE_NORTHING_M = 10_000_000
_COLUMN_LETTERS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROW_LETTERS = "ABCDEFGHJKLMNPQRSTUV"
_BAND_LETTERS = "CDEFGHJKLMNPQRSTUVWX"
_BAND_DEGREES = 8
_FIRST_BAND_DEGREES = -80
_METRES_PER_DEGREE = 110_600
"""A degree of latitude at the equator, rounded down; only tells rows 2000 km apart."""


def tile_grid(tile: str) -> Grid:
    """Give the 10 m grid of a whole tile.

    From the lettering of the Military Grid Reference System (NGA.STND.0037, appendix B): column
    letters repeat every three zones, row letters every 2000 km and shifted by five in even
    zones. The upper left corner is that of the square, moved outwards to a multiple of 60 m.

    Args:
        tile: Such as ``33UUU``.

    Raises:
        ValueError: No such square in that zone.
    """
    zone, band, column, row = int(tile[:2]), tile[2], tile[3], tile[4]
    columns = _COLUMN_LETTERS[(zone - 1) % 3]
    if column not in columns or row not in _ROW_LETTERS or band not in _BAND_LETTERS:
        raise ValueError(f"there is no MGRS square {tile}")
    easting = (columns.index(column) + 1) * _SQUARE_M
    shift = 5 if zone % 2 == 0 else 0
    northing = (_ROW_LETTERS.index(row) - shift) % len(_ROW_LETTERS) * _SQUARE_M
    south = (_FIRST_BAND_DEGREES + _BAND_DEGREES * _BAND_LETTERS.index(band)) * _METRES_PER_DEGREE
    cycle = len(_ROW_LETTERS) * _SQUARE_M
    # From the equator, negative in the south: the first repeat that is not below the band.
    while northing >= south + cycle:
        northing -= cycle
    while northing + _SQUARE_M < south:
        northing += cycle
    is_south = band < "N"
    top = -(-(northing + _SQUARE_M) // _STEP_M) * _STEP_M
    return Grid(
        epsg=(32700 if is_south else 32600) + zone,
        x_m=easting // _STEP_M * _STEP_M,
        y_m=top + (_FALSE_NORTHING_M if is_south else 0),
        resolution_m=10,
        width=TILE_PX,
        height=TILE_PX,
    )


@lru_cache(maxsize=4096)
def tile_outline(tile: str) -> BaseGeometry:
    """Give the outline of a whole tile in degrees, cut where it crosses the antimeridian.

    Raises:
        ValueError: No such square in that zone.
    """
    grid = tile_grid(tile)
    return shape(footprint([list(ring_of(box(*grid.bounds), grid.epsg))]))
