"""What a client asks: a STAC search over a polygon, and conditions on what the masks say there."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tiler.clear.conditions import PREFIX, Condition, Order, Valued, split
from tiler.clear.polygons import Area, Limits
from tiler.errors import QuestionError

_STORED = ("collections", "ids", "datetime", "query")


class SortField(BaseModel):
    """One field of ``sortby``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str
    direction: Literal["asc", "desc"] = "asc"


class Selection(BaseModel):
    """Which products; the members of a STAC search that choose Items, but for the place.

    A member that is not known is an error: a condition that is misspelt would else be none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    collections: list[str] | None = None
    ids: list[str] | None = None
    datetime: str | None = None
    """A time, or an interval such as ``2024-05-01T00:00:00Z/..``."""
    filter: dict[str, Any] | None = None
    """CQL2 JSON."""
    filter_lang: Literal["cql2-json"] | None = Field(default=None, alias="filter-lang")
    query: dict[str, Any] | None = None

    def stored(self, area: Area) -> dict[str, Any]:
        """Give the STAC search that the database answers.

        Raises:
            QuestionError: The filter mixes what the database knows with what it does not.
        """
        search = {name: getattr(self, name) for name in _STORED}
        search["filter"], _ = split(self.filter)
        given = {name: value for name, value in search.items() if value is not None}
        return {**given, "intersects": area.geojson()}

    def condition(self) -> Condition:
        """Give what the masks must say.

        Raises:
            QuestionError: The filter cannot be answered.
        """
        _, own = split(self.filter)
        return own or (lambda _: True)


class Place(Selection):
    """Which products, and a polygon; in a filter, ``aoi:`` properties may be compared too."""

    intersects: dict[str, Any] | None = None
    """GeoJSON Polygon or MultiPolygon."""
    bbox: list[float] | None = None
    """West, south, east, north, in place of ``intersects``."""
    min_clear: float | None = Field(default=None, ge=0, le=1)
    """Least ``aoi:clear``."""
    min_coverage: float | None = Field(default=None, ge=0, le=1)
    """Least ``aoi:coverage``."""

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if (self.intersects is None) == (self.bbox is None):
            raise ValueError("say where: one of intersects and bbox")
        return self

    def area(self, limits: Limits) -> Area:
        """Read the polygon.

        Raises:
            PolygonError: It is none.
            LimitError: It is too large.
        """
        if self.bbox is not None:
            return Area.of_box(tuple(self.bbox), limits)
        return Area.of(self.intersects, limits)

    def condition(self) -> Condition:
        """Give what the masks must say.

        Raises:
            QuestionError: The filter cannot be answered.
        """
        own = super().condition()
        least = {"aoi:clear": self.min_clear, "aoi:coverage": self.min_coverage}
        bounds = [(name, bound) for name, bound in least.items() if bound is not None]

        def holds(row: Valued) -> bool:
            values = ((row.value(name), bound) for name, bound in bounds)
            return own(row) and all(value is not None and value >= bound for value, bound in values)

        return holds


class ClearSearch(Place):
    """A search for Items, or acquisitions, by the sky over a polygon."""

    sortby: list[SortField] = []
    limit: int = Field(default=100, ge=1, le=1000)
    """Items of a page."""
    token: str | None = None
    """Of a ``next`` link."""
    group: Literal["acquisition"] | None = None
    """Merge the products of one datatake."""
    best: int | None = Field(default=None, ge=1, le=1000)
    """Only so many acquisitions, those that saw most of the polygon clear."""

    @model_validator(mode="after")
    def _is_one_order(self) -> Self:
        if self.best is not None and self.sortby:
            raise ValueError("best has an order of its own; say best or sortby")
        return self

    @property
    def is_grouped(self) -> bool:
        """Whether rows are acquisitions, not products."""
        return self.group is not None or self.best is not None

    def order(self) -> Order:
        """Give the order of the rows; the latest first where nothing else is said."""
        if self.best is not None:
            fields = [("aoi:clear_seen", True)]
        else:
            fields = [
                (each.field.removeprefix("properties."), each.direction == "desc")
                for each in self.sortby
            ]
        unknown = [name for name, _ in fields if name.startswith(PREFIX) and name not in OWN]
        if unknown:
            raise QuestionError(f"sortby: {unknown[0]} is none of {', '.join(OWN)}")
        return Order((*fields, ("datetime", True), ("collection", False), ("id", False)))


class CoverSearch(Place):
    """A question for the smallest set of acquisitions that see a polygon clear."""

    share: float = Field(default=0.95, gt=0, le=1)
    """How much of the polygon is to be seen clear."""
    most: int | None = Field(default=None, ge=1)
    """How many acquisitions at most."""


class FeatureCollection(BaseModel):
    """GeoJSON features, each a Polygon or MultiPolygon."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]] = Field(min_length=1)


class StatisticsSearch(Selection):
    """Which products, as in a search, and the features to measure them in."""

    features: FeatureCollection

    @model_validator(mode="after")
    def _is_of_products(self) -> Self:
        if split(self.filter)[1] is not None:
            raise ValueError(f"filter: no product has {PREFIX} properties before it is measured")
        return self


OWN = (
    "aoi:clear",
    "aoi:cloud_shadow",
    "aoi:semi_transparent",
    "aoi:cloud",
    "aoi:missing",
    "aoi:coverage",
    "aoi:clear_seen",
    "aoi:pixels",
    "aoi:error",
)
"""Properties that answers are ordered and chosen by."""
