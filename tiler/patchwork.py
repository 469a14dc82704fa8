"""Tiles of a mosaic: Items laid over each other until no pixel is left without data."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from rasterio.crs import CRS

from producer.layout import MASK
from tiler.draw import Classes, draw, paint
from tiler.images import ClassImage
from tiler.items import StoredAsset
from tiler.mosaic import Box, Found, Mosaic, Place
from tiler.objects import is_remote
from tiler.rasters import MosaicSource
from tiler.style import Style
from tiler.views import View, geographic_box, pixel_slices

_CELLS = 256
"""Cells around the equator: tiles of zoom 8 and deeper share what was found."""
_COARSE_M = 1000.0
_AHEAD = 64
"""Masks that a map of a continent reads side by side."""
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


class Unseen:
    """A tile of a mosaic before it is drawn: the Items that may be seen in it."""

    def __init__(self, find: Callable[[Place], Found], mosaic: Mosaic, view: View) -> None:
        """Find the Items.

        Args:
            find: Gives the Items of a place.
            mosaic: Which Items, and in which order.
            view: Where.
        """
        box = geographic_box(view)
        self.view = view
        self._is_coarse = _pixel_m(view, box) >= _COARSE_M
        shared = Place(mosaic, box if self._is_coarse else _cell(view), self._is_coarse)
        found = find(shared)
        if found.is_cut and not self._is_coarse:
            found = find(Place(mosaic, box, is_coarse=False))
        self._is_cut = found.is_cut
        self._items = [
            (item, item.assets[MASK])
            for item in found.items
            if MASK in item.assets and _meet(item.bbox, box)
        ]

    @property
    def made_of(self) -> tuple[str, ...]:
        """The versions of all that may be seen."""
        return (str(self._is_cut), *(asset.version for _, asset in self._items))

    def draw(self, rasters: MosaicSource, style: Style) -> Patchwork:
        """Lay the Items over each other.

        Args:
            rasters: Where masks come from.
            style: How.
        """
        work = Patchwork(self.view, is_cut=self._is_cut)
        # Classes are left out last, or what lies beneath would show where they were.
        whole = replace(style, classes=None)
        canvas: Classes | None = None
        for number, (item, asset) in enumerate(self._items):
            if self._is_coarse and number % _AHEAD == 0:
                rasters.ahead(self._waiting(number, canvas))
            if canvas is not None and not self._has_room(canvas, item.bbox):
                work.hidden += 1
                continue
            if canvas is None:
                drawn = draw(rasters, asset, self.view, whole, coarse=self._is_coarse)
                if drawn is None or not np.any(drawn):
                    continue
                shape = (self.view.height, self.view.width)
                canvas = np.full(shape, drawn, np.uint8) if isinstance(drawn, int) else drawn
            elif not paint(rasters, asset, self.view, whole, canvas, coarse=self._is_coarse):
                work.hidden += 1
                continue
            work.used.append(f"{item.collection}/{item.id}")
        if canvas is not None:
            work.drawn = style.shown(canvas)
        return work

    def _waiting(self, number: int, canvas: Classes | None) -> list[StoredAsset]:
        """List the next masks that will have to be waited for.

        Reading files is work and not waiting: threads would only be in each other's way.
        """
        return [
            asset
            for item, asset in self._items[number : number + _AHEAD]
            if is_remote(asset.href) and (canvas is None or self._has_room(canvas, item.bbox))
        ]

    def _has_room(self, canvas: Classes, box: Box) -> bool:
        """Tell whether a canvas holds no data anywhere in a box."""
        part = pixel_slices(self.view, box) if self._is_coarse else None
        return not (canvas if part is None else canvas[part]).all()


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
