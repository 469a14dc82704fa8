"""Filters: which of the products that a source lists are wanted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from shapely import box, make_valid, prepare, union_all
from shapely.affinity import translate
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from producer.product import ProductName
from producer.tiles import tile_outline

_HALF_TURN = 180.0
_TURN = 360.0
_POLE = 90.0
_MARGIN = timedelta(days=1)
"""A folder may be named after the granule, sensed after midnight of the datatake's own day."""


class Reason(StrEnum):
    """Why something that a source lists is no work to do, in words for people."""

    NO_PRODUCT = "not named like a product"
    UNREADABLE = "folder cannot be read"
    ABSENT = "not where it should be"
    NO_ADDRESS = "source does not say where it lies"
    LEVEL = "other level"
    DATES = "outside the dates"
    TILE = "other tile"
    AREA = "outside the area"
    BASELINE = "baseline too old"
    CLOUD = "too much cloud"
    OLDER = "there is a newer baseline"
    CLOUD_UNKNOWN = "kept though its cloud cover is not told"
    """The one that is no loss: the product is worked on."""


class Acquisition(NamedTuple):
    """What products of one datatake, tile and level have in common, whatever their baseline."""

    platform: str
    level: str
    sensed: str
    orbit: int
    tile: str

    @classmethod
    def of(cls, name: ProductName) -> "Acquisition":
        """Take it from a name."""
        sensed = f"{name.sensed:%Y%m%dT%H%M%S}"
        return cls(name.platform, name.level, sensed, name.orbit, name.tile)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that a source lists."""

    name: ProductName
    source: str
    """Where it lies, as a worker sees it: a path or an address."""
    bytes: int | None = None
    """Size, where the source tells it."""
    cloud_cover: float | None = None
    """Per cent of the tile, where the source tells it."""
    geometry: Mapping[str, Any] | None = None
    """GeoJSON footprint, where the source tells it."""

    @property
    def product(self) -> str:
        """Name without ``.SAFE``: the id of its Item."""
        return str(self.name)


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked of a product; what is left open lets everything through."""

    start: date | None = None
    """First day of sensing, UTC."""
    end: date | None = None
    """Last day of sensing, itself included."""
    tiles: frozenset[str] = frozenset()
    """MGRS tiles without their ``T``."""
    area: BaseGeometry | None = None
    """Made by ``area_of`` or ``area_of_bbox``: cut at the antimeridian."""
    level: str | None = None
    baseline_min: str | None = None
    """With its dot, such as ``04.00``."""
    max_cloud: float | None = None
    """Per cent of the tile; a product whose source does not tell it is kept."""

    def judge(self, candidate: Candidate) -> Reason | None:
        """Say why a product is not wanted; ``None`` if it is, as far as one can see."""
        name = candidate.name
        reason = None
        if self.level is not None and name.level != self.level:
            reason = Reason.LEVEL
        elif not self._in_time(name.sensed.date()):
            reason = Reason.DATES
        elif self.tiles and name.tile not in self.tiles:
            reason = Reason.TILE
        elif self.baseline_min is not None and name.baseline < self.baseline_min.replace(".", ""):
            reason = Reason.BASELINE
        elif self.max_cloud is not None and (candidate.cloud_cover or 0.0) > self.max_cloud:
            reason = Reason.CLOUD
        elif self.area is not None and not self.area.intersects(_outline(candidate)):
            reason = Reason.AREA
        return reason

    def reaches(self, first: date, last: date) -> bool:
        """Tell whether a folder named after a span of days may hold anything that is wanted."""
        return (self.end is None or first <= self.end + _MARGIN) and (
            self.start is None or last >= self.start - _MARGIN
        )

    def _in_time(self, day: date) -> bool:
        return (self.start is None or day >= self.start) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Sifted:
    """What filters made of some candidates."""

    wanted: tuple[Candidate, ...]
    skipped: Counter[str] = field(default_factory=Counter)
    """How many fell to which ``Reason``."""


def sift(candidates: Iterable[Candidate], filters: Filters) -> Sifted:
    """Keep what is wanted, and of each acquisition the newest baseline only.

    Several products of one baseline are kept all: they may be parts of one pass.
    """
    skipped: Counter[str] = Counter()
    newest: dict[Acquisition, dict[str, Candidate]] = {}
    for candidate in candidates:
        reason = filters.judge(candidate)
        if reason is not None:
            skipped[reason] += 1
            continue
        held = newest.setdefault(Acquisition.of(candidate.name), {})
        best = max((one.name.baseline for one in held.values()), default="")
        if candidate.name.baseline < best:
            skipped[Reason.OLDER] += 1
            continue
        if candidate.name.baseline > best:
            skipped[Reason.OLDER] += len(held)
            held.clear()
        held[candidate.product] = candidate
    wanted = tuple(one for held in newest.values() for one in held.values())
    if filters.max_cloud is not None:
        skipped[Reason.CLOUD_UNKNOWN] += sum(one.cloud_cover is None for one in wanted)
    return Sifted(wanted, +skipped)


def area_of(geojson: Mapping[str, Any]) -> BaseGeometry:
    """Read a GeoJSON Polygon or MultiPolygon, WGS84, for ``Filters.area``.

    Longitudes may go on beyond 180 degrees where it crosses the antimeridian.

    Raises:
        ValueError: It is none, or lies off the globe.
    """
    try:
        found = make_valid(shape(dict(geojson)))
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no GeoJSON geometry: {error}") from error
    if found.is_empty or found.area == 0:
        raise ValueError(f"a {geojson.get('type')} encloses no area; wanted a polygon")
    west, south, east, north = found.bounds
    if south < -_POLE or north > _POLE or west < -_TURN or east > _TURN:
        raise ValueError("the polygon lies off the globe")
    return _within_a_turn(found)


def area_of_bbox(west: float, south: float, east: float, north: float) -> BaseGeometry:
    """Make an area of a box, degrees; west is greater than east across the antimeridian.

    Raises:
        ValueError: The box encloses no area, or lies off the globe.
    """
    if not (-_POLE <= south < north <= _POLE):
        raise ValueError(f"a box from {south} to {north} north; wanted -90 <= south < north <= 90")
    if not (-_TURN <= west <= _TURN and -_TURN <= east <= _TURN) or west == east:
        raise ValueError(f"a box from {west} to {east} east; wanted longitudes such as -180 to 180")
    if west > east:
        east += _TURN
    return _within_a_turn(box(west, south, min(east, west + _TURN), north))


def _within_a_turn(geometry: BaseGeometry) -> BaseGeometry:
    pieces = [
        translate(
            geometry.intersection(box(turn - _HALF_TURN, -_POLE, turn + _HALF_TURN, _POLE)), -turn
        )
        for turn in (-_TURN, 0.0, _TURN)
    ]
    area: BaseGeometry = union_all(pieces)
    prepare(area)
    return area


def _outline(candidate: Candidate) -> BaseGeometry:
    if candidate.geometry is not None:
        try:
            return make_valid(shape(dict(candidate.geometry)))
        except (ShapelyError, ValueError, TypeError, KeyError, AttributeError):
            pass
    try:
        return tile_outline(candidate.name.tile)
    except ValueError:
        # A tile that nobody can place is nowhere.
        return box(0, 0, 0, 0).buffer(-1)
