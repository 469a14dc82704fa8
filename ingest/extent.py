"""How far a Collection reaches in space and time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from typing import Any, Self

BBox = tuple[float, float, float, float]
"""West, south, east and north in degrees; west is greater than east across the antimeridian."""


def stamp(moment: datetime) -> str:
    """Write a time the one way that STAC, PostgreSQL and pypgstac's partition names agree on."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Extent:
    """A bounding box and the first and last time of what lies in it."""

    bbox: BBox
    first: datetime
    last: datetime

    @classmethod
    def of_item(cls, item: dict[str, Any]) -> Self:
        """Take the extent of one Item."""
        west, south, east, north = item["bbox"]
        moment = datetime.fromisoformat(item["properties"]["datetime"])
        return cls((west, south, east, north), moment, moment)

    @classmethod
    def of_collection(cls, collection: dict[str, Any]) -> Self:
        """Read back what ``to_stac`` wrote."""
        west, south, east, north = collection["extent"]["spatial"]["bbox"][0]
        first, last = collection["extent"]["temporal"]["interval"][0]
        return cls(
            (west, south, east, north),
            datetime.fromisoformat(first),
            datetime.fromisoformat(last),
        )

    @classmethod
    def around(cls, extents: Iterable[Self]) -> Self:
        """Reach around all of them; there must be one at least."""
        return reduce(cls.union, extents)

    def union(self, other: Self) -> Self:
        """Reach around both."""
        boxes = (self.bbox, other.bbox)
        # Around the antimeridian the whole circle is the one box that every client reads alike.
        crosses = any(west > east for west, _, east, _ in boxes)
        bbox = (
            -180.0 if crosses else min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            180.0 if crosses else max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        )
        return type(self)(bbox, min(self.first, other.first), max(self.last, other.last))

    def to_stac(self) -> dict[str, Any]:
        """Write the ``extent`` of a Collection."""
        return {
            "spatial": {"bbox": [list(self.bbox)]},
            "temporal": {"interval": [[stamp(self.first), stamp(self.last)]]},
        }
