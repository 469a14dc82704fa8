"""Footprints of Items as vector tiles, straight from PostGIS."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request
from psycopg import sql
from starlette.responses import Response

from tiler.searches import wanted

if TYPE_CHECKING:
    from tiler.mosaic import Mosaics

router = APIRouter(tags=["Footprints"])

MOST = 5000
"""Most footprints in one tile; the first in the order asked for."""

_MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
_EXTENT = 4096
_FLAT = "ST_MakeEnvelope(-180, -85.05, 180, 85.05, 4326)"
"""What Web Mercator can show."""

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
    """Draw the footprints of a WebMercatorQuad tile: layer ``footprints``."""
    del ids, datetime, sortby, filter_, filter_lang  # read from the query as for a mosaic
    mosaics: Mosaics = request.app.state.mosaics
    chosen = tuple(filter(None, (collections or "").split(",")))
    where, order = mosaics.conditions.get((chosen, wanted(request.query_params)))
    if x >= 2**z or y >= 2**z:
        return Response(b"", media_type=_MEDIA_TYPE)
    query = sql.SQL(
        "WITH tile AS (SELECT ST_TileEnvelope({z}, {x}, {y}) AS box),"
        " shown AS (SELECT id, collection, datetime, content, geometry FROM items, tile"
        " WHERE ({where}) AND geometry && ST_Transform(tile.box, 4326)"
        " ORDER BY {order} LIMIT {most}),"
        # Once each: to unpack the content of an Item takes longer than all else done with it.
        " told AS MATERIALIZED (SELECT id, collection, datetime, geometry,"
        " content->'properties' AS properties FROM shown),"
        " drawn AS MATERIALIZED (SELECT id, collection,"
        " to_char(datetime AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS datetime,"
        " (properties->>'eo:cloud_cover')::float AS cloud_cover,"
        " (properties->>'nimbostac:clear')::float AS clear,"
        " properties->>'grid:code' AS grid,"
        # What is too small to have an area in this tile is a point.
        " COALESCE(ST_AsMVTGeom(plane, tile.box, {extent}, 64),"
        " ST_AsMVTGeom(ST_Centroid(plane), tile.box, {extent}, 64)) AS geom"
        " FROM told, tile, LATERAL (SELECT ST_Transform(CASE WHEN geometry @ {flat} THEN geometry"
        " ELSE ST_Intersection(geometry, {flat}) END, 3857) AS plane OFFSET 0) AS flattened)"
        " SELECT ST_AsMVT(drawn, 'footprints', {extent}, 'geom') FROM drawn WHERE geom IS NOT NULL"
    ).format(
        **{name: sql.Literal(value) for name, value in {"x": x, "y": y, "z": z}.items()},
        where=sql.SQL(where),
        order=sql.SQL(order),
        most=sql.Literal(MOST),
        extent=sql.Literal(_EXTENT),
        flat=sql.SQL(_FLAT),
    )
    with request.app.state.dbpool.connection() as connection:
        row = connection.execute(query).fetchone()
    return Response(bytes(row[0]) if row and row[0] else b"", media_type=_MEDIA_TYPE)
