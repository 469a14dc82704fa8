"""The landing page and the list of what the server conforms to."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.templating import Jinja2Templates
from titiler.core.algorithm.base import AlgorithmtList
from titiler.core.models.OGC import Conformance, Landing
from titiler.core.resources.enums import MediaType
from titiler.core.utils import accept_media_type, create_html_response

TITLE = "Nimbostac tiles"

_COMMON = "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf"
_CONFORMS_TO = {f"{_COMMON}/{part}" for part in ("core", "landing-page", "oas30", "html", "json")}
_MEDIA: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {}, "application/json": {}}}
}
_OPEN_API = "application/vnd.oai.openapi+json;version=3.0"
_MAP = "{tileMatrixSetId}/map.html"

Format = Annotated[
    Literal["html", "json"] | None,
    Query(description="Media type of the answer, where `accept` does not say it."),
]


def _links(base: str) -> list[dict[str, Any]]:
    def link(rel: str, path: str, title: str, media: str = "application/json") -> dict[str, Any]:
        # What a template leaves open stays readable.
        href = f"{base}/{quote(path, safe='/{}')}"
        return {
            "rel": rel,
            "href": href,
            "title": title,
            "type": media,
            "templated": "{" in path or None,
        }

    item = "collections/{collection_id}/items/{item_id}"
    return [
        link("self", "", "Landing page", "text/html"),
        link("service-desc", "api", "the API definition (JSON)", _OPEN_API),
        link("service-doc", "api.html", "the API documentation", "text/html"),
        link(
            "http://www.opengis.net/def/rel/ogc/1.0/conformance",
            "conformance",
            "Conformance Declaration",
            "text/html",
        ),
        link("data", "searches/list", "Registered searches (JSON)"),
        link("data", f"searches/{{search_id}}/{_MAP}", "Map of a registered search", "text/html"),
        link("data", f"collections/{{collection_id}}/{_MAP}", "Map of a Collection", "text/html"),
        link("data", f"{item}/{_MAP}", "Map of an Item", "text/html"),
        link(
            "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes",
            "tileMatrixSets",
            "List of available TileMatrixSets",
        ),
        link("data", "colorMaps", "Colours of the classes"),
        link("data", "clear/stac", "Clear sky over a polygon, as a STAC API (JSON)"),
        link("http://www.opengis.net/def/rel/ogc/1.0/legend", "legend.json", "Legend"),
    ]


def create_router(templates: Jinja2Templates, conforms_to: set[str]) -> APIRouter:
    """Build the two pages that OGC API Common asks for."""
    router = APIRouter(tags=["OGC Common"])

    def answer(request: Request, name: str, title: str, data: Any, f: str | None) -> Any:  # noqa: ANN401
        kinds = [MediaType.html, MediaType.json]
        accepted = accept_media_type(request.headers.get("accept", ""), kinds)
        if (MediaType[f] if f else accepted) != MediaType.html:
            return data
        return create_html_response(request, data, name, templates, title=title)

    @router.get("/", response_model=Landing, response_model_exclude_none=True, responses=_MEDIA)
    def landing(request: Request, f: Format = None) -> Any:  # noqa: ANN401
        """Say what the server holds and where."""
        base = str(request.base_url).rstrip("/")
        return answer(request, "landing", TITLE, {"title": TITLE, "links": _links(base)}, f)

    @router.get(
        "/conformance",
        response_model=Conformance,
        response_model_exclude_none=True,
        responses=_MEDIA,
    )
    def conformance(request: Request, f: Format = None) -> Any:  # noqa: ANN401
        """List the conformance classes."""
        data = {"conformsTo": sorted(_CONFORMS_TO | conforms_to)}
        return answer(request, "conformance", "Conformance", data, f)

    @router.get("/algorithms", tags=["Algorithms"], response_model=AlgorithmtList)
    def available_algorithms() -> Any:  # noqa: ANN401
        """List the algorithms that can be run on a mask: none, a class is no quantity."""
        return {"algorithms": []}

    @router.get("/algorithms/{algorithm_id}", tags=["Algorithms"])
    def algorithm_metadata(algorithm_id: str) -> Any:  # noqa: ANN401
        """Describe an algorithm."""
        raise HTTPException(404, f"there is no algorithm {algorithm_id!r}, nor any other")

    return router
