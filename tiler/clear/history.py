"""What class was at one point, on every date: pages of it, however many dates there are."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from pyproj import Transformer
from starlette.responses import Response

from producer.classes import CLASSES, MaskClass
from tiler.clear.candidates import After, Candidate
from tiler.clear.coverage import CLASS_OF
from tiler.clear.pool import Work
from tiler.clear.question import Selection
from tiler.clear.rows import UNREADABLE
from tiler.clear.searches import DeskOf, json_response, words
from tiler.dates import interval
from tiler.errors import MaskUnreadableError, NoMaskCogError, QuestionError
from tiler.rasters import Rasters

router = APIRouter(tags=["Clear sky"])

MOST = 1000
"""Most dates of one page."""

_NAMES = {info.value.value: info.name for info in CLASSES}
_CHUNK = 16


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the ground, in degrees."""

    lon: float
    lat: float

    @classmethod
    def parse(cls, text: str) -> "Point":
        """Read ``longitude,latitude``.

        Raises:
            QuestionError: It is none.
        """
        try:
            lon, lat = (float(part) for part in text.split(","))
        except ValueError as error:
            raise QuestionError(f"{text[:40]!r} is no longitude,latitude") from error
        if not (math.isfinite(lon) and abs(lon) <= 180 and abs(lat) <= 90):  # noqa: PLR2004
            raise QuestionError(f"{text[:40]!r} is no longitude,latitude in degrees")
        return cls(lon, lat)

    def geojson(self) -> dict[str, Any]:
        """Give it as PostGIS wants it."""
        return {"type": "Point", "coordinates": [self.lon, self.lat]}

    def class_in(self, rasters: Rasters, product: Candidate) -> int:
        """Give the class of the pixel of a mask that it lies in; no data beyond the mask.

        Raises:
            MaskUnreadableError: Storage does not give the mask.
            NoMaskCogError: The file is no mask of ours.
        """
        cog = rasters.open(product.mask)
        level = cog.levels[0]
        x, y = _metres(cog.epsg).transform(self.lon, self.lat)
        column = (x - cog.west) / cog.resolution_m
        row = (cog.north - y) / cog.resolution_m
        if not (0 <= row < level.height and 0 <= column < level.width):
            return MaskClass.NO_DATA
        (down, inner_row), (across, inner_column) = (
            divmod(math.floor(row), level.block_height),
            divmod(math.floor(column), level.block_width),
        )
        numbers = [down * level.across + across]
        (block,) = rasters.blocks(product.mask.href, cog, 0, numbers)
        value = block if isinstance(block, int) else block[inner_row, inner_column]
        return int(np.take(CLASS_OF, value))


@router.get("/history/{lon},{lat}", response_class=Response)
async def history(  # noqa: PLR0913, PLR0917 - what a search may say
    request: Request,
    desk: DeskOf,
    lon: Annotated[str, Path(description="Longitude")],
    lat: Annotated[str, Path(description="Latitude")],
    collections: Annotated[
        str | None, Query(description="Ids, with commas; all if left out.")
    ] = None,
    datetime: Annotated[str | None, Query(description="Time, interval or days")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Dates of a page.")] = 500,
    token: Annotated[str | None, Query(description="Of a `next` link.")] = None,
) -> Response:
    """Tell what class is at a point, mask by mask, the latest first."""
    point = Point.parse(f"{lon},{lat}")
    selection = Selection(collections=words(collections), datetime=interval(datetime))
    search = {**selection.model_dump(exclude_none=True), "intersects": point.geojson()}
    after = After.parse(token) if token else None

    def work_on(work: Work) -> tuple[list[dict[str, Any]], list[Candidate]]:
        products = desk.catalogue.page(search, after, limit + 1, work.left_s())
        shown = products[:limit]
        chunks = [shown[start : start + _CHUNK] for start in range(0, len(shown), _CHUNK)]
        rasters = request.app.state.rasters
        told = work.map(lambda chunk: [_told(point, rasters, one) for one in chunk], chunks)
        return [each for chunk in told for each in chunk], products

    values, products = await desk.pool.run(request, work_on)
    answer: dict[str, Any] = {"lon": point.lon, "lat": point.lat, "values": values, "links": []}
    if len(products) > limit:
        following = After.of(products[limit - 1]).token()
        address = request.url.include_query_params(token=following)
        link = {"rel": "next", "href": str(address), "type": "application/json"}
        answer["links"].append(link)
    return json_response(answer)


def _told(point: Point, rasters: Rasters, product: Candidate) -> dict[str, Any]:
    facts = {
        "datetime": product.properties.get("datetime"),
        "collection": product.collection,
        "item": product.id,
    }
    try:
        value = point.class_in(rasters, product)
    except (MaskUnreadableError, NoMaskCogError):
        return {**facts, "value": None, "class": None, "problem": UNREADABLE}
    return {**facts, "value": value, "class": _NAMES[value]}


@lru_cache(maxsize=256)
def _metres(epsg: int) -> Transformer:
    return Transformer.from_crs("OGC:CRS84", epsg, always_xy=True)
