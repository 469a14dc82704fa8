"""Timelines: how many Items there are of each day where somebody looks, and how clear they are."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from tiler.errors import BoxError
from tiler.mosaic import Box

if TYPE_CHECKING:
    from tiler.database import Pool
    from tiler.places import Places

router = APIRouter(tags=["Footprints"])

_TURN = 360.0
_EARTH: Box = (-180.0, -90.0, 180.0, 90.0)
# Places that lie in view as a whole are counted from the index alone; of those at its edge each
# footprint is looked at.
_QUERY = """
SELECT day::text, sum(items)::int, sum(clear) / nullif(sum(known), 0) FROM (
    SELECT (datetime AT TIME ZONE 'UTC')::date AS day, count(*) AS items, sum(clear) AS clear,
        count(clear) AS known
    FROM nimbostac.footprints JOIN unnest(%(within)s::text[], %(in_place)s::text[])
        AS cells(collection, place) USING (collection, place)
    GROUP BY day
    UNION ALL
    SELECT (datetime AT TIME ZONE 'UTC')::date, count(*), sum(clear), count(clear)
    FROM nimbostac.footprints JOIN unnest(%(across)s::text[], %(at_place)s::text[])
        AS cells(collection, place) USING (collection, place)
    WHERE outline && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
        OR outline && ST_MakeEnvelope(%(left)s, %(south)s, %(right)s, %(north)s, 4326)
    GROUP BY 1
) parts GROUP BY day ORDER BY day
"""


class Day(BaseModel):
    """A day on which something was sensed."""

    day: str
    """`YYYY-MM-DD`, UTC."""
    count: int
    clear: float | None
    """Mean share of clear sky, 0 to 1."""


class Timeline(BaseModel):
    """Days by time; those without anything are left out."""

    days: list[Day]


@router.get("/timeline")
def timeline(
    request: Request,
    collections: Annotated[
        str | None, Query(description="Collections, with commas between them; all if left out.")
    ] = None,
    bbox: Annotated[
        str | None,
        Query(
            description="West, south, east, north in degrees; east may lie beyond 180, or west be"
            " greater than east, across the antimeridian."
        ),
    ] = None,
) -> Timeline:
    """Count the Items of each day whose footprints lie in a box."""
    places: Places = request.app.state.places
    pool: Pool = request.app.state.dbpool
    chosen = tuple(filter(None, (collections or "").split(",")))
    box = _EARTH if bbox is None else _read(bbox)
    if not places.are_kept():
        return Timeline(days=[])
    within, across = [], []
    for cell in places.cells(chosen):
        turns = [_turned(cell.box, turn) for turn in (-_TURN, 0.0, _TURN)]
        if any(_holds(box, one) for one in turns):
            within.append(cell)
        elif any(_meets(box, one) for one in turns):
            across.append(cell)
    (west, east), (left, right) = _sides(box)
    values = {
        "within": [cell.collection for cell in within],
        "in_place": [cell.place for cell in within],
        "across": [cell.collection for cell in across],
        "at_place": [cell.place for cell in across],
        "west": west,
        "east": east,
        "left": left,
        "right": right,
        "south": box[1],
        "north": box[3],
    }
    with pool.connection() as connection:
        rows = connection.execute(_QUERY.encode(), values).fetchall()
    return Timeline(days=[Day(day=row[0], count=row[1], clear=row[2]) for row in rows])


def _read(text: str) -> Box:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise BoxError(text) from error
    if east < west:
        east += _TURN
    if not (-_TURN <= west <= east <= 2 * _TURN and south <= north):
        raise BoxError(text)
    return _EARTH if east - west >= _TURN else (west, south, east, north)


def _sides(box: Box) -> tuple[tuple[float, float], tuple[float, float]]:
    """Cut a box at the antimeridian; gives the same side twice where there is nothing to cut."""
    west, _, east, _ = box
    half = _TURN / 2
    if west < -half:
        return (-half, east), (west + _TURN, half)
    if east > half:
        return (west, half), (-half, east - _TURN)
    return (west, east), (west, east)


def _turned(box: Box, turn: float) -> Box:
    return box[0] + turn, box[1], box[2] + turn, box[3]


def _holds(one: Box, other: Box) -> bool:
    return one[0] <= other[0] and one[1] <= other[1] and one[2] >= other[2] and one[3] >= other[3]


def _meets(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]
