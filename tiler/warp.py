"""From the pixels of a view to those of a mask, exactly and fast.

Projecting 65,536 points takes 40 ms. So the exact coordinates are taken at a few nodes
(Chebyshev's, where a polynomial errs least) and interpolated over the part of the view that the
mask covers; points between the nodes, exact too, say how far that is off, and more nodes are
taken until it is less than a fiftieth of a pixel. What no polynomial follows is projected point
by point.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from tiler.cog import Cog
from tiler.views import View

Floats = NDArray[np.float64]

_NODES = (3, 5, 9, 17)
_TOLERANCE_PX = 0.02
_MARGIN_PX = 2
_EDGE_POINTS = 33
# As GDAL: an overview may be a fifth coarser than what is asked for.
_OVERSAMPLING = 1.2


@dataclass(frozen=True, slots=True)
class Patch:
    """Part of a view, and where its pixels lie in one level of a mask."""

    rows: slice
    columns: slice
    level: int
    x_nodes: Floats
    """(n, n) columns of the level at the nodes, in pixels; (rows, columns) where all are exact."""
    y_nodes: Floats
    is_exact: bool
    """Whether every pixel has coordinates of its own."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    def coordinates(
        self, x_origin: float, y_origin: float, rows: slice
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give (rows, columns) coordinates x and y in pixels of the level.

        Args:
            x_origin: Column to count from; keeps single precision exact enough.
            y_origin: Row to count from.
            rows: Which rows of the patch.
        """
        x, y = self.x_nodes - x_origin, self.y_nodes - y_origin
        if self.is_exact:
            return x[rows].astype(np.float32), y[rows].astype(np.float32)
        height, width = self.shape
        down = _basis(height, len(x))[rows]
        across = _basis(width, len(x)).T
        return (
            (down @ x.astype(np.float32)) @ across,
            (down @ y.astype(np.float32)) @ across,
        )


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where a mask lies: the same for all masks of one grid square."""

    epsg: int
    bounds: tuple[float, float, float, float]
    resolution_m: float
    sizes: tuple[tuple[int, int], ...]
    """Width and height of the full raster, then of each level."""


def patches(view: View, cog: Cog) -> Sequence[Patch]:
    """Find where a mask lies in a view: nowhere, once, or twice around the antimeridian."""
    levels = tuple((level.width, level.height) for level in cog.levels)
    sizes = ((cog.width, cog.height), *levels)
    ground = _Ground(cog.epsg, cog.bounds, cog.resolution_m, sizes)
    known = _smooth(view, ground)
    return tuple(_patches(view, ground)) if known is None else known


@lru_cache(maxsize=4096)
def _smooth(view: View, ground: _Ground) -> tuple[Patch, ...] | None:
    """Remember patches for the other masks of a grid square, but not coordinates by the pixel."""
    found = tuple(_patches(view, ground))
    return None if any(patch.is_exact for patch in found) else found


def _patches(view: View, ground: _Ground) -> Iterator[Patch]:
    outline = _outline(view.crs, view.period, ground.epsg, ground.bounds)
    turns = (0,) if outline is None or view.period is None else (-1, 0, 1)
    for turn in turns:
        if outline is None:
            columns, rows = slice(0, view.width), slice(0, view.height)
        else:
            shift = turn * (view.period or 0)
            columns = _covered(
                (outline[0] + shift - view.left) / view.dx,
                (outline[2] + shift - view.left) / view.dx,
                view.width,
            )
            rows = _covered(
                (view.top - outline[3]) / view.dy, (view.top - outline[1]) / view.dy, view.height
            )
        if columns.start < columns.stop and rows.start < rows.stop:
            yield _patch(view, ground, rows, columns)


def _covered(first: float, last: float, size: int) -> slice:
    start = max(0, math.floor(first) - _MARGIN_PX)
    return slice(start, max(start, min(size, math.ceil(last) + _MARGIN_PX)))


def _patch(view: View, ground: _Ground, rows: slice, columns: slice) -> Patch:
    (width, height), *levels = ground.sizes
    number = 0
    for count in _NODES:
        points, weights = _points(count)
        x, y = _project(view, ground, *_along(rows, columns, points))
        if not np.isfinite(x + y).all():
            break
        (x, exact_x), (y, exact_y) = _parted(x, count), _parted(y, count)
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        number = _choose(ground, x, y, shape)
        fx, fy = levels[number][0] / width, levels[number][1] / height
        error_x = np.abs(weights @ x @ weights.T - exact_x).max() * fx
        error_y = np.abs(weights @ y @ weights.T - exact_y).max() * fy
        if max(error_x, error_y) < _TOLERANCE_PX:
            return Patch(rows, columns, number, x * fx, y * fy, is_exact=False)
    down, across = (np.arange(part.start, part.stop) + 0.5 for part in (rows, columns))
    shape = (len(down), len(across))
    x, y = _project(view, ground, np.repeat(down, len(across)), np.tile(across, len(down)))
    x, y = x.reshape(shape), y.reshape(shape)
    x, y = (np.where(np.isfinite(axis), axis, -1e6) for axis in (x, y))
    fx, fy = levels[number][0] / width, levels[number][1] / height
    return Patch(rows, columns, number, x * fx, y * fy, is_exact=True)


def _choose(ground: _Ground, x: Floats, y: Floats, shape: tuple[int, int]) -> int:
    """Take the coarsest level that is hardly coarser than the view, by true scale."""
    height, width = shape
    middle = len(x) // 2
    across = math.hypot(x[middle, -1] - x[middle, 0], y[middle, -1] - y[middle, 0]) / width
    down = math.hypot(x[-1, middle] - x[0, middle], y[-1, middle] - y[0, middle]) / height
    limit = min(across, down) * _OVERSAMPLING
    full, *levels = ground.sizes
    chosen = 0
    for number, level in enumerate(levels):
        if full[0] / level[0] <= limit:
            chosen = number
    return chosen


def _along(rows: slice, columns: slice, points: Floats) -> tuple[Floats, Floats]:
    """Stretch points of the unit square, -1 to 1, over a part of the view."""
    tall, wide = (rows.stop - rows.start) / 2, (columns.stop - columns.start) / 2
    return points[0] * tall + (rows.start + tall), points[1] * wide + (columns.start + wide)


def _project(view: View, ground: _Ground, rows: Floats, columns: Floats) -> tuple[Floats, Floats]:
    """Give the exact coordinates of points of a view in pixels of the full raster."""
    east, north = _transformer(view.crs, ground.epsg).transform(
        view.left + columns * view.dx, view.top - rows * view.dy
    )
    west, _, _, top = ground.bounds
    return (east - west) / ground.resolution_m, (top - north) / ground.resolution_m


def _parted(values: Floats, count: int) -> tuple[Floats, Floats]:
    """Part what belongs to the nodes from what belongs to the points between them."""
    nodes = count * count
    return values[:nodes].reshape(count, count), values[nodes:].reshape(count - 1, count - 1)


@lru_cache(maxsize=512)
def _transformer(crs: str, epsg: int) -> Transformer:
    return Transformer.from_crs(crs, epsg, always_xy=True)


@lru_cache(maxsize=512)
def _back(crs: str, epsg: int) -> Transformer:
    return Transformer.from_crs(epsg, crs, always_xy=True)


@lru_cache(maxsize=16384)
def _outline(
    crs: str, period: float | None, epsg: int, bounds: tuple[float, float, float, float]
) -> tuple[float, float, float, float] | None:
    """Bound a mask in the CRS of a view; beyond the antimeridian x goes on growing."""
    west, south, east, north = bounds
    along = np.linspace(0, 1, _EDGE_POINTS)
    xs, ys = west + along * (east - west), south + along * (north - south)
    x, y = _back(crs, epsg).transform(
        np.concatenate([xs, xs, np.full_like(ys, west), np.full_like(ys, east)]),
        np.concatenate([np.full_like(xs, south), np.full_like(xs, north), ys, ys]),
    )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    if period is not None and x.max() - x.min() > period / 2:
        x = np.where(x < 0, x + period, x)
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


@lru_cache(maxsize=16)
def _points(count: int) -> tuple[Floats, Floats]:
    """Give nodes and the points between them, and the weights of the first at the second.

    Returns:
        (2, n * n + (n - 1) * (n - 1)) rows and columns in the unit square, and (n - 1, n) weights.
    """
    nodes, between = _nodes(count), -np.cos(np.pi * (np.arange(count - 1) + 0.5) / (count - 1))
    grids = (np.stack(np.meshgrid(axis, axis, indexing="ij")) for axis in (nodes, between))
    points = np.concatenate([grid.reshape(2, -1) for grid in grids], axis=1)
    return points, _lagrange(count, between)


def _nodes(count: int) -> Floats:
    """Chebyshev-Lobatto nodes from -1 to 1."""
    nodes: Floats = -np.cos(np.pi * np.arange(count) / (count - 1))
    return nodes


def _lagrange(count: int, positions: Floats) -> Floats:
    """Give (positions, nodes) weights of the polynomial through all nodes."""
    nodes = _nodes(count)
    signs = np.where(np.arange(count) % 2, -1.0, 1.0)
    signs[[0, -1]] *= 0.5
    distance = positions[:, np.newaxis] - nodes
    at_node = np.abs(distance) < 1e-12  # noqa: PLR2004 - the barycentric formula divides by it
    terms = signs / np.where(at_node, 1.0, distance)
    weights = terms / terms.sum(axis=1, keepdims=True)
    return np.where(at_node.any(axis=1, keepdims=True), at_node.astype(np.float64), weights)


@lru_cache(maxsize=256)
def _basis(size: int, count: int) -> NDArray[np.float32]:
    centres = (np.arange(size) + 0.5) / size * 2 - 1
    return np.ascontiguousarray(_lagrange(count, centres), dtype=np.float32)


def span(axis: Floats, reach: int = 0) -> tuple[int, int]:
    """Give the first and last pixel that coordinates may fall into, and some on each side."""
    return math.floor(axis.min()) - 1 - reach, math.floor(axis.max()) + 1 + reach
