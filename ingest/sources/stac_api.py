"""A STAC API that knows products; where they lie, an asset says or a layout."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pystac import Link, STACError, STACTypeError
from pystac_client import Client
from pystac_client.errors import ClientTypeError
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from shapely import to_geojson, union_all

from ingest.errors import SourceError, SourceRefusedError, SourceUnreachableError
from ingest.filters import Candidate, Filters, Reason
from ingest.sources.layout import Layout, located_by
from ingest.sources.page import Page
from producer.errors import ProductNameError
from producer.product import ProductName
from producer.tiles import tile_outline

_TIMEOUT_S = 60
_LIMIT = 500
_NAMED_BY = ("s2:product_uri", "s2:product_id", "title", "identifier")
_IN_HREF = re.compile(r"(?P<place>.*/(?P<name>S2[A-D]_MSIL[^/]+?\.(SAFE|zip)))(/.*)?")
_FEW_TILES = 30
"""More tiles than this make a longer question than servers like."""
_FORGOTTEN = (400, 404, 410, 422)
"""What servers answer to a page token that they do not know any more."""
_REFUSED = (401, 403, 404, 405)
_AGAIN = 3
"""How often a listing begins anew because the server has forgotten where it was."""


@dataclass(frozen=True, slots=True)
class StacApiSource:
    """Products that are Items of a STAC API."""

    url: str
    """Landing page."""
    collections: Sequence[str] = ()
    """Which ones to search; without any, all of them."""
    asset: str | None = None
    """Key of the asset that is the product, or a file in it; without it, every asset is looked at
    for an address that names the product."""
    layout: Layout | None = None
    """Where products lie, instead of what assets say."""

    @property
    def address(self) -> str:
        """The API."""
        return self.url

    def pages(self, filters: Filters, cursor: str | None = None) -> Iterator[Page]:
        """List products, as the API pages them.

        Raises:
            SourceUnreachableError: The API does not answer, or not now.
            SourceRefusedError: It is no STAC API, or refuses the question.
        """
        following, again = json.loads(cursor) if cursor else (None, 0)
        io = StacApiIO(timeout=_TIMEOUT_S)
        asked = self._search(io, filters)
        try:
            found = self._read(io, asked, following)
        except _ForgottenError:
            if again >= _AGAIN:
                raise
            again += 1
            found = self._read(io, asked, None)
        while True:
            following = _next(found) if found.get("features") else None
            page = self._page(found.get("features", []), filters)
            place = None if following is None else json.dumps([following, again])
            yield Page(page.candidates, place, page.skipped)
            if following is None:
                return
            found = self._read(io, asked, following)

    def _search(self, io: StacApiIO, filters: Filters) -> "_Asked":
        with _translated(self.url):
            search = Client.open(self.url, stac_io=io).search(
                collections=list(self.collections) or None,
                datetime=_interval(filters),
                intersects=_area(filters),
                limit=_LIMIT,
            )
            parameters: dict[str, Any] = dict(search.get_parameters())
            return _Asked(str(search.url), str(search.method), parameters)

    def _read(
        self, io: StacApiIO, asked: "_Asked", following: dict[str, Any] | None
    ) -> dict[str, Any]:
        with _translated(self.url, resumed=following is not None):
            if following is None:
                found = io.read_json(asked.url, method=asked.method, parameters=asked.parameters)
            else:
                found = io.read_json(Link.from_dict(following), parameters=asked.parameters)
        return dict(found)

    def _page(self, features: Sequence[dict[str, Any]], filters: Filters) -> Page:
        there: list[Candidate] = []
        lost: list[Candidate] = []
        skipped: Counter[str] = Counter()
        for feature in features:
            name = _name(feature)
            if name is None:
                skipped[str(Reason.NO_PRODUCT)] += 1
                continue
            place = None if self.layout is not None else self._place(feature, name)
            cover = (feature.get("properties") or {}).get("eo:cloud_cover")
            candidate = Candidate(
                name,
                place or "",
                cloud_cover=float(cover) if isinstance(cover, int | float) else None,
                geometry=feature.get("geometry"),
            )
            (lost if place is None else there).append(candidate)
        located, lacking = located_by(self.layout, lost, filters)
        return Page((*there, *located), None, skipped + lacking)

    def _place(self, feature: Mapping[str, Any], name: ProductName) -> str | None:
        assets: Mapping[str, Any] = feature.get("assets") or {}
        if self.asset is not None:
            hrefs = list(_hrefs(assets.get(self.asset) or {}))
            named = [place for place in (_cut(href, name) for href in hrefs) if place]
            return next(iter([*named, *hrefs]), None)
        places = [_cut(href, name) for asset in assets.values() for href in _hrefs(asset)]
        # A bucket or a folder can be read in parts, which a download cannot.
        return min(filter(None, places), key=lambda place: place.startswith("http"), default=None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The first request of a search."""

    url: str
    method: str
    parameters: dict[str, Any]


class _ForgottenError(SourceRefusedError):
    """A page token that the server does not know any more."""


@contextmanager
def _translated(url: str, *, resumed: bool = False) -> Iterator[None]:
    """Say what a failed request means."""
    try:
        yield
    except APIError as error:
        status = getattr(error, "status_code", None)
        kind: type[SourceError] = SourceUnreachableError
        if resumed and status in _FORGOTTEN:
            kind = _ForgottenError
        elif status in _REFUSED or status in _FORGOTTEN:
            kind = SourceRefusedError
        told = f"it answers {status}: {_first_line(error)}" if status else _first_line(error)
        raise kind(url, told) from error
    except (
        STACError,
        STACTypeError,
        ClientTypeError,
        NotImplementedError,
        ValueError,
        KeyError,
        TypeError,
    ) as error:
        raise SourceRefusedError(url, f"it is no STAC API: {_first_line(error)}") from error


def _interval(filters: Filters) -> str | None:
    if filters.start is None and filters.end is None:
        return None
    start = ".." if filters.start is None else f"{filters.start}T00:00:00Z"
    end = ".." if filters.end is None else f"{filters.end}T23:59:59Z"
    return f"{start}/{end}"


def _area(filters: Filters) -> dict[str, Any] | None:
    area = filters.area
    if area is None and 0 < len(filters.tiles) <= _FEW_TILES:
        try:
            area = union_all([tile_outline(tile) for tile in sorted(filters.tiles)])
        except ValueError:
            return None
    if area is None:
        return None
    found: dict[str, Any] = json.loads(to_geojson(area))
    return found


def _next(page: Mapping[str, Any]) -> dict[str, Any] | None:
    links = page.get("links") or []
    return next((link for link in links if link.get("rel") == "next"), None)


def _name(feature: Mapping[str, Any]) -> ProductName | None:
    properties: Mapping[str, Any] = feature.get("properties") or {}
    for text in (feature.get("id"), *(properties.get(key) for key in _NAMED_BY)):
        try:
            return ProductName.parse(str(text))
        except ProductNameError:
            continue
    return None


def _hrefs(asset: Mapping[str, Any]) -> Iterator[str]:
    """Give the addresses of an asset, and those that the alternate-assets extension adds."""
    alternates = asset.get("alternate")
    for one in (asset, *(alternates.values() if isinstance(alternates, Mapping) else ())):
        if isinstance(one, Mapping) and isinstance(one.get("href"), str):
            yield one["href"]


def _cut(href: str, name: ProductName) -> str | None:
    """Cut an address after the product that it leads into."""
    found = _IN_HREF.fullmatch(href.removeprefix("file://"))
    if found is None or not found["name"].startswith(str(name)):
        return None
    # Nothing lists what is in a folder of a web server.
    unlisted = href.startswith("http") and found["name"].endswith(".SAFE")
    return None if unlisted else found["place"]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
