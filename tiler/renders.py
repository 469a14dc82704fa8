"""The ways to draw an Item, as the STAC render extension tells them."""

from typing import Any
from urllib.parse import urlencode

from attrs import define
from fastapi import Depends, HTTPException, Request
from titiler.core.factory import FactoryExtension, MultiBaseTilerFactory
from titiler.extensions.render import RenderItemList, RenderItemWithLinks

from producer.layout import MASK, PREVIEW
from tiler.reader import ItemReader, Source

_TITLES = {MASK: ("classes", "Classes"), PREVIEW: ("true-colour", "True colour")}
_TILE_MATRIX_SET = "{tileMatrixSetId}"


def item_renders(reader: ItemReader) -> dict[str, dict[str, Any]]:
    """List the ways to draw an Item: classes, and true colour where it has a preview."""
    return {name: {"assets": [key]} for key, (name, _) in _TITLES.items() if key in reader.assets}


@define
class rendersExtension(FactoryExtension):  # noqa: N801 - as TiTiler calls its extensions
    """Adds ``/renders``: TiTiler's own puts the storage address into its links."""

    def register(self, factory: MultiBaseTilerFactory) -> None:  # type: ignore[override]
        """Add the endpoints to a factory."""

        def described(request: Request, name: str, params: dict[str, Any]) -> dict[str, Any]:
            query = urlencode(params, doseq=True)
            tilejson = factory.url_for(request, "tilejson", tileMatrixSetId=_TILE_MATRIX_SET)
            titles = dict(_TITLES.values())
            targets = (
                ("self", factory.url_for(request, "render", render_id=name), "This render"),
                ("tilesets-map", f"{tilejson}?{query}", "TileJSON"),
                ("tilesets-map", f"{factory.url_for(request, 'wmts')}?{query}", "WMTS"),
            )
            links = [
                {
                    "rel": rel,
                    "href": href,
                    "title": title,
                    "type": "application/xml" if title == "WMTS" else "application/json",
                    "templated": "{" in href or None,
                }
                for rel, href, title in targets
            ]
            return {"valid": True, "params": {"title": titles[name], **params}, "links": links}

        operation = factory.operation_prefix

        @factory.router.get(
            "/renders",
            response_model=RenderItemList,
            response_model_exclude_none=True,
            operation_id=f"{operation}getRenderList",
        )
        def renders(
            request: Request,
            src_path: Source = Depends(factory.path_dependency),  # noqa: B008 - FastAPI's way
        ) -> dict[str, Any]:
            """List the ways to draw the Item."""
            with factory.reader(src_path) as reader:
                known = factory.get_renders(reader)
            link = {"rel": "self", "href": str(request.url), "type": "application/json"}
            each = {name: described(request, name, params) for name, params in known.items()}
            return {"renders": each, "links": [{**link, "title": "Renders"}]}

        @factory.router.get(
            "/renders/{render_id}",
            response_model=RenderItemWithLinks,
            response_model_exclude_none=True,
            operation_id=f"{operation}getRender",
        )
        def render(
            request: Request,
            render_id: str,
            src_path: Source = Depends(factory.path_dependency),  # noqa: B008
        ) -> dict[str, Any]:
            """Describe one way to draw the Item."""
            with factory.reader(src_path) as reader:
                known = factory.get_renders(reader)
            if render_id not in known:
                raise HTTPException(404, f"no render {render_id!r}; there are {', '.join(known)}")
            return described(request, render_id, known[render_id])
