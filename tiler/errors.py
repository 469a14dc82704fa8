"""What can go wrong when a tile is drawn, and how HTTP calls it.

::

    TilerError (titiler)
    ├── ItemNotFoundError      an Item that pgstac does not hold
    ├── ProductNotFoundError   a product of which no Collection holds a mask
    ├── NoMaskError            an Item without a mask
    ├── CrsNameError           a coordinate system that is not named by authority and code
    ├── ImageSizeError         an image larger than the server draws
    ├── ApartError             two masks that have no place in common
    ├── ClearError             a question about a polygon that is not answered
    │   ├── PolygonError       a geometry that is no polygon
    │   ├── QuestionError      a part of the question that cannot be
    │   ├── LimitError         more than the server does for one request
    │   ├── BusyError          more requests at once than the server works on
    │   ├── GoneError          a client that went away
    │   └── CatalogueAwayError a database that does not answer
    ├── StyleError             a class or distance that there is not
    ├── FilterError            a CQL2 filter that cannot be read
    ├── BoxError               a box that is none
    ├── NoMaskCogError         a file that is no mask of ours; GDAL may still read it
    └── MaskUnreadableError    a mask that storage does not give
"""

import logging
from collections.abc import Mapping

from fastapi import FastAPI
from psycopg import Error as DatabaseError
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from pydantic import ValidationError
from rasterio.errors import RasterioError
from rio_tiler.errors import PointOutsideBounds, RioTilerError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from titiler.core.errors import DEFAULT_STATUS_CODES, TilerError
from titiler.mosaic.errors import MOSAIC_STATUS_CODES
from titiler.pgstac.errors import PGSTAC_STATUS_CODES

logger = logging.getLogger(__name__)


class ItemNotFoundError(TilerError):
    """An Item that pgstac does not hold."""

    def __init__(self, collection: str, item: str) -> None:
        super().__init__(f"no Item {item!r} in Collection {collection!r}")


class ProductNotFoundError(TilerError):
    """A product of which no Collection holds a mask."""

    def __init__(self, product: str) -> None:
        super().__init__(f"no Collection holds a mask of {product!r}")


class NoMaskError(TilerError):
    """An Item without a mask."""

    def __init__(self, collection: str, item: str) -> None:
        super().__init__(f"Item {item!r} in Collection {collection!r} has no mask")


class ApartError(TilerError):
    """Two masks that have no place in common."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"the masks of {one!r} and {other!r} have no place in common")


class CrsNameError(TilerError):
    """A coordinate system that is not named by authority and code."""

    def __init__(self, parameter: str, text: str) -> None:
        super().__init__(
            f"{parameter}={text!r} names no coordinate system; wanted an authority and a code"
            " such as EPSG:3857, or its opengis.net URI or URN"
        )


class ImageSizeError(TilerError):
    """An image larger than the server draws."""

    def __init__(self, width: float, height: float, limit: int) -> None:
        super().__init__(
            f"an image of {width:.0f} x {height:.0f} px is too large; at most {limit} x {limit} px:"
            " ask for less, or say max_size"
        )


class ClearError(TilerError):
    """A question about a polygon that is not answered."""


class PolygonError(ClearError):
    """A geometry that is no polygon."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"intersects is no polygon: {problem}")


class QuestionError(ClearError):
    """A part of the question that cannot be."""


class LimitError(ClearError):
    """More than the server does for one request."""

    def __init__(self, what: str, got: float | str, limit: float) -> None:
        super().__init__(f"too much for one request: {what}: {got}, and at most {limit:g}")


class BusyError(ClearError):
    """More requests at once than the server works on."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} requests about polygons wait already; try again soon")


class StyleError(TilerError):
    """A class or distance that there is not."""


class GoneError(ClearError):
    """A client that went away; nobody is there to be told."""


class FilterError(TilerError):
    """A CQL2 filter that cannot be read."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f'filter={text[:80]!r} is no CQL2; wanted such as "eo:cloud_cover" < 20,'
            " or JSON with filter-lang=cql2-json"
        )


class CatalogueAwayError(ClearError):
    """A database that does not answer, where nobody but a person asks."""

    def __init__(self) -> None:
        super().__init__(
            "the database does not answer; the PG* variables name it, or start the stack with"
            " `nimbostac up`"
        )


class BoxError(TilerError):
    """A box that is none."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no box; wanted west,south,east,north in degrees")


class NoMaskCogError(TilerError):
    """A file that is no mask of ours; GDAL may still read it."""


class MaskUnreadableError(TilerError):
    """A mask that storage does not give."""

    def __init__(self, address: str, problem: str) -> None:
        super().__init__(f"cannot read {address}: {problem}")


STATUS_CODES: Mapping[type[Exception], int] = {
    **DEFAULT_STATUS_CODES,
    **MOSAIC_STATUS_CODES,
    **dict[type[Exception], int](PGSTAC_STATUS_CODES.items()),
    ItemNotFoundError: 404,
    ProductNotFoundError: 404,
    NoMaskError: 404,
    ApartError: 404,
    CrsNameError: 400,
    ImageSizeError: 400,
    StyleError: 400,
    FilterError: 400,
    BoxError: 400,
    ClearError: 400,
    BusyError: 429,
    GoneError: 499,
    NoMaskCogError: 500,
    MaskUnreadableError: 500,
    PointOutsideBounds: 404,
    ValidationError: 422,
    RioTilerError: 500,
    RasterioError: 500,
    DatabaseError: 500,
    OperationalError: 503,
    PoolTimeout: 503,
}
"""The one table from error to HTTP status; the nearest class of an error counts."""

_PRIVATE = {
    500: "the server could not do this; its log says why",
    503: "the database does not answer; try again soon",
}


def _answer(_request: Request, error: Exception) -> Response:
    status = next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)
    if status == 204:  # noqa: PLR2004 - a mosaic without Items has nothing to say
        return Response(status_code=status)
    if status in _PRIVATE:
        # The message may hold storage addresses, which are nobody's business.
        logger.error("answered %s", status, exc_info=error)
        return JSONResponse({"detail": _PRIVATE[status]}, status)
    return JSONResponse({"detail": str(error)}, status)


def add_exception_handlers(app: FastAPI) -> None:
    """Let an application answer every error of the table."""
    for kind in STATUS_CODES:
        app.add_exception_handler(kind, _answer)
