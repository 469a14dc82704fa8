"""Grids of pixels that clients look at: the tiles of a tile matrix set, for one."""

import math
from dataclasses import dataclass
from functools import lru_cache

from morecantile import TileMatrixSet
from morecantile import tms as known_sets
from morecantile.defaults import TileMatrixSets
from pyproj import CRS, Transformer
from rio_tiler.errors import TileOutsideBounds


@dataclass(frozen=True, slots=True)
class View:
    """Rows and columns of pixels in some coordinate system, north up."""

    crs: str
    """Definition that PROJ understands; x is easting or longitude."""
    period: float | None
    """How far east the same place comes again, in units of the CRS."""
    left: float
    top: float
    dx: float
    """Width of a pixel."""
    dy: float
    """Height of a pixel, positive."""
    width: int
    height: int

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top."""
        right = self.left + self.width * self.dx
        return self.left, self.top - self.height * self.dy, right, self.top


class SharedTileMatrixSets(TileMatrixSets):
    """Tile matrix sets that are read once: morecantile's own copies one, at a millisecond each."""

    def get(self, identifier: str) -> TileMatrixSet:
        """Give a tile matrix set; nobody may change it."""
        return _tile_matrix_set(identifier)


@lru_cache(maxsize=64)
def _tile_matrix_set(identifier: str) -> TileMatrixSet:
    return known_sets.get(identifier)


def shared_sets() -> SharedTileMatrixSets:
    """Give all that morecantile knows."""
    return SharedTileMatrixSets(known_sets.tilematrixsets)


@dataclass(frozen=True, slots=True)
class _Scheme:
    """What all tiles of one zoom share."""

    crs: str
    period: float | None
    left: float
    top: float
    cell_size: float
    tile_px: tuple[int, int]
    across: int
    down: int


@lru_cache(maxsize=1024)
def _scheme(identifier: str, zoom: int) -> _Scheme | None:
    tms = _tile_matrix_set(identifier)
    if not tms.minzoom <= zoom <= tms.maxzoom:
        return None
    matrix = tms.matrix(zoom)
    if matrix.variableMatrixWidths:
        # Tiles that merge towards the poles are TiTiler's to draw.
        return None
    left, top = matrix.pointOfOrigin
    if tms._invert_axis:  # noqa: SLF001 - morecantile says it nowhere else
        left, top = top, left
    crs = tms.crs._pyproj_crs  # noqa: SLF001 - the same
    return _Scheme(
        crs=crs.to_wkt(),
        period=_period(crs),
        left=left,
        top=top,
        cell_size=matrix.cellSize,
        tile_px=(matrix.tileWidth, matrix.tileHeight),
        across=matrix.matrixWidth,
        down=matrix.matrixHeight,
    )


def _period(crs: CRS) -> float | None:
    if crs.is_geographic:
        return 360.0
    operation = crs.coordinate_operation
    name = operation.method_name if operation is not None else ""
    if "Mercator" in name and "Transverse" not in name and crs.ellipsoid is not None:
        return 2 * math.pi * crs.ellipsoid.semi_major_metre
    return None


@lru_cache(maxsize=256)
def _definition(wkt: str) -> tuple[str, float | None]:
    return wkt, _period(CRS.from_wkt(wkt))


def image_view(
    wkt: str, bounds: tuple[float, float, float, float], width: int, height: int
) -> View:
    """Give the pixels of an image.

    Args:
        wkt: Its coordinate system.
        bounds: Left, bottom, right and top.
        width: Columns.
        height: Rows.
    """
    left, bottom, right, top = bounds
    crs, period = _definition(wkt)
    return View(
        crs, period, left, top, (right - left) / width, (top - bottom) / height, width, height
    )


def tile_view(tms: TileMatrixSet, x: int, y: int, z: int, size_px: int | None) -> View | None:
    """Give the pixels of a tile; ``None`` for one that only TiTiler can draw.

    Raises:
        TileOutsideBounds: There is no such tile.
    """
    if not tms.id:
        return None
    scheme = _scheme(tms.id, z)
    if scheme is None:
        return None
    if not (0 <= x < scheme.across and 0 <= y < scheme.down):
        raise TileOutsideBounds(f"there is no tile {z}/{x}/{y} in {tms.id}")
    width, height = scheme.tile_px
    span_x, span_y = width * scheme.cell_size, height * scheme.cell_size
    columns, rows = (size_px, size_px) if size_px else (width, height)
    return View(
        crs=scheme.crs,
        period=scheme.period,
        left=scheme.left + x * span_x,
        top=scheme.top - y * span_y,
        dx=span_x / columns,
        dy=span_y / rows,
        width=columns,
        height=rows,
    )


@lru_cache(maxsize=8192)
def geographic_box(view: View) -> tuple[float, float, float, float]:
    """Bound a view in degrees: west, south, east and north."""
    west, south, east, north = _to_degrees(view.crs).transform_bounds(*view.bounds)
    return west, south, east, north


@lru_cache(maxsize=64)
def _to_degrees(crs: str) -> Transformer:
    return Transformer.from_crs(crs, 4326, always_xy=True)


@lru_cache(maxsize=1)
def _web_mercator() -> str:
    return CRS.from_epsg(3857).to_wkt()


def pixel_slices(view: View, box: tuple[float, float, float, float]) -> tuple[slice, slice] | None:
    """Give the rows and columns of a view that a box in degrees may cover.

    ``None`` where that takes more than a formula: in any CRS but Web Mercator, and across the
    antimeridian.
    """
    west, south, east, north = box
    if view.crs != _web_mercator() or west > east or view.period is None:
        return None
    radius = view.period / (2 * math.pi)
    x = [math.radians(lon) * radius for lon in (west, east)]
    y = [math.asinh(math.tan(math.radians(lat))) * radius for lat in (north, south)]
    columns = [(value - view.left) / view.dx for value in x]
    rows = [(view.top - value) / view.dy for value in y]
    return (
        slice(max(0, math.floor(rows[0]) - 1), max(0, math.ceil(rows[1]) + 1)),
        slice(max(0, math.floor(columns[0]) - 1), max(0, math.ceil(columns[1]) + 1)),
    )
