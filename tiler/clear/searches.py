"""The endpoints that answer with Items."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urljoin

import orjson
from cql2 import Expr
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from tiler.clear.bounds import BoundedRoute
from tiler.clear.desk import Answer, Desk
from tiler.clear.features import Features
from tiler.clear.pool import Work
from tiler.clear.question import ClearSearch
from tiler.errors import FilterError, QuestionError

router = APIRouter(tags=["Clear sky"], route_class=BoundedRoute)

GEOJSON = "application/geo+json"
_CONFORMS_TO = (
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/item-search",
    "https://api.stacspec.org/v1.0.0/item-search#sort",
    "https://api.stacspec.org/v1.0.0/item-search#filter",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
)


def desk_of(request: Request) -> Desk:
    """Give an endpoint what all questions share."""
    desk: Desk = request.app.state.clear
    return desk


DeskOf = Annotated[Desk, Depends(desk_of)]

MinClear = Annotated[float | None, Query(description="Least `aoi:clear`, 0 to 1.")]
MinCoverage = Annotated[float | None, Query(description="Least `aoi:coverage`, 0 to 1.")]
Group = Annotated[
    Literal["acquisition"] | None, Query(description="Merge the products of one datatake.")
]
Best = Annotated[
    int | None, Query(description="Only so many acquisitions, those that saw most of it clear.")
]


async def extras(
    min_clear: MinClear = None,
    min_coverage: MinCoverage = None,
    group: Group = None,
    best: Best = None,
) -> dict[str, Any]:
    """Take what a STAC client cannot put into the body of a search from the query."""
    said = {"min_clear": min_clear, "min_coverage": min_coverage, "group": group, "best": best}
    return {name: value for name, value in said.items() if value is not None}


Extras = Annotated[dict[str, Any], Depends(extras)]


async def asked(  # noqa: PLR0913, PLR0917 - the parameters of a STAC search
    collections: Annotated[str | None, Query(description="Ids, with commas.")] = None,
    ids: Annotated[str | None, Query(description="Item ids, with commas.")] = None,
    datetime: Annotated[str | None, Query(description="Time or interval.")] = None,
    bbox: Annotated[str | None, Query(description="West, south, east, north.")] = None,
    intersects: Annotated[str | None, Query(description="GeoJSON polygon.")] = None,
    filter_: Annotated[str | None, Query(alias="filter", description="CQL2.")] = None,
    filter_lang: Annotated[
        Literal["cql2-text", "cql2-json"] | None,
        Query(alias="filter-lang", description="Told by the filter itself if left out."),
    ] = None,
) -> dict[str, Any]:
    """Take what a body would say, as far as it was said."""
    said = {
        "collections": words(collections),
        "ids": words(ids),
        "datetime": datetime,
        "bbox": words(bbox),
        "intersects": _json("intersects", intersects),
        "filter": _filter(filter_, filter_lang),
    }
    return {name: value for name, value in said.items() if value}


Asked = Annotated[dict[str, Any], Depends(asked)]
Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], said: Mapping[str, Any]) -> Model:
    """Read a question that did not come as a body.

    Raises:
        QuestionError: It is none.
    """
    try:
        return model.model_validate(said)
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, each['loc'])) or 'search'}: {each['msg']}"
            for each in error.errors(include_url=False)
        )
        raise QuestionError("; ".join(problems)) from error


@router.post("/clear", response_class=Response, responses={200: {"content": {GEOJSON: {}}}})
async def post_clear(request: Request, desk: DeskOf, body: ClearSearch, more: Extras) -> Response:
    """Search for Items by the sky over a polygon; answers an ItemCollection."""
    said = body.model_dump(by_alias=True, exclude_unset=True)
    question = read(ClearSearch, {**more, **said})

    def next_link(token: str) -> dict[str, Any]:
        return {"href": str(request.url), "method": "POST", "body": {**said, "token": token}}

    return await _answer(request, desk, question, next_link)


@router.get("/clear", response_class=Response, responses={200: {"content": {GEOJSON: {}}}})
async def get_clear(  # noqa: PLR0913, PLR0917 - the parameters of a STAC search
    request: Request,
    desk: DeskOf,
    said: Asked,
    more: Extras,
    sortby: Annotated[str | None, Query(description="Such as `-aoi:clear,datetime`.")] = None,
    limit: Annotated[int | None, Query(description="Items of a page.")] = None,
    token: Annotated[str | None, Query(description="Of a `next` link.")] = None,
) -> Response:
    """Search for Items by the sky over a bbox or polygon; answers an ItemCollection."""
    fields = [_sort_field(word) for word in words(sortby) or ()]
    own = {"sortby": fields, "limit": limit, "token": token}
    given = {name: value for name, value in own.items() if value}
    question = read(ClearSearch, {**more, **said, **given})

    def next_link(token: str) -> dict[str, Any]:
        return {"href": str(request.url.include_query_params(token=token)), "method": "GET"}

    return await _answer(request, desk, question, next_link)


@router.get("/clear/stac")
async def clear_landing(request: Request) -> dict[str, Any]:
    """Present the search as a STAC API, for clients that start from a landing page."""
    # Not url_for, which starts from the outermost application.
    own = str(request.base_url).rstrip("/")
    here, search = (
        own + str(request.app.url_path_for(name)) for name in ("clear_landing", "post_clear")
    )
    link = {"rel": "search", "href": search, "type": GEOJSON}
    return {
        "type": "Catalog",
        "id": "nimbostac-clear",
        "stac_version": "1.1.0",
        "title": "Clear sky over a polygon",
        "description": "Search for masks by what they say about the polygon of the search",
        "conformsTo": list(_CONFORMS_TO),
        "links": [
            *({"rel": rel, "href": here, "type": "application/json"} for rel in ("self", "root")),
            {**link, "method": "GET"},
            {**link, "method": "POST"},
        ],
    }


def catalogue_url(request: Request, desk: Desk) -> str:
    """Give the address of the STAC API, without a closing slash."""
    own = str(request.base_url).rstrip("/")
    return urljoin(own, desk.settings.catalog_url).rstrip("/")


def json_response(content: object, media_type: str = "application/json") -> Response:
    """Encode an answer."""
    # A mask that arrives now is in the next answer.
    headers = {"cache-control": "no-cache"}
    return Response(orjson.dumps(content), headers=headers, media_type=media_type)


async def _answer(request: Request, desk: Desk, question: ClearSearch, next_link: Any) -> Response:  # noqa: ANN401
    features = Features(catalogue_url(request, desk), desk.store)

    def work_on(work: Work) -> tuple[Answer, list[dict[str, Any]]]:
        answer = desk.search(question, work)
        keys = [row.first.key for row in answer.rows]
        items = desk.catalogue.items(keys, work.left_s()) if keys else {}
        return answer, features.page(answer.rows, items)

    answer, found = await desk.pool.run(request, work_on)
    links = [{"rel": "self", "href": str(request.url), "type": GEOJSON}]
    if answer.token is not None:
        links.append({"rel": "next", "type": GEOJSON, **next_link(answer.token)})
    return json_response(
        {
            "type": "FeatureCollection",
            "features": found,
            "links": links,
            "numberMatched": answer.matched,
            "numberReturned": len(found),
        },
        GEOJSON,
    )


def words(text: str | None) -> list[str] | None:
    """Read a list with commas between its words."""
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _json(name: str, text: str | None) -> Any:  # noqa: ANN401 - JSON
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise QuestionError(f"{name} is no JSON: {error}") from error


def _filter(text: str | None, language: str | None) -> Any:  # noqa: ANN401 - JSON
    if text is None or language == "cql2-json" or (not language and text.lstrip().startswith("{")):
        return _json("filter", text)
    try:
        expression = Expr(text)
        expression.validate()
        return expression.to_json()
    except Exception as error:
        # cql2 has errors of its own, and of its parser.
        raise FilterError(text) from error


def _sort_field(word: str) -> dict[str, str]:
    # A plus sign in an address is a blank once it is decoded.
    direction = "desc" if word.startswith("-") else "asc"
    return {"field": word.lstrip("+- "), "direction": direction}
