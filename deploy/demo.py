"""The demo: one real product, from its SAFE folder to addresses that answer."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

import httpx

from deploy import sample
from deploy.errors import DemoError
from ingest import ledger
from ingest.backfills import listing
from ingest.backfills.creating import create
from ingest.backfills.spec import BackfillSpec
from ingest.ledger import Backfill, Ledger, State
from ingest.settings import IngestSettings
from producer.layout import collection_id
from producer.product import ProductName

Report = Callable[[str, int, int], None]
"""Told a step's name, how much of it is done and how much there is, 0 if nobody knows."""

_POLL_S = 0.3
_ZOOM = 11
"""A zoom level at which the sample is about one tile."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A product whose mask is in the catalogue."""

    product: str
    collection: str
    engine: str
    """What made the mask, by name."""
    before: bool
    """Whether it was there before it was asked for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Addresses of one mask; each has been asked and has answered."""

    url: str
    """The site."""
    map: str
    """The map page, at this mask."""
    stac: str
    """A search that finds the Item."""
    item: str
    """The Item."""
    xyz: str
    """Tiles, as a template for QGIS."""
    wmts: str
    """Tiles, as a service for QGIS."""
    cog: str
    """The mask itself, for download and for GDAL."""
    thumbnail: str
    """A small picture."""
    engine: str
    """What made the mask."""


def mask(settings: IngestSettings, engine: str, report: Report) -> Masked:
    """Fetch the sample product and have a worker mask, store and catalogue it.

    Raises:
        DeployError: The sample cannot be had.
        IngestError: The ledger does not answer.
        DemoError: The product cannot be masked.
    """
    report("Fetching the sample product", 0, 0)
    product = sample.fetch(
        settings.cache_dir,
        lambda _, done, total: report("Fetching the sample product", done, total),
    )
    asked = {"source": {"kind": "names", "names": [str(product)]}, "engine": engine}
    spec = BackfillSpec.read({**asked, "name": "demo", "priority": 0})
    with ledger.opened() as book:
        backfill = create(book, spec, "the demo")
        while listing.step(book, book.backfill_get(backfill.id)):
            continue
        return _followed(book, backfill, report)


def show(url: str, masked: Masked, report: Report) -> Shown:
    """Find the mask in the catalogue, follow every address that it gives, and collect them.

    Args:
        url: Address of the site.
        masked: What was masked.
        report: Told of each address.

    Raises:
        DemoError: An address does not answer, or not with what it should.
    """
    ids = {"collections": masked.collection, "ids": masked.product}
    search = f"{url}/stac/search?{urlencode(ids)}"
    with httpx.Client(trust_env=False, timeout=60, follow_redirects=True) as client:
        visits = _Visits(client, report, total=len(fields(Shown)) - 1)
        visits.get(url, "<!doctype html")
        found = json.loads(visits.get(search, '"FeatureCollection"').content)["features"]
        if len(found) != 1:
            raise DemoError(f"{search} finds {len(found)} Items, not one")
        item: dict[str, Any] = found[0]
        links = {link["rel"]: link["href"] for link in item["links"]}
        shown = Shown(
            url=url,
            map=links["map"],
            stac=search,
            item=links["self"],
            xyz=links["xyz"],
            wmts=links["wmts"],
            cog=item["assets"]["mask"]["href"],
            thumbnail=item["assets"]["thumbnail"]["href"],
            engine=masked.engine,
        )
        visits.get(shown.map, "<!doctype html")
        visits.get(shown.item, f'"{masked.product}"')
        visits.get(_tile(shown.xyz, item["bbox"]), b"\x89PNG")
        visits.get(shown.wmts, "<Capabilities")
        visits.get(shown.thumbnail, b"\x89PNG")
        # Classic and big TIFF, little-endian, as every GeoTIFF of ours is.
        visits.get(shown.cog, b"II", headers={"Range": "bytes=0-16383"}, status=206)
    return shown


def snippet(shown: Shown) -> str:
    """Three lines of Python that find the mask."""
    collection, _, item = shown.item.removeprefix(f"{shown.url}/stac/collections/").partition(
        "/items/"
    )
    return (
        "from pystac_client import Client\n"
        f'found = Client.open("{shown.url}/stac").search(collections=["{collection}"],'
        f' ids=["{item}"])\n'
        "print(next(found.items()).properties)"
    )


class _Visits:
    """Addresses asked one after the other."""

    def __init__(self, client: httpx.Client, report: Report, total: int) -> None:
        self._client = client
        self._report = report
        self._done = 0
        self._total = total

    def get(
        self,
        address: str,
        wanted: str | bytes,
        headers: dict[str, str] | None = None,
        status: int = 200,
    ) -> httpx.Response:
        """Ask one, and look for what its answer must hold.

        Raises:
            DemoError: It does not answer so.
        """
        self._report("Trying the addresses", self._done, self._total)
        try:
            answer = self._client.get(address, headers=headers)
        except httpx.HTTPError as error:
            raise DemoError(f"{address} does not answer: {error}") from error
        begin = answer.content.lower() if isinstance(wanted, str) else answer.content
        needle = wanted.lower().encode() if isinstance(wanted, str) else wanted
        if answer.status_code != status or needle not in begin:
            raise DemoError(
                f"{address} answers {answer.status_code} with"
                f" {answer.headers.get('content-type')}, wanted {status} and {wanted!r}:"
                f" {answer.text[:300] if answer.is_error else ''}"
            )
        self._done += 1
        return answer


def _followed(book: Ledger, backfill: Backfill, report: Report) -> Masked:
    while True:
        for one in book.ended(backfill.id, None):
            if one.state is not State.DONE:
                raise DemoError(f"{one.product} was not masked: {one.error or one.state}")
            level = ProductName.parse(one.product).level
            collection = collection_id(backfill.engine, level)
            return Masked(one.product, collection, backfill.engine, one.before)
        alive = [worker for worker in book.workers() if worker.alive]
        for worker in alive:
            if worker.product is not None:
                step = worker.step or worker.lane
                report(f"Masking: {step}", worker.done or 0, worker.total or 0)
        if not alive:
            report("Waiting for the worker", 0, 0)
        time.sleep(_POLL_S)


def _tile(template: str, bbox: list[float]) -> str:
    """Put the tile at the centre of a box into an XYZ template."""
    longitude, latitude = (bbox[0] + bbox[2]) / 2, math.radians((bbox[1] + bbox[3]) / 2)
    tiles = 2**_ZOOM
    column = int((longitude + 180) / 360 * tiles)
    row = int((1 - math.asinh(math.tan(latitude)) / math.pi) / 2 * tiles)
    for name, value in (("z", _ZOOM), ("x", column), ("y", row)):
        template = template.replace(f"{{{name}}}", str(value))
    return template
