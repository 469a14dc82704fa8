"""WMTS of a mosaic by day: its layer once more, with a TIME dimension that QGIS steps through."""

from collections.abc import Sequence
from copy import deepcopy
from xml.etree.ElementTree import (
    Element,
    SubElement,
    fromstring,
    register_namespace,
    tostring,
)

_WMTS = "http://www.opengis.net/wmts/1.0"
_OWS = "http://www.opengis.net/ows/1.1"
_SET = "WebMercatorQuad"

for _prefix, _uri in {
    "": _WMTS,
    "ows": _OWS,
    "xlink": "http://www.w3.org/1999/xlink",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "gml": "http://www.opengis.net/gml",
}.items():
    register_namespace(_prefix, _uri)


def with_days(capabilities: bytes, days: Sequence[str]) -> bytes:
    """Add the layer by day to a capabilities document.

    Args:
        capabilities: What TiTiler says of a mosaic.
        days: The days on which there is anything, newest first, such as ``2024-06-01``.
    """
    root = fromstring(capabilities)  # noqa: S314 - our own text
    contents = root.find(f"{{{_WMTS}}}Contents")
    if contents is None or not days:
        return capabilities
    layers = contents.findall(f"{{{_WMTS}}}Layer")
    base = next((layer for layer in layers if _linked_set(layer) == _SET), None)
    if base is None:
        return capabilities
    contents.insert(0, _by_day(base, days))
    whole: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return whole


def _linked_set(layer: Element) -> str | None:
    return layer.findtext(f"{{{_WMTS}}}TileMatrixSetLink/{{{_WMTS}}}TileMatrixSet")


def _by_day(base: Element, days: Sequence[str]) -> Element:
    layer = deepcopy(base)
    for name in ("Title", "Identifier"):
        part = layer.find(f"{{{_OWS}}}{name}")
        if part is not None:
            part.text = f"{part.text}_by_day"
    dimension = Element(f"{{{_WMTS}}}Dimension")
    SubElement(dimension, f"{{{_OWS}}}Identifier").text = "TIME"
    SubElement(dimension, f"{{{_OWS}}}UOM").text = "ISO8601"
    SubElement(dimension, f"{{{_WMTS}}}Default").text = days[0]
    SubElement(dimension, f"{{{_WMTS}}}Current").text = "false"
    for day in days:
        SubElement(dimension, f"{{{_WMTS}}}Value").text = day
    # The schema's order: formats, dimensions, links to tile matrix sets, addresses.
    links = [i for i, part in enumerate(layer) if part.tag == f"{{{_WMTS}}}TileMatrixSetLink"]
    layer.insert(links[0], dimension)
    for address in layer.findall(f"{{{_WMTS}}}ResourceURL"):
        template = address.get("template", "")
        joint = "&" if "?" in template else "?"
        address.set("template", f"{template}{joint}datetime={{TIME}}")
    return layer
