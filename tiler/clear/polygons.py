"""Polygons of clients: read, checked, and brought to the coordinates of a mask.

A ring is kept unwrapped: where it crosses the antimeridian its longitudes go on beyond 180
degrees, so that it is one piece in every CRS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from shapely import MultiPolygon, Polygon, affinity
from shapely.geometry.base import BaseGeometry

from tiler.errors import LimitError, PolygonError

Ring = NDArray[np.float64]
"""(n, 2) x and y, the last point the first again."""

_GEOD = Geod(ellps="WGS84")
_KM2 = 1e6
_DATE_LINE, _TURN, _POLE = 180.0, 360.0, 90.0
_FEWEST_POINTS = 4
# An edge is straight in longitude and latitude (RFC 7946, 3.1.1), which is no straight line in UTM.
# Cut into pieces of a thousandth of a degree the two are less than a millimetre apart.
_STRAIGHT_DEG = 0.001
_MOST_PIECES = 100_000
# How far from its central meridian a UTM zone is exact and no mask of it reaches.
_ZONE_REACH_DEG = 15.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a polygon may be."""

    vertices: int
    area_km2: float


@dataclass(frozen=True, slots=True)
class Area:
    """The polygon that a client asks about."""

    shape: BaseGeometry
    """Polygon or MultiPolygon in degrees, unwrapped."""
    km2: float
    """Geodesic area."""

    @classmethod
    def of(cls, geometry: object, limits: Limits) -> Self:
        """Read a GeoJSON Polygon or MultiPolygon.

        Rings that cross themselves are taken by the even-odd rule.

        Raises:
            PolygonError: It is none.
            LimitError: It has too many vertices, or is too large.
        """
        polygons = [
            [_unwrapped(ring) for ring in _rings(polygon)] for polygon in _polygons(geometry)
        ]
        vertices = sum(len(ring) for polygon in polygons for ring in polygon)
        if vertices > limits.vertices:
            raise LimitError("vertices of the polygon", vertices, limits.vertices)
        parts = [
            Polygon(shell, [_beside(hole, shell) for hole in holes]) for shell, *holes in polygons
        ]
        shape: BaseGeometry = parts[0] if len(parts) == 1 else MultiPolygon(parts)
        if not shape.is_valid:
            shape = _repaired(shape)
        km2 = abs(_GEOD.geometry_area_perimeter(shapely.orient_polygons(shape))[0]) / _KM2
        if km2 > limits.area_km2:
            raise LimitError("km2 of the polygon's area", round(km2, 1), limits.area_km2)
        return cls(shape, km2)

    @classmethod
    def of_box(cls, box: tuple[float, ...], limits: Limits) -> Self:
        """Take a STAC ``bbox``; west is greater than east where it crosses the antimeridian.

        Raises:
            PolygonError: It is none.
            LimitError: It is too large.
        """
        if len(box) not in {4, 6}:
            raise PolygonError(f"a bbox has 4 numbers or 6, not {len(box)}")
        half = len(box) // 2
        west, south, east, north = box[0], box[1], box[half], box[half + 1]
        if west > east:
            east += _TURN
        # Points in between, so that no edge could go the other way round the world.
        along = [west + part * (east - west) / 4 for part in range(5)]
        ring = [[x, south] for x in along] + [[x, north] for x in along[::-1]] + [[west, south]]
        return cls.of({"type": "Polygon", "coordinates": [ring]}, limits)

    def geojson(self) -> dict[str, Any]:
        """Give the polygon cut at the antimeridian, as RFC 7946 and PostGIS want it."""
        # PostGIS takes a flat polygon for a mistake, but not the line that it is.
        shape = self.shape if self.shape.is_valid else self.shape.convex_hull
        west, _, east, _ = shape.bounds
        if west >= -_DATE_LINE and east <= _DATE_LINE:
            return dict(shapely.geometry.mapping(shape))
        pieces = []
        for turn in (-_TURN, 0.0, _TURN):
            world = shapely.box(-_DATE_LINE + turn, -_POLE, _DATE_LINE + turn, _POLE)
            pieces += [
                affinity.translate(piece, -turn)
                for piece in shapely.get_parts(shapely.intersection(shape, world)).tolist()
                if not piece.is_empty
            ]
        return dict(shapely.geometry.mapping(shapely.union_all(pieces)))

    def rings(self, epsg: int) -> tuple[list[Ring], bool]:
        """Give all rings in the metres of a UTM zone; the even-odd rule says what is inside.

        Returns:
            The rings, and whether they are the whole polygon: what lies too far from the zone
            is cut off.
        """
        transformer, meridian = _zone(epsg)
        piece = max(_STRAIGHT_DEG, self.shape.length / _MOST_PIECES)
        zone = shapely.box(meridian - _ZONE_REACH_DEG, -_POLE, meridian + _ZONE_REACH_DEG, _POLE)
        rings, is_whole = [], True
        for polygon in _parts(shapely.segmentize(self.shape, piece)):
            west, _, east, _ = polygon.bounds
            # Into the turn of the world in which it is nearest to the zone.
            moved = _moved(polygon, round((meridian - (west + east) / 2) / _TURN) * _TURN)
            near: BaseGeometry = moved
            if not zone.contains(moved):
                near, is_whole = shapely.intersection(moved, zone), False
            for part in _parts(near):
                for ring in (part.exterior, *part.interiors):
                    x, y = transformer.transform(*shapely.get_coordinates(ring).T)
                    rings.append(np.column_stack([x, y]))
        return rings, is_whole


def _polygons(geometry: object) -> list[Any]:
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if not isinstance(geometry, Mapping) or kind not in {"Polygon", "MultiPolygon"}:
        raise PolygonError(
            f"wanted a GeoJSON Polygon or MultiPolygon, got {kind or geometry!r:.60}"
        )
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(polygons, list | tuple) or not polygons:
        raise PolygonError("its coordinates are no list of rings")
    return list(polygons)


def _rings(polygon: object) -> list[Ring]:
    if not isinstance(polygon, list | tuple) or not polygon:
        raise PolygonError("a polygon is a list of rings, and this one has none")
    return [_ring(ring) for ring in polygon]


def _ring(ring: object) -> Ring:
    try:
        points = np.array([[float(x), float(y)] for x, y, *_ in ring], np.float64)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise PolygonError("a ring is a list of [longitude, latitude]") from error
    if len(points) < _FEWEST_POINTS or (points[0] != points[-1]).any():
        raise PolygonError("a ring has four points or more, the last the same as the first")
    if not np.isfinite(points).all() or (np.abs(points) > [_TURN, _POLE]).any():
        raise PolygonError("coordinates are degrees: longitude first, then latitude from -90 to 90")
    return points


def _unwrapped(ring: Ring) -> Ring:
    """Undo the jumps at the antimeridian: of two ways round the world an edge takes the shorter."""
    longitudes = np.unwrap(ring[:, 0], period=_TURN)
    # Only what jumps is changed, so that all else stays the same to the last bit.
    turns = np.round((longitudes - ring[:, 0]) / _TURN) * _TURN
    if turns[0] != turns[-1]:
        raise PolygonError("a ring goes around a pole, where there are no masks")
    return ring + np.column_stack([turns, np.zeros(len(ring))])


def _beside(hole: Ring, shell: Ring) -> Ring:
    middle = (shell[:, 0].min() + shell[:, 0].max() - hole[:, 0].min() - hole[:, 0].max()) / 2
    turns = round(float(middle) / _TURN) * _TURN
    return np.column_stack([hole[:, 0] + turns, hole[:, 1]])


def _repaired(shape: BaseGeometry) -> BaseGeometry:
    polygons = [each for each in _parts(shapely.make_valid(shape)) if each.area]
    if polygons:
        return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)
    # A line drawn as a polygon: it has no inside, but pixels that it touches.
    return shape


def _parts(shape: BaseGeometry) -> list[Polygon]:
    """Give the polygons of a geometry; lines and points that an operation left are none."""
    flat = [each for part in shapely.get_parts(shape).tolist() for each in shapely.get_parts(part)]
    return [each for each in flat if isinstance(each, Polygon)]


def _moved(polygon: Polygon, east_deg: float) -> Polygon:
    return affinity.translate(polygon, east_deg) if east_deg else polygon


def central_meridian(epsg: int) -> float:
    """Give the longitude in the middle of a UTM zone."""
    return _zone(epsg)[1]


@lru_cache(maxsize=256)
def _zone(epsg: int) -> tuple[Transformer, float]:
    crs = CRS.from_epsg(epsg)
    area = crs.area_of_use
    meridian = (area.west + area.east) / 2 if area is not None else 0.0
    return Transformer.from_crs("OGC:CRS84", crs, always_xy=True), meridian
