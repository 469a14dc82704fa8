"""Tiles of a mosaic: Items laid over each other until no pixel is left without data."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from rasterio.crs import CRS

from producer.layout import MASK
from tiler.draw import Classes, draw
from tiler.images import ClassImage
from tiler.mosaic import Box, Found, Mosaic, Place
from tiler.rasters import RasterSource
from tiler.style import Style
from tiler.views import View, geographic_box

_CELLS = 256
"""Cells around the equator: tiles of zoom 8 and deeper share what was found."""
_COARSE_M = 1000.0
_METRES_PER_DEGREE = 111_320.0


@dataclass(slots=True)
class Patchwork:
    """A tile, and what it is made of."""

    view: View
    drawn: Classes | int = 0
    used: list[str] = field(default_factory=list)
    """Items that can be seen, as ``collection/id``, from top to bottom."""
    hidden: int = 0
    """Items that lie beneath others and were not looked at."""
    is_cut: bool = False
    """Whether there are more Items here than were looked for."""

    def image(self, crs: CRS) -> ClassImage:
        """Give the tile its place, and say what it is made of."""
        image = ClassImage(self.drawn, self.view, crs)
        image.metadata = {"timings": []}
        image.headers = self.headers()
        return image

    def headers(self) -> dict[str, str]:
        """Say what the tile is made of and what was left out."""
        left_out = "more than were looked for" if self.is_cut else "0"
        return {
            "Nimbostac-Items": f"used={len(self.used)}, hidden={self.hidden}, left-out={left_out}"
        }


def patchwork(
    find: Callable[[Place], Found],
    rasters: RasterSource,
    mosaic: Mosaic,
    view: View,
    style: Style,
) -> Patchwork:
    """Draw a tile of a mosaic.

    Args:
        find: Gives the Items of a place.
        rasters: Where masks come from.
        mosaic: Which Items, and in which order.
        view: Where.
        style: How.
    """
    box = geographic_box(view)
    coarse = _pixel_m(view, box) >= _COARSE_M
    place = Place(mosaic, box if coarse else _cell(view), is_coarse=coarse)
    found = find(place)
    if found.is_cut and not coarse:
        found = find(Place(mosaic, box, is_coarse=False))
    work = Patchwork(view, is_cut=found.is_cut)
    canvas: Classes | None = None
    is_full = False
    # Classes are left out last, or what lies beneath would show where they were.
    whole = replace(style, classes=None)
    for item in found.items:
        asset = item.assets.get(MASK)
        if asset is None or not _meet(item.bbox, box):
            continue
        if is_full:
            work.hidden += 1
            continue
        drawn = draw(rasters, asset, view, whole, coarse=coarse)
        if drawn is None or (isinstance(drawn, int) and drawn == 0):
            continue
        if canvas is None:
            canvas = (
                np.full((view.height, view.width), drawn, np.uint8)
                if isinstance(drawn, int)
                else drawn
            )
        else:
            empty = canvas == 0
            if not np.any(empty & (np.asarray(drawn) != 0)):
                work.hidden += 1
                continue
            np.copyto(canvas, drawn, where=empty)
        work.used.append(f"{item.collection}/{item.id}")
        is_full = bool(canvas.all())
    if canvas is not None:
        work.drawn = style.shown(canvas)
    return work


def _pixel_m(view: View, box: Box) -> float:
    """Height of a pixel on the ground."""
    return (box[3] - box[1]) * _METRES_PER_DEGREE / view.height


def _cell(view: View) -> Box:
    """Give the cell that a view lies in, or the view's own box if it lies in none."""
    if view.period is None:
        return geographic_box(view)
    size = view.period / _CELLS
    left, bottom, right, top = view.bounds
    column = math.floor((left + view.period / 2) / size + 1e-6)
    row = math.floor((view.period / 2 - top) / size + 1e-6)
    west, north = column * size - view.period / 2, view.period / 2 - row * size
    if right > west + size * (1 + 1e-6) or bottom < north - size * (1 + 1e-6):
        return geographic_box(view)
    return geographic_box(View(view.crs, view.period, west, north, size, size, 1, 1))


def _meet(one: Box, other: Box) -> bool:
    """Tell whether two boxes may overlap; one that crosses the antimeridian may be anywhere."""
    if one[0] > one[2] or other[0] > other[2]:
        return one[1] <= other[3] and one[3] >= other[1]
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]
