"""The tiles that an area of interest touches."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rasterio.errors import RasterioError
from rasterio.warp import transform_geom
from shapely.errors import ShapelyError
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from producer.errors import AreaError
from producer.grid import Grid
from producer.kappamask.tiling import SIZE_PX, STRIDE_PX, Tile


def touched(tiles: Sequence[Tile], grid: Grid, area: Mapping[str, Any]) -> list[Tile]:
    """Keep the tiles that an area touches.

    Args:
        tiles: Tiles of a product.
        grid: The product's 10 m grid.
        area: GeoJSON Polygon or MultiPolygon, WGS84.

    Raises:
        AreaError: It is no area, or touches no tile.
    """
    polygon = _projected(area, grid)
    found = [tile for tile in tiles if polygon.intersects(_extent(tile, grid))]
    if not found:
        raise AreaError("the area of interest lies outside of the product")
    return found


def read_area(path: Path) -> dict[str, Any]:
    """Read an area of interest from a GeoJSON file: a geometry, a Feature or several.

    Returns:
        A Polygon or MultiPolygon.

    Raises:
        AreaError: The file cannot be read or holds no polygon.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        polygons = [polygon for part in _geometries(found) for polygon in _polygons(part)]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise AreaError(f"{path} cannot be read as GeoJSON: {error}") from error
    if not polygons:
        raise AreaError(f"{path} holds no polygon")
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _geometries(found: dict[str, Any]) -> list[dict[str, Any]]:
    if found.get("type") == "FeatureCollection":
        return [feature["geometry"] for feature in found["features"]]
    return [found["geometry"] if found.get("type") == "Feature" else found]


def _polygons(geometry: dict[str, Any]) -> list[Any]:
    if geometry.get("type") == "Polygon":
        return [geometry["coordinates"]]
    return list(geometry["coordinates"]) if geometry.get("type") == "MultiPolygon" else []


def _projected(area: Mapping[str, Any], grid: Grid) -> BaseGeometry:
    if area.get("type") not in ("Polygon", "MultiPolygon"):
        kind = area.get("type")
        raise AreaError(f"the area of interest is a {kind}; wanted a Polygon or MultiPolygon")
    try:
        polygon = shape(transform_geom("EPSG:4326", f"EPSG:{grid.epsg}", dict(area)))
    except (RasterioError, ShapelyError, ValueError, TypeError, KeyError, IndexError) as error:
        raise AreaError(f"the area of interest cannot be read: {error}") from error
    if polygon.is_empty or not polygon.is_valid:
        raise AreaError("the area of interest is empty or crosses itself")
    return polygon


def _extent(tile: Tile, grid: Grid) -> BaseGeometry:
    west = grid.x_m + tile.column * STRIDE_PX * grid.resolution_m
    north = grid.y_m - tile.row * STRIDE_PX * grid.resolution_m
    edge = SIZE_PX * grid.resolution_m
    return box(west, north - edge, west + edge, north)
