"""Queryables: what can be asked of an Item, and what pgstac keeps an index of."""

from typing import Any

_FRACTION = {"type": "number", "minimum": 0, "maximum": 1}


def _fraction(title: str, description: str) -> dict[str, Any]:
    return {"title": title, "description": description, **_FRACTION}


PROPERTIES: dict[str, dict[str, Any]] = {
    "eo:cloud_cover": {
        "title": "Cloud cover",
        "description": "Cloud and semi-transparent cloud, per cent of the valid area",
        "type": "number",
        "minimum": 0,
        "maximum": 100,
    },
    "nimbostac:clear": _fraction("Clear", "Share of the valid area, 0 to 1"),
    "nimbostac:cloud_shadow": _fraction("Cloud shadow", "Share of the valid area, 0 to 1"),
    "nimbostac:semi_transparent": _fraction(
        "Semi-transparent cloud", "Share of the valid area, 0 to 1"
    ),
    "nimbostac:cloud": _fraction("Cloud", "Share of the valid area, 0 to 1"),
    "nimbostac:missing": _fraction(
        "Missing or invalid", "Share of all pixels that the product covers, 0 to 1"
    ),
    "nimbostac:engine": {"title": "Engine", "type": "string"},
    "nimbostac:engine_version": {"title": "Engine version", "type": "string"},
    "nimbostac:level": {"title": "Product level", "type": "string", "enum": ["L1C", "L2A"]},
    "nimbostac:baseline": {
        "title": "Processing baseline",
        "description": "Of the product, with its dot, such as 04.00",
        "type": "string",
    },
    "grid:code": {
        "title": "Tile",
        "description": "MGRS tile, such as MGRS-33UUU",
        "type": "string",
    },
    "platform": {
        "title": "Platform",
        "type": "string",
        "enum": ["sentinel-2a", "sentinel-2b", "sentinel-2c", "sentinel-2d"],
    },
    "sat:relative_orbit": {
        "title": "Relative orbit",
        "type": "integer",
        "minimum": 1,
        "maximum": 143,
    },
    "view:sun_elevation": {
        "title": "Sun elevation",
        "description": "Degrees above the horizon",
        "type": "number",
    },
    "created": {"title": "Created", "type": "string", "format": "date-time"},
    "updated": {"title": "Updated", "type": "string", "format": "date-time"},
}
"""JSON Schema by property name."""

INDEXED = ("eo:cloud_cover", "grid:code")
"""What people narrow by beside place and time; every index slows loading down."""
