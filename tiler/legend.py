"""The legend: what each class is called and how it is drawn, as JSON, PNG and SVG."""

from functools import lru_cache
from typing import Annotated, Any
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from fastapi import APIRouter, Query
from starlette.responses import Response

from producer.classes import CLASSES, ClassInfo, MaskClass
from tiler.palette import palette_png
from tiler.style import Style

router = APIRouter(tags=["Legend"])

_ROW_PX, _SWATCH_PX, _GAP_PX = 24, 32, 8
_WIDTH_PX = 240

Names = Annotated[str | None, Query(description="Only these classes, such as `cloud,missing`.")]


def _shown(classes: str | None) -> list[ClassInfo]:
    chosen = Style.parse(classes, None).classes
    drawn = (info for info in CLASSES if info.value is not MaskClass.NO_DATA)
    return [info for info in drawn if chosen is None or info.value in chosen]


@router.get("/legend.json", summary="Legend as JSON")
async def legend_json(classes: Names = None) -> dict[str, Any]:
    """List the classes with their colours."""
    return {
        "classes": [
            {
                "value": info.value.value,
                "name": info.name,
                "title": info.title,
                "color": f"#{info.hex}",
                "opacity": round(info.color[3] / 255, 3),
            }
            for info in _shown(classes)
        ]
    }


@router.get("/legend.svg", summary="Legend as SVG", response_class=Response)
async def legend_svg(classes: Names = None) -> Response:
    """Draw the classes with their titles."""
    shown = _shown(classes)
    height = str(_ROW_PX * len(shown) + _GAP_PX)
    root = Element("svg", xmlns="http://www.w3.org/2000/svg", width=str(_WIDTH_PX), height=height)
    SubElement(root, "rect", width="100%", height="100%", fill="#ffffff")
    for row, info in enumerate(shown):
        top = row * _ROW_PX + _GAP_PX
        SubElement(
            root,
            "rect",
            {
                "x": str(_GAP_PX),
                "y": str(top),
                "width": str(_SWATCH_PX),
                "height": str(_ROW_PX - _GAP_PX),
                "fill": f"#{info.hex}",
                "fill-opacity": f"{info.color[3] / 255:.3f}",
                "stroke": "#666666",
            },
        )
        style = {"font-family": "sans-serif", "font-size": "13", "fill": "#222222"}
        place = {"x": str(_SWATCH_PX + 2 * _GAP_PX), "y": str(top + _ROW_PX - _GAP_PX - 3)}
        SubElement(root, "text", {**place, **style}).text = info.title
    return Response(tostring(root), media_type="image/svg+xml")


@router.get("/legend.png", summary="Legend as PNG", response_class=Response)
async def legend_png(classes: Names = None) -> Response:
    """Draw the classes as patches of colour, in the order of the JSON; titles are in the SVG."""
    return Response(_png(tuple(info.value for info in _shown(classes))), media_type="image/png")


@lru_cache(maxsize=64)
def _png(values: tuple[MaskClass, ...]) -> bytes:
    rows = _ROW_PX * len(values) + _GAP_PX
    canvas = np.zeros((rows, _SWATCH_PX + 2 * _GAP_PX), np.uint8)
    for row, value in enumerate(values):
        top = row * _ROW_PX + _GAP_PX
        canvas[top : top + _ROW_PX - _GAP_PX, _GAP_PX : _GAP_PX + _SWATCH_PX] = value
    return palette_png(canvas)
