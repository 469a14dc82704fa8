"""Coordinate systems that a client may name.

GDAL opens what it is given as a coordinate system when that is the name of a file or an address;
so only names made of an authority and a code get that far.
"""

import re

from fastapi import Request

from tiler.errors import CrsNameError

_PARAMETERS = ("crs", "coord_crs", "dst_crs", "bbox-crs", "bbox_crs")
_NAME = re.compile(
    r"\[?("
    r"(EPSG|ESRI|OGC|IAU_2015|IGNF):\w{1,16}"
    r"|https?://www\.opengis\.net/def/crs/\w+/[\w.]+/\w{1,16}"
    r"|urn:ogc:def:crs:\w+:[\w.]*:\w{1,16}"
    r")\]?",
    re.IGNORECASE | re.ASCII,
)


async def known_crs(request: Request) -> None:
    """Refuse a request that gives anything but a name where a coordinate system belongs.

    Raises:
        CrsNameError: The text could be a file, an address or a definition.
    """
    query = request.query_params
    for parameter in _PARAMETERS:
        for text in query.getlist(parameter):
            if not _NAME.fullmatch(text):
                raise CrsNameError(parameter, text[:80])
