"""What a client asks: a STAC search over a polygon, and conditions on what the masks say there."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tiler.clear.conditions import PREFIX, Condition, Order, split
from tiler.clear.polygons import Area, Limits
from tiler.errors import QuestionError

_STORED = ("collections", "ids", "datetime", "query")


class SortField(BaseModel):
    """One field of ``sortby``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str
    direction: Literal["asc", "desc"] = "asc"


class Place(BaseModel):
    """Which products, and where; the members of a STAC search that choose Items.

    A member that is not known is an error: a condition that is misspelt would else be none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    collections: list[str] | None = None
    ids: list[str] | None = None
    datetime: str | None = None
    """A time, or an interval such as ``2024-05-01T00:00:00Z/..``."""
    intersects: dict[str, Any] | None = None
    """GeoJSON Polygon or MultiPolygon."""
    bbox: list[float] | None = None
    """West, south, east, north, in place of ``intersects``."""
    filter: dict[str, Any] | None = None
    """CQL2 JSON; ``aoi:`` properties may be compared with numbers."""
    filter_lang: Literal["cql2-json"] | None = Field(default=None, alias="filter-lang")
    query: dict[str, Any] | None = None
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
        least = {"aoi:clear": self.min_clear, "aoi:coverage": self.min_coverage}
        bounds = [(name, bound) for name, bound in least.items() if bound is not None]

        def holds(row: Any) -> bool:  # noqa: ANN401 - Valued, told apart by its values only
            if own is not None and not own(row):
                return False
            values = ((row.value(name), bound) for name, bound in bounds)
            return all(value is not None and value >= bound for value, bound in values)

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
