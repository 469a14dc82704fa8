"""The endpoints that tell of a polygon's sky in other ways than Items."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tiler.clear import calendar
from tiler.clear.bounds import BoundedRoute
from tiler.clear.question import CoverSearch, Place, StatisticsSearch
from tiler.clear.searches import GEOJSON, DeskOf, json_response
from tiler.clear.timeseries import Series

router = APIRouter(tags=["Clear sky"], route_class=BoundedRoute)

_CSV, _SVG = "text/csv", "image/svg+xml"

TableFormat = Annotated[
    Literal["json", "csv"] | None, Query(description="Where `accept` does not say it.")
]
PictureFormat = Annotated[
    Literal["json", "svg"] | None, Query(description="Where `accept` does not say it.")
]


def _wants(request: Request, said: str | None, word: str, media_type: str) -> bool:
    return said == word or (said is None and media_type in request.headers.get("accept", ""))


@router.post("/timeseries", response_class=Response, responses={200: {"content": {_CSV: {}}}})
async def timeseries(
    request: Request, desk: DeskOf, place: Place, f: TableFormat = None
) -> Response:
    """Tell the shares of all classes, acquisition by acquisition, as JSON or CSV."""
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
    rows = await desk.pool.run(request, lambda work: desk.acquisitions(place, work))
    days = calendar.days_of(rows)
    if _wants(request, f, "svg", _SVG):
        return Response(calendar.svg(days, "Clear sky over the polygon"), media_type=_SVG)
    return json_response({"days": calendar.records(days)})


@router.post("/clear/cover")
async def cover(request: Request, desk: DeskOf, question: CoverSearch) -> Response:
    """Choose the fewest acquisitions that together see so much of the polygon clear."""
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
    features = await desk.pool.run(request, lambda work: desk.statistics(question, work))
    return json_response({"type": "FeatureCollection", "features": features}, GEOJSON)
