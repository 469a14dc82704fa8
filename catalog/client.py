"""The core of the STAC API: stac-fastapi's, with our links on what it serves."""

from typing import Any

import attr
from cql2 import Expr
from fastapi import Request
from fastapi.responses import JSONResponse
from stac_fastapi.pgstac.core import CoreCrudClient
from stac_fastapi.pgstac.types.search import PgstacSearch

from catalog.errors import SearchError
from catalog.links import Addresses, dress_collection, dress_item

Answer = dict[str, Any] | JSONResponse
"""A document, or one that stac-fastapi has written already because fields were left out."""


@attr.s
class CatalogClient(CoreCrudClient):  # type: ignore[misc]
    """Answers of stac-fastapi-pgstac, dressed before they are sent."""

    async def _search_base(self, search_request: PgstacSearch, request: Request) -> dict[str, Any]:
        # The one way by which Items leave the database.
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
