"""Which mosaic a request means: dependencies in place of TiTiler's, which write to the database."""

import inspect
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from cql2 import Expr
from fastapi import Path, Query, Request
from pydantic import BeforeValidator
from titiler.pgstac.dependencies import CollectionIdParams

from tiler.dates import interval
from tiler.errors import FilterError
from tiler.mosaic import Mosaic, Mosaics

FILTERS = ("ids", "bbox", "datetime", "query", "sortby", "filter", "filter-lang")
"""Parameters of a URL that say which Items of a Collection are meant, and in which order."""
SELECTION, LEAST_CLOUD = "pixel_selection", "least_cloud"
"""What a URL says for the Item of least cloud on top, whatever order the mosaic has."""


def registered_search(
    request: Request, search_id: Annotated[str, Path(description="PgSTAC Search Identifier (Hash)")]
) -> Mosaic:
    """Give the registered search that the path names."""
    mosaics: Mosaics = request.app.state.mosaics
    return _ordered(request, mosaics.searches.get(search_id))


def collection_mosaic(request: Request, collection_id: str, **_: Any) -> Mosaic:  # noqa: ANN401
    """Give the Items of a Collection that the path and the query name.

    Takes the parameters of TiTiler's own dependency, which registers a search for each.
    """
    mosaics: Mosaics = request.app.state.mosaics
    key = (collection_id, wanted(request.query_params))
    return _ordered(request, mosaics.collections.get(key))


def _ordered(request: Request, mosaic: Mosaic) -> Mosaic:
    mosaics: Mosaics = request.app.state.mosaics
    if request.query_params.get(SELECTION) == LEAST_CLOUD:
        mosaic = mosaics.clearest.get(mosaic)
    request.state.mosaic = mosaic
    return mosaic


# FastAPI reads from it what the URL may hold, and checks it as TiTiler does.
_signature = inspect.signature(CollectionIdParams)
_datetime = Annotated[
    str | None,
    BeforeValidator(interval),
    Query(description="Only Items of this time: an instant, an interval, or whole days."),
]
collection_mosaic.__signature__ = _signature.replace(  # type: ignore[attr-defined]
    parameters=[
        each.replace(annotation=_datetime) if name == "datetime" else each
        for name, each in _signature.parameters.items()
    ]
)


def wanted(query: Mapping[str, str]) -> str:
    """Translate what a URL asks of Items into a STAC search, as JSON."""
    language = query.get("filter-lang", "cql2-text")
    text = query.get("filter")
    search: dict[str, Any] = {}
    if ids := query.get("ids"):
        search["ids"] = ids.split(",")
    if bbox := query.get("bbox"):
        search["bbox"] = [float(part) for part in bbox.split(",")]
    if query.get("datetime"):
        search["datetime"] = interval(query["datetime"])
    if query.get("query"):
        search["query"] = json.loads(query["query"])
    if sortby := query.get("sortby"):
        parts = [re.match(r"([+-]?)(.*)", part.strip()) for part in sortby.split(",")]
        search["sortby"] = [
            {"field": part[2].strip(), "direction": "desc" if part[1] == "-" else "asc"}
            for part in parts
            if part is not None
        ]
    if text:
        try:
            expression = Expr(text if language == "cql2-text" else json.loads(text))
            expression.validate()
            search["filter"] = expression.to_json()
        except Exception as error:
            raise FilterError(text) from error
        search["filter-lang"] = "cql2-json"
    return json.dumps(search, sort_keys=True)
