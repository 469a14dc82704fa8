"""Links from Items and Collections to tiles, maps and downloads."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from fastapi import Request
from stac_fastapi.types.requests import get_base_url

from catalog.forwarded import site_of
from catalog.settings import CatalogSettings
from ingest.addresses import collection_path, give_downloads, item_path
from producer.storage import Storage

WEB_MAP_LINKS = "https://stac-extensions.github.io/web-map-links/v1.3.0/schema.json"
_QUERY = "assets=mask"
_MATRIX_SET = "WebMercatorQuad"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where clients reach the parts of the site; none closes with a slash."""

    stac: str
    tiler: str
    web: str

    @classmethod
    def of(cls, request: Request, settings: CatalogSettings) -> Self:
        """Read them off a request, as its sender sees the site."""
        site = site_of(request)
        return cls(
            stac=get_base_url(request).rstrip("/"),
            tiler=_absolute(settings.tiler_url, site),
            web=_absolute(settings.web_url, site),
        )


def dress_item(item: dict[str, Any], addresses: Addresses, store: Storage | None) -> None:
    """Give a served Item its links, and its assets addresses that clients can open.

    What the fields extension took away stays away.
    """
    collection, name = item.get("collection"), item.get("id")
    if collection is None or name is None:
        return
    if "links" in item:
        path = item_path(collection, name)
        item["links"] += _web_map_links(addresses, path, name)
        item["links"] += [
            _link(
                "preview", f"{addresses.tiler}{path}/preview.png?{_QUERY}", "image/png", "Preview"
            ),
            _map_link(addresses, collection=collection, item=name),
        ]
        _declare(item)
    give_downloads(item, addresses.stac, store)


def dress_collection(collection: dict[str, Any], addresses: Addresses) -> None:
    """Give a served Collection the links of its mosaic."""
    name = collection["id"]
    collection["links"] += _web_map_links(addresses, collection_path(name), "masks")
    collection["links"].append(_map_link(addresses, collection=name))
    _declare(collection)


def _web_map_links(addresses: Addresses, path: str, layer: str) -> list[dict[str, Any]]:
    root = f"{addresses.tiler}{path}"
    tiles = f"{root}/tiles/{_MATRIX_SET}/{{z}}/{{x}}/{{y}}.png?{_QUERY}"
    tilejson = f"{root}/{_MATRIX_SET}/tilejson.json?{_QUERY}"
    wmts = f"{root}/WMTSCapabilities.xml?{_QUERY}"
    # TiTiler's name of a layer: what it shows, its tiling, how it is drawn.
    layer = f"{layer}_{_MATRIX_SET}_default"
    return [
        _link("tilejson", tilejson, "application/json", "TileJSON"),
        _link("xyz", tiles, "image/png", "XYZ tiles"),
        {**_link("wmts", wmts, "application/xml", "WMTS"), "wmts:layer": layer},
    ]


def _map_link(addresses: Addresses, **state: str) -> dict[str, Any]:
    return _link("map", f"{addresses.web}/?{urlencode(state)}", "text/html", "Map")


def _link(rel: str, href: str, media_type: str, title: str) -> dict[str, Any]:
    return {"rel": rel, "href": href, "type": media_type, "title": title}


def _declare(document: dict[str, Any]) -> None:
    # Absent where the fields extension took it away.
    extensions = document.get("stac_extensions")
    if extensions is not None and WEB_MAP_LINKS not in extensions:
        extensions.append(WEB_MAP_LINKS)


def _absolute(address: str, site: str) -> str:
    return (f"{site}{address}" if address.startswith("/") else address).rstrip("/")
