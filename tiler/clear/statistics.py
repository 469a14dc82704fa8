"""Statistics of an Item or a mosaic of Items over many polygons at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from tiler.clear.acquisitions import Acquisition, common_lattice, merge
from tiler.clear.candidates import Candidate
from tiler.clear.coverage import Field
from tiler.clear.polygons import Area, Limits
from tiler.clear.rows import UNREADABLE, Sky
from tiler.errors import LimitError, MaskUnreadableError, NoMaskCogError, PolygonError


@dataclass(frozen=True, slots=True)
class Zone:
    """One feature of a client, and the polygon that it is."""

    feature: dict[str, Any]
    area: Area

    def answer(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Give the feature back with more properties."""
        own = self.feature.get("properties") or {}
        return {**self.feature, "properties": {**own, **properties}}


def zones_of(features: Sequence[dict[str, Any]], limits: Limits, most: int) -> list[Zone]:
    """Read the polygons of features; the limits hold for all of them together.

    Raises:
        PolygonError: A feature has none; the message says which.
        LimitError: They are too many or too large.
    """
    if len(features) > most:
        raise LimitError("features", len(features), most)
    zones, vertices, km2 = [], 0, 0.0
    for number, feature in enumerate(features):
        try:
            zone = Zone(feature, Area.of(feature.get("geometry"), limits))
        except PolygonError as error:
            raise PolygonError(f"features[{number}]: {error}") from error
        zones.append(zone)
        vertices += shapely.count_coordinates(zone.area.shape)
        km2 += zone.area.km2
    if vertices > limits.vertices:
        raise LimitError("vertices of all features", vertices, limits.vertices)
    if km2 > limits.area_km2:
        raise LimitError("km2 of all features", round(km2, 1), limits.area_km2)
    return zones


def around(zones: Sequence[Zone]) -> Area:
    """Give one geometry that meets all that any of the features meets."""
    # Hulls, which may overlap and be flat, and of which the union is simple.
    whole = shapely.union_all([zone.area.shape.convex_hull for zone in zones])
    return Area(whole, sum(zone.area.km2 for zone in zones))


def statistics(sky: Sky, zones: Sequence[Zone], products: Sequence[Candidate]) -> list[Any]:
    """Measure a mosaic within every feature.

    Args:
        sky: Looks at masks.
        zones: The features.
        products: Each pixel has the class of the first that has anything valid there.
    """
    return sky.mapped(lambda zone: _measured(sky, zone, products), zones)


def _measured(sky: Sky, zone: Zone, products: Sequence[Candidate]) -> dict[str, Any]:
    sky.work.left_s()
    field = Field(zone.area)
    near = [each for each in products if each.may_meet(zone.area.shape.bounds)]
    if not near:
        return zone.answer({"aoi:coverage": 0.0, "aoi:items": []})
    try:
        lattice = common_lattice(sky.meter, field, near)
        merged = merge(sky.meter, field, lattice, Acquisition(tuple(near)))
    except (MaskUnreadableError, NoMaskCogError):
        return zone.answer({"aoi:problem": UNREADABLE})
    items = [each.id for each in near]
    return zone.answer({**merged.fractions.properties(), "aoi:items": items})
