"""Pictures of the web page for the README, taken of a stack that runs.

``python -m tests.web.pictures http://127.0.0.1:8080`` takes them again. Those of clear sky and of
comparing want a season of masks by two engines: ``python -m tests.web.season`` makes one.
"""

import argparse
import json
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import rasterio
from numpy.typing import NDArray
from playwright.sync_api import sync_playwright
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile
from scipy.cluster.vq import kmeans2, vq

from tests.web.screen import FLAGS, PATIENCE_MS, Visits

_FOLDER = Path(__file__).parents[2] / "web" / "pictures"
_COLORS = 256
_ENCODE = "async (field) => (await import('/src/area/encoding.js')).encodeArea(field)"
_OWN_COLORS = 176
"""Most frequent colours, of paper and legends, that are kept as they are."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, and how the page is shown on it."""

    name: str
    query: dict[str, str]
    dark: bool = False
    size_px: tuple[int, int] = (1280, 800)
    scale: float = 1
    field: tuple[float, ...] = ()
    """Bounds within which a field is asked about."""


def take_operate(site: str, folder: Path, token: str) -> None:
    """Take the picture of the view for operators: the newest backfill, or the lanes."""
    headers = {"authorization": f"Bearer {token}"}
    backfills = httpx.get(f"{site}/admin/backfills", headers=headers, trust_env=False).json()
    show = f"backfill/{backfills[-1]['id']}" if backfills else "lanes"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(f"sessionStorage.setItem('nimbostac-token', {json.dumps(token)})")
        page.goto(f"{site}/?mode=operate&show={show}")
        page.locator("#operate .page:visible").locator(".progress, .cards").first.wait_for()
        page.wait_for_timeout(1000)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "operate.png").write_bytes(_small(page.screenshot()))
        browser.close()


def take(
    site: str, folder: Path, only: Sequence[str] | None = None, collection: str | None = None
) -> None:
    """Take pictures of a running site, as PNGs in a folder; all that there are, or some."""
    wanted = {"limit": "1", **({"collections": collection} if collection else {})}
    newest = httpx.get(f"{site}/stac/search", params=wanted, trust_env=False).json()
    if not newest["features"]:
        raise SystemExit(f"the catalogue at {site} is empty; nimbostac demo fills it")
    item = newest["features"][0]
    opened = {"collection": item["collection"], "item": item["id"], "opacity": "70"}
    cloudy = httpx.post(
        f"{site}/stac/search",
        json={
            "collections": [item["collection"]],
            "query": {"eo:cloud_cover": {"gt": 25, "lt": 60}},
            "limit": 1,
        },
        trust_env=False,
    ).json()["features"]
    compared = {"mode": "compare", **opened, "item": (cloudy or [item])[0]["id"]}
    compared |= {"against": _other_engine(site, compared["item"], item["collection"])}
    pictures = (
        Picture("map", {}),
        Picture("product", opened),
        Picture("dark", opened, dark=True),
        Picture("phone", opened, size_px=(390, 780), scale=1.5),
        Picture(
            "clear-sky", {"mode": "clear", "collection": item["collection"]}, field=item["bbox"]
        ),
        Picture("compare", compared),
    )
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        visits = Visits(browser, site)
        for picture in pictures:
            if only and picture.name not in only:
                continue
            width_px, height_px = picture.size_px
            visit = visits.open(
                viewport={"width": width_px, "height": height_px},
                color_scheme="dark" if picture.dark else "light",
                device_scale_factor=picture.scale,
            )
            query = dict(picture.query)
            if picture.field:
                visit.go()
                query["area"] = visit.page.evaluate(_ENCODE, _field_in(*picture.field))
            visit.go(f"?{urlencode(query)}")
            if picture.field:
                visit.page.locator(".cover li").first.wait_for()
                visit.settle()
            (folder / f"{picture.name}.png").write_bytes(_small(visit.page.screenshot()))
        visits.close()
        browser.close()


def _other_engine(site: str, item: str, collection: str) -> str:
    """Name another engine that masked a product, or its true colours where there is none."""
    masks = httpx.get(f"{site}/tiler/compare/items/{item}", trust_env=False).json()["masks"]
    return next((one["collection"] for one in masks if one["collection"] != collection), "preview")


def _field_in(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """Outline a field of five corners in the middle of a box, as GeoJSON."""
    corners = ((0.4, 0.42), (0.55, 0.38), (0.6, 0.55), (0.48, 0.64), (0.38, 0.57), (0.4, 0.42))
    ring = [(west + x * (east - west), south + y * (north - south)) for x, y in corners]
    return {"type": "Polygon", "coordinates": [ring]}


def _small(png: bytes) -> bytes:
    """Bring a picture to 256 colours, a third of its bytes."""
    with MemoryFile(png) as file, file.open() as source:
        pixels = np.moveaxis(source.read([1, 2, 3]), 0, -1)
    palette = _palette(pixels)
    indices = vq(pixels.reshape(-1, 3).astype(np.float32), palette)[0]
    rows, columns, _ = pixels.shape
    colormap = {index: (*map(int, color), 255) for index, color in enumerate(palette)}
    options = {"driver": "PNG", "height": rows, "width": columns, "count": 1, "dtype": "uint8"}
    with MemoryFile() as file:
        with file.open(**options, zlevel=9) as target:
            target.write(indices.reshape(1, rows, columns).astype(np.uint8))
            target.write_colormap(1, colormap)
        return bytes(file.read())


def _palette(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(color, channel): the most frequent colours of even areas, and the middles of all others."""
    colors, which = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    names = which.reshape(pixels.shape[:2])
    # What is alike to its right and below is paper, a bar, or a legend, and no photograph.
    even = (names[:-1, :-1] == names[:-1, 1:]) & (names[:-1, :-1] == names[1:, :-1])
    counts = np.bincount(names[:-1, :-1][even], minlength=len(colors))
    order = np.argsort(-counts, kind="stable")
    own, others = colors[order[:_OWN_COLORS]], colors[order[_OWN_COLORS:]]
    if len(others) <= _COLORS - _OWN_COLORS:
        return np.concatenate([own, others]).astype(np.float32)
    middles, _ = kmeans2(others.astype(np.float32), _COLORS - _OWN_COLORS, minit="++", seed=0)
    return np.concatenate([own, np.round(middles)]).astype(np.float32)


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", help="address of a running stack")
    parser.add_argument("--folder", type=Path, default=_FOLDER)
    parser.add_argument("--collection", help="whose newest product is shown; else of any")
    parser.add_argument("--only", nargs="*", help="names of the pictures to take")
    parser.add_argument("--token", help="a token for the view of operators, and its picture")
    arguments = parser.parse_args()
    with warnings.catch_warnings(), rasterio.Env(GDAL_PAM_ENABLED="NO"):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        if arguments.token:
            take_operate(arguments.site.rstrip("/"), arguments.folder, arguments.token)
        if not arguments.token or arguments.only:
            take(arguments.site.rstrip("/"), arguments.folder, arguments.only, arguments.collection)


if __name__ == "__main__":
    main()
