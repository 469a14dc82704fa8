"""The endpoints that tell of a polygon's sky in other ways than Items."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from tiler.clear import calendar
from tiler.clear.bounds import BoundedRoute
from tiler.clear.desk import Desk
from tiler.clear.question import CoverSearch, Place, StatisticsSearch
from tiler.clear.searches import (
    GEOJSON,
    Asked,
    DeskOf,
    MinClear,
    MinCoverage,
    json_response,
    read,
)
from tiler.clear.timeseries import Series

router = APIRouter(tags=["Clear sky"], route_class=BoundedRoute)

_CSV, _SVG = "text/csv", "image/svg+xml"

TableFormat = Annotated[
    Literal["json", "csv"] | None, Query(description="Where `accept` does not say it.")
]
PictureFormat = Annotated[
    Literal["json", "svg"] | None, Query(description="Where `accept` does not say it.")
]


async def place_of(
    said: Asked, min_clear: MinClear = None, min_coverage: MinCoverage = None
) -> dict[str, Any]:
    """Take a place and which products from the address, for who has no body."""
    more = {"min_clear": min_clear, "min_coverage": min_coverage}
    return {**said, **{name: value for name, value in more.items() if value is not None}}


PlaceSaid = Annotated[dict[str, Any], Depends(place_of)]


def _wants(request: Request, said: str | None, word: str, media_type: str) -> bool:
    return said == word or (said is None and media_type in request.headers.get("accept", ""))


@router.post("/timeseries", response_class=Response, responses={200: {"content": {_CSV: {}}}})
async def timeseries(
    request: Request, desk: DeskOf, place: Place, f: TableFormat = None
) -> Response:
    """Tell the shares of all classes, acquisition by acquisition, as JSON or CSV."""
    return await _timeseries(request, desk, place, f)


@router.get("/timeseries", response_class=Response, responses={200: {"content": {_CSV: {}}}})
async def get_timeseries(
    request: Request, desk: DeskOf, said: PlaceSaid, f: TableFormat = None
) -> Response:
    """Tell the same of a bbox, or a polygon in the address."""
    return await _timeseries(request, desk, read(Place, said), f)


async def _timeseries(request: Request, desk: Desk, place: Place, f: str | None) -> Response:
    rows = await desk.pool.run(request, lambda work: desk.acquisitions(place, work))
    series = Series.of(rows)
    if _wants(request, f, "csv", _CSV):
        return Response(series.csv(), media_type=_CSV)
    return json_response({"acquisitions": series.records()})


@router.post("/clear/calendar", response_class=Response, responses={200: {"content": {_SVG: {}}}})
async def clear_calendar(
    request: Request, desk: DeskOf, place: Place, f: PictureFormat = None
) -> Response:
    """Tell for each day how much of the polygon was seen clear, as JSON or a heat map in SVG."""
    return await _calendar(request, desk, place, f)


@router.get("/clear/calendar", response_class=Response, responses={200: {"content": {_SVG: {}}}})
async def get_clear_calendar(
    request: Request, desk: DeskOf, said: PlaceSaid, f: PictureFormat = None
) -> Response:
    """Tell the same of a bbox, or a polygon in the address."""
    return await _calendar(request, desk, read(Place, said), f)


async def _calendar(request: Request, desk: Desk, place: Place, f: str | None) -> Response:
    rows = await desk.pool.run(request, lambda work: desk.acquisitions(place, work))
    days = calendar.days_of(rows)
    if _wants(request, f, "svg", _SVG):
        return Response(calendar.svg(days, "Clear sky over the polygon"), media_type=_SVG)
    return json_response({"days": calendar.records(days)})


@router.post("/clear/cover")
async def cover(request: Request, desk: DeskOf, question: CoverSearch) -> Response:
    """Choose the fewest acquisitions that together see so much of the polygon clear."""
    return await _cover(request, desk, question)


@router.get("/clear/cover")
async def get_cover(
    request: Request,
    desk: DeskOf,
    said: PlaceSaid,
    share: Annotated[float | None, Query(description="How much is to be seen clear.")] = None,
    most: Annotated[int | None, Query(description="Acquisitions at most.")] = None,
) -> Response:
    """Choose the same for a bbox, or a polygon in the address."""
    more = {"share": share, "most": most}
    given = {name: value for name, value in more.items() if value is not None}
    return await _cover(request, desk, read(CoverSearch, {**said, **given}))


async def _cover(request: Request, desk: Desk, question: CoverSearch) -> Response:
    steps = await desk.pool.run(request, lambda work: desk.cover(question, work))
    return json_response(
        {
            "share": question.share,
            "achieved": steps[-1].achieved if steps else 0.0,
            "error": max((step.row.fractions.error for step in steps), default=0.0),
            "acquisitions": [
                {
                    "datetime": step.row.datetime,
                    "collection": step.row.first.collection,
                    "acquisition": step.row.acquisition,
                    "items": [product.id for product in step.row.products],
                    "adds": step.adds,
                    "achieved": step.achieved,
                }
                for step in steps
            ],
        }
    )


@router.post(
    "/clear/statistics", response_class=Response, responses={200: {"content": {GEOJSON: {}}}}
)
async def clear_statistics(request: Request, desk: DeskOf, question: StatisticsSearch) -> Response:
    """Tell the shares of all classes within many features, of an Item or of a mosaic of Items.

    In a mosaic each pixel has the class that the latest product with anything valid gives it.
    """
    return await _statistics(request, desk, question)


@router.get(
    "/clear/statistics", response_class=Response, responses={200: {"content": {GEOJSON: {}}}}
)
async def get_clear_statistics(request: Request, desk: DeskOf, said: Asked) -> Response:
    """Tell the same within a bbox, or a polygon in the address."""
    place = read(Place, said)
    geometry = place.intersects or desk.area(place).geojson()
    feature = {"type": "Feature", "properties": {}, "geometry": geometry}
    features = {"type": "FeatureCollection", "features": [feature]}
    chosen = {name: value for name, value in said.items() if name not in {"bbox", "intersects"}}
    return await _statistics(
        request, desk, read(StatisticsSearch, {**chosen, "features": features})
    )


async def _statistics(request: Request, desk: Desk, question: StatisticsSearch) -> Response:
    features = await desk.pool.run(request, lambda work: desk.statistics(question, work))
    return json_response({"type": "FeatureCollection", "features": features}, GEOJSON)
