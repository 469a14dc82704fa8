"""The true footprint of a product, as GeoJSON that follows RFC 7946."""

from typing import Any

from shapely import make_valid
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon, box, mapping
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient
from shapely.ops import unary_union

_HALF_TURN = 180.0
_TURN = 360.0
_CORNERS = 3


def footprint(rings: list[list[tuple[float, float]]]) -> dict[str, Any]:
    """Turn rings into one valid geometry, cut where it crosses the antimeridian.

    Args:
        rings: (longitude, latitude) of each part's outline, degrees, closed or not.

    Returns:
        GeoJSON ``Polygon`` or ``MultiPolygon``, outer rings counter-clockwise.

    Raises:
        ValueError: A ring encloses no area, or lies off the globe.
    """
    merged = unary_union([_within_the_globe(_unrolled(ring)) for ring in rings])
    parts = _polygons(merged)
    if not parts:
        raise ValueError("the outline encloses no area")
    west, south, east, north = merged.bounds
    if west < -_HALF_TURN or east > _HALF_TURN or south < -90 or north > 90:  # noqa: PLR2004
        raise ValueError("the outline lies off the globe")
    turned = [orient(part) for part in parts]
    geometry = turned[0] if len(turned) == 1 else MultiPolygon(turned)
    written = mapping(geometry)
    return {"type": written["type"], "coordinates": _lists(written["coordinates"])}


def _unrolled(ring: list[tuple[float, float]]) -> BaseGeometry:
    """Make longitudes continuous: a step over half a turn is a step over the antimeridian."""
    if len(set(ring)) < _CORNERS:
        raise ValueError("the outline has fewer than three corners")
    unrolled = [ring[0]]
    for longitude, latitude in ring[1:]:
        step = (longitude - unrolled[-1][0] + _HALF_TURN) % _TURN - _HALF_TURN
        unrolled.append((unrolled[-1][0] + step, latitude))
    return make_valid(Polygon(unrolled))


def _within_the_globe(geometry: BaseGeometry) -> BaseGeometry:
    west, _, east, _ = geometry.bounds
    if west >= -_HALF_TURN and east <= _HALF_TURN:
        return geometry
    pieces = []
    for turn in (-_TURN, 0.0, _TURN):
        window = box(turn - _HALF_TURN, -90, turn + _HALF_TURN, 90)
        pieces.append(translate(geometry.intersection(window), -turn))
    return unary_union([part for piece in pieces for part in _polygons(piece)])


def _polygons(geometry: BaseGeometry) -> list[Polygon]:
    # make_valid leaves a line where a ring touches itself; a line is no area.
    parts = getattr(geometry, "geoms", [geometry])
    found: list[Polygon] = []
    for part in parts:
        if isinstance(part, Polygon):
            if part.area > 0:
                found.append(part)
        elif hasattr(part, "geoms"):
            found.extend(_polygons(part))
    return found


def _lists(value: Any) -> Any:  # noqa: ANN401
    # Tuples would come back from JSON as lists, and a record would not equal itself.
    return [_lists(part) for part in value] if isinstance(value, list | tuple) else value
