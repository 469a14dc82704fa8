"""What a product's own XML says: ``MTD_MSIL1C.xml`` or ``MTD_MSIL2A.xml``, and ``MTD_TL.xml``."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from producer.errors import BaselineError, ProductNameError
from producer.grid import Grid
from producer.product import ProductName
from producer.safe.footprint import footprint
from producer.safe.spectrum import BAND_IDS, NATIVE_RESOLUTION_M, RESOLUTIONS_M
from producer.safe.tree import Tree

_BASELINE = re.compile(r"\d\d\.\d\d")
# 99.99 is what ESA's test and reprocessing chains write. An offset is always published since
# 04.00 (25 January 2022), and reprocessed older products (05.00 and later) carry it too.
_KNOWN = ("02.00", "05.99")
_TEST_BASELINE = "99.99"
_FIRST_WITH_OFFSETS = "04.00"
_EPSG = re.compile(r"EPSG:(32[67](?:0[1-9]|[1-5]\d|60))")


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What the product's XML says."""

    name: ProductName
    baseline: str
    quantification: float
    offsets: Mapping[str, int]
    footprint: dict[str, Any]
    datatake: str | None
    cloud_cover: float | None


@dataclass(frozen=True, slots=True)
class TileFacts:
    """What the tile's XML says."""

    sensed: datetime
    grids: Mapping[int, Grid]
    """By resolution in metres."""
    sun_azimuth: float | None
    sun_elevation: float | None
    view_azimuth: float | None
    view_off_nadir: float | None


def product_facts(tree: Tree) -> ProductFacts:
    """Read the product's XML.

    Raises:
        BaselineError: A processing baseline that nobody has seen.
        MetadataError: Something needed is missing or broken.
    """
    try:
        name = ProductName.parse(tree.text("PRODUCT_URI"))
    except ProductNameError as error:
        raise tree.fail(f"PRODUCT_URI: {error}") from error
    baseline = tree.text("PROCESSING_BASELINE")
    known = _BASELINE.fullmatch(baseline) and _KNOWN[0] <= baseline <= _KNOWN[1]
    if not known and baseline != _TEST_BASELINE:
        raise BaselineError(tree.source, baseline)
    divisor = "QUANTIFICATION_VALUE" if name.level == "L1C" else "BOA_QUANTIFICATION_VALUE"
    quantification = _optional(tree, divisor)
    if quantification is None or quantification <= 0:
        raise tree.fail(f"{divisor} is missing or not positive")
    datatake = tree.find("Datatake")
    return ProductFacts(
        name=name,
        baseline=baseline,
        quantification=quantification,
        offsets=_offsets(tree, name.level, baseline),
        footprint=_footprint(tree),
        datatake=None if datatake is None else datatake.get("datatakeIdentifier"),
        cloud_cover=_optional(tree, "Cloud_Coverage_Assessment"),
    )


def tile_facts(tree: Tree) -> TileFacts:
    """Read the tile's XML.

    Raises:
        MetadataError: Something needed is missing or broken.
    """
    sun = _angles(tree, "Mean_Sun_Angle")
    view = _angles(tree, "Mean_Viewing_Incidence_Angle")
    return TileFacts(
        sensed=tree.time("SENSING_TIME"),
        grids=_grids(tree),
        sun_azimuth=sun[1] if sun else None,
        sun_elevation=90.0 - sun[0] if sun else None,
        view_azimuth=view[1] if view else None,
        view_off_nadir=view[0] if view else None,
    )


def _offsets(tree: Tree, level: str, baseline: str) -> dict[str, int]:
    tag = "RADIO_ADD_OFFSET" if level == "L1C" else "BOA_ADD_OFFSET"
    offsets = dict.fromkeys(NATIVE_RESOLUTION_M, 0)
    listed = set()
    for element in tree.all(tag):
        number = element.get("band_id", "")
        if not number.isdigit() or int(number) >= len(BAND_IDS):
            raise tree.fail(f"{tag} has band_id {number!r}, wanted 0 to {len(BAND_IDS) - 1}")
        band = BAND_IDS[int(number)]
        listed.add(band)
        offsets[band] = round(tree.number(element))
    lacking = [band for band in BAND_IDS if band not in listed]
    if level == "L2A" and "B10" in lacking:
        lacking.remove("B10")
    # A list with holes is as much of a guess as none; before 04.00 there need not be one.
    if lacking and (listed or baseline >= _FIRST_WITH_OFFSETS):
        raise tree.fail(f"{tag} of {', '.join(lacking)} is missing, baseline {baseline} has one")
    return offsets


def _footprint(tree: Tree) -> dict[str, Any]:
    rings = []
    for element in tree.all("EXT_POS_LIST"):
        try:
            numbers = [float(word) for word in (element.text or "").split()]
        except ValueError as error:
            raise tree.fail(f"EXT_POS_LIST: {error}") from error
        if len(numbers) % 2 or not all(map(math.isfinite, numbers)):
            raise tree.fail("EXT_POS_LIST is no list of latitudes and longitudes")
        rings.append(list(zip(numbers[1::2], numbers[::2], strict=True)))
    if not rings:
        raise tree.fail("EXT_POS_LIST is missing")
    try:
        return footprint(rings)
    except ValueError as error:
        raise tree.fail(f"EXT_POS_LIST: {error}") from error


def _grids(tree: Tree) -> dict[int, Grid]:
    code = tree.text("HORIZONTAL_CS_CODE")
    match = _EPSG.fullmatch(code)
    if match is None:
        raise tree.fail(f"HORIZONTAL_CS_CODE is {code!r}, wanted a UTM zone such as EPSG:32635")
    sizes = {element.get("resolution"): element for element in tree.all("Size")}
    places = {element.get("resolution"): element for element in tree.all("Geoposition")}
    grids = {}
    for resolution in RESOLUTIONS_M:
        size, place = sizes.get(str(resolution)), places.get(str(resolution))
        if size is None or place is None:
            raise tree.fail(f"size or position of the {resolution} m grid is missing")
        grids[resolution] = Grid(
            epsg=int(match[1]),
            x_m=tree.child_number(place, "ULX"),
            y_m=tree.child_number(place, "ULY"),
            resolution_m=resolution,
            width=int(tree.child_number(size, "NCOLS")),
            height=int(tree.child_number(size, "NROWS")),
        )
        if min(grids[resolution].shape) < 1:
            raise tree.fail(f"the {resolution} m grid is empty")
    return grids


def _angles(tree: Tree, tag: str) -> tuple[float, float] | None:
    """Mean zenith and azimuth in degrees; the azimuth by its vectors, for north is 0 and 360."""
    angles = []
    for element in tree.all(tag):
        zenith = tree.child_number(element, "ZENITH_ANGLE")
        azimuth = math.radians(tree.child_number(element, "AZIMUTH_ANGLE"))
        angles.append((zenith, math.sin(azimuth), math.cos(azimuth)))
    if not angles:
        return None
    zenith, east, north = (sum(column) / len(angles) for column in zip(*angles, strict=True))
    return zenith, math.degrees(math.atan2(east, north)) % 360.0


def _optional(tree: Tree, tag: str) -> float | None:
    element = tree.find(tag)
    return None if element is None else tree.number(element)
