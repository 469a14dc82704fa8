"""Footprints of Items as vector tiles, straight from PostGIS."""

from hashlib import sha256
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request
from psycopg import sql
from starlette.responses import Response

from tiler.answers import is_known, mark, not_modified
from tiler.dates import interval
from tiler.places import Drawn, Places, TileOfPlaces
from tiler.searches import FILTERS, wanted

if TYPE_CHECKING:
    from tiler.mosaic import Mosaics

router = APIRouter(tags=["Footprints"])

MOST = 5000
"""Most footprints in one tile; the first in the order asked for."""
FAR = 7
"""Deepest zoom at which the newest Item of a place stands for all of them."""

_MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
_EXTENT = 4096
# With anything else the newest of a place need not be among those that are asked for.
_SIMPLE = {"datetime"}

Zoom = Annotated[int, Path(ge=0, le=24)]
Index = Annotated[int, Path(ge=0)]


@router.get("/footprints/{z}/{x}/{y}.pbf", response_class=Response)
def footprints(  # noqa: PLR0913, PLR0917 - what a search may say
    request: Request,
    z: Zoom,
    x: Index,
    y: Index,
    collections: Annotated[
        str | None, Query(description="Collections, with commas between them; all if left out.")
    ] = None,
    ids: Annotated[str | None, Query(description="Item ids")] = None,
    datetime: Annotated[str | None, Query(description="Time, interval or days")] = None,
    sortby: Annotated[str | None, Query(description="Such as `-datetime`")] = None,
    filter_: Annotated[str | None, Query(alias="filter", description="CQL2")] = None,
    filter_lang: Annotated[str | None, Query(alias="filter-lang")] = None,
) -> Response:
    """Draw the footprints of a WebMercatorQuad tile: layer ``footprints``.

    Up to zoom 7, unless a filter, ids or another order is asked for, there is one for each place
    and Collection: that of the newest Item, with the `count` of all and their `mean_cloud_cover`.
    Deeper there is one for each Item. `Nimbostac-Footprints` says how many were left out.
    """
    del ids, sortby, filter_, filter_lang  # read from the query as for a mosaic
    chosen = tuple(filter(None, (collections or "").split(",")))
    if x >= 2**z or y >= 2**z:
        drawn, left_out = Drawn(b"", 0, 0), "0"
    elif z <= FAR and _is_simple(request) and _places(request).are_kept():
        first, last = _ends(datetime)
        tile = TileOfPlaces(z, x, y, tuple(sorted(chosen)), first, last)
        drawn, left_out = _places(request).tiles.get(tile), "0"
    else:
        drawn = _each(request, (z, x, y), chosen)
        left_out = "more than were looked for" if drawn.items > MOST else "0"
    made_of = sha256(drawn.content).hexdigest()[:20]
    if is_known(request, made_of):
        return not_modified(request, made_of)
    response = Response(drawn.content, media_type=_MEDIA_TYPE)
    items = min(drawn.items, MOST) if left_out != "0" else drawn.items
    response.headers["Nimbostac-Footprints"] = (
        f"shown={drawn.features}, items={items}, left-out={left_out}"
    )
    mark(request, response, made_of)
    return response


def _places(request: Request) -> Places:
    places: Places = request.app.state.places
    return places


def _is_simple(request: Request) -> bool:
    said = {name for name in FILTERS if request.query_params.get(name)}
    return said <= _SIMPLE or (
        said <= _SIMPLE | {"sortby"} and request.query_params["sortby"] == "-datetime"
    )


def _ends(datetime: str | None) -> tuple[str, str]:
    first, slash, last = (interval(datetime or None) or "../..").partition("/")
    last = last if slash else first
    return "-infinity" if first == ".." else first, "infinity" if last == ".." else last


def _each(request: Request, tile: tuple[int, int, int], chosen: tuple[str, ...]) -> Drawn:
    """Draw the footprint of every Item, up to a number; ``items`` is one more where it is cut."""
    mosaics: Mosaics = request.app.state.mosaics
    where, order = mosaics.conditions.get((chosen, wanted(request.query_params)))
    z, x, y = tile
    query = sql.SQL(
        "WITH tile AS MATERIALIZED (SELECT box, ST_Transform(box, 4326) AS area"
        " FROM ST_TileEnvelope({z}, {x}, {y}) AS box),"
        " found AS MATERIALIZED (SELECT id, collection, datetime, content->'properties' AS said,"
        " geometry, row_number() OVER () AS position FROM (SELECT * FROM items, tile"
        " WHERE ({where}) AND geometry && tile.area ORDER BY {order} LIMIT {most} + 1) found),"
        " drawn AS (SELECT id, collection,"
        " to_char(datetime AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS datetime,"
        " (said->>'nimbostac:clear')::float AS clear,"
        " (said->>'eo:cloud_cover')::float AS cloud_cover, said->>'grid:code' AS grid,"
        # What is too small to have an area in this tile is a point.
        " coalesce(ST_AsMVTGeom(plane, tile.box, {extent}, 64),"
        " ST_AsMVTGeom(ST_Centroid(plane), tile.box, {extent}, 64)) AS geom"
        " FROM found, tile, LATERAL (SELECT ST_Transform(CASE"
        " WHEN ST_YMin(geometry) > -85.05 AND ST_YMax(geometry) < 85.05 THEN geometry"
        " ELSE ST_Intersection(geometry, ST_MakeEnvelope(-180, -85.05, 180, 85.05, 4326)) END,"
        " 3857) AS plane OFFSET 0) flattened WHERE position <= {most})"
        " SELECT ST_AsMVT(drawn, 'footprints', {extent}, 'geom'), count(*),"
        " (SELECT count(*) FROM found) FROM drawn WHERE geom IS NOT NULL"
    ).format(
        **{name: sql.Literal(value) for name, value in {"x": x, "y": y, "z": z}.items()},
        where=sql.SQL(where),
        order=sql.SQL(order),
        most=sql.Literal(MOST),
        extent=sql.Literal(_EXTENT),
    )
    with request.app.state.dbpool.connection() as connection:
        row = connection.execute(query).fetchone()
    return Drawn(bytes(row[0] or b""), row[1], row[2]) if row else Drawn(b"", 0, 0)
