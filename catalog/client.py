"""The core of the STAC API: stac-fastapi's, with our links on what it serves."""

from typing import Any

import attr
from cql2 import Expr
from fastapi import Request
from fastapi.responses import JSONResponse
from geojson_pydantic import MultiPolygon, Polygon
from stac_fastapi.pgstac.core import CoreCrudClient
from stac_fastapi.pgstac.types.search import PgstacSearch

from catalog.errors import SearchError
from catalog.links import Addresses, dress_collection, dress_item

Answer = dict[str, Any] | JSONResponse
"""A document, or one that stac-fastapi has written already because fields were left out."""


@attr.s
class CatalogClient(CoreCrudClient):  # type: ignore[misc]
    """Answers of stac-fastapi-pgstac, dressed before they are sent."""

    landing_page_id: str = attr.ib(default="nimbostac")

    def conformance_classes(self) -> list[str]:
        """Declare the sort extension by its first release too: pystac-client knows no other."""
        declared: list[str] = super().conformance_classes()
        sort = [name for name in declared if name.endswith("#sort")]
        return sorted({*declared, *(name.replace("/v1.1.0/", "/v1.0.0/") for name in sort)})

    async def _search_base(self, search_request: PgstacSearch, request: Request) -> dict[str, Any]:
        # The one way by which Items leave the database.
        search_request = _split_at_antimeridian(search_request)
        found: dict[str, Any] = await super()._search_base(search_request, request=request)
        addresses = Addresses.of(request, request.app.state.catalog)
        for item in found["features"]:
            dress_item(item, addresses, request.app.state.store)
        return found

    async def post_search(
        self, search_request: PgstacSearch, request: Request, **kwargs: object
    ) -> Answer:
        """Search, once the filter has been found to be CQL2, as a ``GET`` one is by itself."""
        asked = getattr(search_request, "filter_expr", None)
        if asked is not None:
            try:
                Expr(asked).validate()
            except Exception as error:  # cql2 raises its bare base for what it cannot parse
                raise SearchError(f"the filter is no CQL2: {error}") from error
        found: Answer = await super().post_search(search_request, request, **kwargs)
        return found

    async def get_collection(
        self, collection_id: str, request: Request, **kwargs: object
    ) -> Answer:
        """Serve one Collection with the links of its mosaic."""
        collection: dict[str, Any] = await super().get_collection(
            collection_id, request=request, **kwargs
        )
        dress_collection(collection, Addresses.of(request, request.app.state.catalog))
        return collection

    async def all_collections(self, request: Request, **kwargs: object) -> Answer:
        """Serve Collections; one limited by the fields extension comes as it is."""
        found: Answer = await super().all_collections(request=request, **kwargs)
        if isinstance(found, dict):
            addresses = Addresses.of(request, request.app.state.catalog)
            for collection in found["collections"]:
                dress_collection(collection, addresses)
        return found


async def json_object(request: Request) -> None:
    """Refuse a body that is no JSON object: the model of a search trips over it."""
    try:
        body = await request.json()
    except ValueError as error:
        raise SearchError(f"the body is no JSON: {error}") from error
    if not isinstance(body, dict) or "json" not in request.headers.get("content-type", ""):
        raise SearchError("the body must be a JSON object, sent as application/json")


def _split_at_antimeridian(search: PgstacSearch) -> PgstacSearch:
    """Search two boxes instead of one that crosses; PostGIS would search all but that one."""
    box: tuple[float, ...] | None = search.bbox
    if box is None:
        return search
    half = len(box) // 2
    west, south, east, north = box[0], box[1], box[half], box[half + 1]
    if west <= east:
        return search
    sides = ((west, 180.0), (-180.0, east))
    polygons = [Polygon.from_bounds(left, south, right, north) for left, right in sides]
    both = MultiPolygon(type="MultiPolygon", coordinates=[side.coordinates for side in polygons])
    return search.model_copy(update={"bbox": None, "intersects": both})
