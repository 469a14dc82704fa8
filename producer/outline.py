"""The outline of what holds data, from the ground to longitudes and latitudes."""

from rasterio.warp import transform
from shapely import get_coordinates, segmentize
from shapely.geometry.base import BaseGeometry

_STEP_M = 10_000
"""A straight edge in UTM bends in degrees; by less than a pixel between corners so far apart."""

Ring = tuple[tuple[float, float], ...]


def ring_of(outline: BaseGeometry, epsg: int) -> Ring:
    """Turn an outline on the ground into one for metadata.

    Args:
        outline: One polygon without holes: eastings and northings, metres.
        epsg: Their CRS.

    Returns:
        Closed ring of (longitude, latitude), degrees.
    """
    eastings, northings = get_coordinates(segmentize(outline, _STEP_M)).T
    longitudes, latitudes = transform(f"EPSG:{epsg}", "EPSG:4326", eastings, northings)
    return tuple(zip(longitudes, latitudes, strict=True))
