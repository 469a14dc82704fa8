"""The endpoints that compare two masks of one place."""

from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import AfterValidator
from rio_tiler.errors import TileOutsideBounds
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from tiler.answers import is_known, mark, not_modified, version_of
from tiler.clear.bounds import BoundedRoute
from tiler.clear.coverage import Field
from tiler.clear.desk import Desk
from tiler.clear.polygons import Area
from tiler.clear.pool import Work
from tiler.clear.searches import DeskOf
from tiler.compare.agreement import COLORS, TITLES, only, shown_of
from tiler.compare.counting import Comparison
from tiler.compare.pairs import Pair, PairOf
from tiler.compare.scenes import pairs, siblings
from tiler.draw import Classes
from tiler.errors import QuestionError, StyleError
from tiler.palette import class_png, palette_png
from tiler.rasters import AtHand, ColdError
from tiler.reader import check_size
from tiler.views import View, shared_sets, tile_view

router = APIRouter(prefix="/compare", tags=["Compare"], route_class=BoundedRoute)

PAIR = (
    "/collections/{collection_id}/items/{item_id}/with/{other_collection_id}/items/{other_item_id}"
)
_TILE = PAIR + "/tiles/{tileMatrixSetId}/{z}/{x}/{y}"
_PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}}
_SETS = shared_sets()
_NO_CONTENT = 204


def _known_set(identifier: str) -> str:
    if identifier not in _SETS.tilematrixsets:
        raise ValueError(f"there is no tile matrix set {identifier[:40]!r}")
    return identifier


SetId = Annotated[str, Path(alias="tileMatrixSetId"), AfterValidator(_known_set)]
Index = Annotated[int, Path(ge=0)]
Kinds = Annotated[str | None, Query(description="Only these, such as `only_a_cloud,only_b_cloud`.")]
TileSize = Annotated[int | None, Query(gt=0, description="Edge of the tile in pixels.")]


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


@router.get("/legend.json")
async def compare_legend() -> dict[str, Any]:
    """List what a pixel of an agreement tile may say, with its colour."""
    return {
        "classes": [
            {
                "value": kind.value,
                "name": kind.name.lower(),
                "title": title,
                "color": "#{:02X}{:02X}{:02X}".format(*COLORS[kind][:3]),
                "opacity": round(COLORS[kind][3] / 255, 3),
            }
            for kind, title in TITLES.items()
        ]
    }


@router.get("/items/{item_id}")
def compare_items(request: Request, item_id: str) -> dict[str, Any]:
    """List the Collections that hold a mask of a product, or of another product of its scene."""
    found = siblings(request.app.state.dbpool, item_id)
    base = _base(request)
    return {
        "id": item_id,
        "masks": [each.told(base) for each in found],
        "pairs": pairs(found, base),
    }


@router.get(PAIR, response_class=Response)
async def compare_pair(
    request: Request,
    pair: PairOf,
    desk: DeskOf,
    bbox: Annotated[str | None, Query(description="West, south, east, north.")] = None,
) -> Response:
    """Count pixels by what two masks say of them, everywhere or within a box."""
    made_of = version_of("confusion", pair.a.version, pair.b.version)
    if is_known(request, made_of):
        return not_modified(request, made_of)
    area = None if bbox is None else Area.of_box(_numbers(bbox), desk.limits)
    response = await _counted(request, pair, desk, area)
    mark(request, response, made_of)
    return response


@router.post(PAIR, response_class=Response)
async def compare_within(
    request: Request, pair: PairOf, desk: DeskOf, feature: Annotated[dict[str, Any], Body()]
) -> Response:
    """Count pixels within a GeoJSON Feature, or a Polygon or MultiPolygon without one."""
    geometry = feature.get("geometry") if feature.get("type") == "Feature" else feature
    return await _counted(request, pair, desk, Area.of(geometry, desk.limits))


async def _counted(request: Request, pair: Pair, desk: Desk, area: Area | None) -> Response:
    def work_on(work: Work) -> dict[str, Any]:
        field = None if area is None else Field(area)
        comparison = Comparison(request.app.state.rasters, *pair.masks, field)
        report = comparison.count(work).report()
        within = {} if area is None else {"intersects": area.geojson()}
        return {**pair.facts(), **report, "grids": comparison.grids, **within}

    found = await desk.pool.run(request, work_on)
    return Response(orjson.dumps(found), media_type="application/json")


@router.get(PAIR + "/{tileMatrixSetId}/tilejson.json", name="compare_tilejson")
def compare_tilejson(
    request: Request,
    pair: PairOf,
    tms_id: SetId,
    classes: Kinds = None,
    tilesize: TileSize = None,
) -> dict[str, Any]:
    """Describe the agreement tiles as TileJSON."""
    shown_of(classes)
    state = request.app.state
    zooms = pair.zooms(state.rasters, _SETS.get(tms_id), state.settings.max_image_px)
    west, south, east, north = pair.bounds()
    said = {"v": pair.made_of, "classes": classes, "tilesize": tilesize}
    query = "&".join(f"{name}={value}" for name, value in said.items() if value is not None)
    return {
        "tilejson": "3.0.0",
        "name": f"{pair.a.collection} and {pair.b.collection}: {pair.a.id}",
        "scheme": "xyz",
        "tiles": [f"{_base(request)}{pair.path}/tiles/{tms_id}/{{z}}/{{x}}/{{y}}.png?{query}"],
        "minzoom": zooms[0],
        "maxzoom": zooms[1],
        "bounds": [west, south, east, north],
        "center": [(west + east) / 2, (south + north) / 2, zooms[0]],
    }


@router.get(_TILE, response_class=Response, responses=_PNG)
# The nearest decorator is the first: the other would take a name's ending for its number.
@router.get(_TILE + ".{format}", response_class=Response, responses=_PNG)
async def compare_tile(  # noqa: PLR0913, PLR0917 - what a tile's address says
    request: Request,
    pair: PairOf,
    tms_id: SetId,
    z: Index,
    x: Index,
    y: Index,
    classes: Kinds = None,
    tilesize: TileSize = None,
    format: Literal["png", "pngraw"] = "png",  # noqa: A002 - as TiTiler calls it
) -> Response:
    """Draw where two masks agree."""
    shown = shown_of(classes)
    settings = request.app.state.settings
    check_size(tilesize or 0, tilesize or 0, settings.max_image_px)
    view = tile_view(_SETS.get(tms_id), x, y, z, tilesize)
    if view is None:
        raise StyleError(f"zoom {z} of {tms_id} has tiles of several widths, which are not drawn")
    made_of = pair.made_of
    if is_known(request, made_of):
        return not_modified(request, made_of)
    values = only(await _drawn(request, pair, view), shown)
    if settings.empty_status == _NO_CONTENT and not np.any(values):
        response = Response(status_code=_NO_CONTENT)
    else:
        response = Response(_png(values, view, format), media_type="image/png")
    mark(request, response, made_of)
    return response


async def _drawn(request: Request, pair: Pair, view: View) -> Classes | int:
    rasters = request.app.state.rasters
    try:
        drawn = pair.draw(AtHand(rasters), view)
    except ColdError:
        drawn = await run_in_threadpool(pair.draw, rasters, view)
    if drawn is None:
        raise TileOutsideBounds("the tile lies outside of one of the masks")
    return drawn


def _png(values: Classes | int, view: View, kind: str) -> bytes:
    if isinstance(values, int):
        return _plain(view.width, view.height, values, kind)
    return class_png(values) if kind == "pngraw" else palette_png(values, COLORS)


@lru_cache(maxsize=64)
def _plain(width: int, height: int, value: int, kind: str) -> bytes:
    values = np.full((height, width), value, np.uint8)
    return class_png(values) if kind == "pngraw" else palette_png(values, COLORS)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise QuestionError(f"bbox={text[:80]!r} is no list of numbers") from error
