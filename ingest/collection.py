"""Collections: one an engine and level, with everything that its Items have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest.extent import Extent
from producer.classes import CLASSES, MaskClass
from producer.layout import (
    CATEGORIES,
    MASK,
    METADATA,
    PREVIEW,
    PROBABILITIES,
    THUMBNAIL,
    collection_id,
)
from producer.record import EngineRecord

STAC_VERSION = "1.1.0"

_SCHEMA = "https://stac-extensions.github.io/{}/schema.json"
CLASSIFICATION = _SCHEMA.format("classification/v2.0.0")
EO = _SCHEMA.format("eo/v2.0.0")
FILE = _SCHEMA.format("file/v2.1.0")
GRID = _SCHEMA.format("grid/v1.1.0")
MGRS = _SCHEMA.format("mgrs/v1.0.0")
PROCESSING = _SCHEMA.format("processing/v1.2.0")
PROJECTION = _SCHEMA.format("projection/v2.0.0")
RASTER = _SCHEMA.format("raster/v2.0.0")
RENDER = _SCHEMA.format("render/v2.0.0")
SATELLITE = _SCHEMA.format("sat/v1.1.0")
VERSION = _SCHEMA.format("version/v1.2.0")
VIEW = _SCHEMA.format("view/v1.1.0")

COG_MEDIA_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
RESOLUTION_M = 10

_LEGAL_NOTICE = "https://sentinels.copernicus.eu/documents/247904/690755/Sentinel_Data_Legal_Notice"
_ZOOMS = [6, 14]
"""A tile of 110 km fills one map tile at zoom 8; beyond 14 a 10 m pixel is only drawn larger."""


@dataclass(frozen=True, slots=True)
class _Method:
    """What people want to know of an engine."""

    title: str
    about: str
    href: str
    probabilities: bool = False
    """Whether it can give them."""


_METHODS = {
    "ukis-csmask": _Method(
        "ukis-csmask",
        "ukis-csmask, a U-Net of the German Aerospace Center (DLR), which works at 30 m;"
        " its masks are brought to the 10 m grid",
        "https://github.com/dlr-eoc/ukis-csmask",
    ),
    "kappamask": _Method(
        "KappaMask",
        "KappaMask, a DeepLabv3+ of KappaZeta, which works at 10 m",
        "https://github.com/kappazeta/km_predict",
        probabilities=True,
    ),
}


def classes(known: Sequence[MaskClass]) -> list[dict[str, Any]]:
    """Describe the classes that may be found in a mask.

    Args:
        known: Classes that the engine can tell apart; no data and missing come along always.
    """
    return [
        {
            "value": int(info.value),
            "name": info.name,
            "title": info.title,
            "description": info.title,
            "color_hint": info.hex,
            **({"nodata": True} if info.value is MaskClass.NO_DATA else {}),
        }
        for info in CLASSES
        if info.value in {*known, MaskClass.NO_DATA, MaskClass.MISSING}
    ]


def assets(known: Sequence[MaskClass]) -> dict[str, dict[str, Any]]:
    """Describe the assets of every Item, by key, without what differs from one to the next."""
    colors = (("B04", "red"), ("B03", "green"), ("B02", "blue"))
    return {
        MASK: {
            "type": COG_MEDIA_TYPE,
            "title": "Cloud mask",
            "description": "Class codes, one byte a pixel, with a palette",
            "roles": ["data", "cloud", "cloud-shadow"],
            "data_type": "uint8",
            "nodata": int(MaskClass.NO_DATA),
            "gsd": RESOLUTION_M,
            "raster:sampling": "area",
            "raster:spatial_resolution": RESOLUTION_M,
            "classification:classes": classes(known),
            "bands": [{"name": "mask", "description": "Class of the pixel"}],
        },
        PREVIEW: {
            "type": COG_MEDIA_TYPE,
            "title": "True-colour preview",
            "description": "The product in natural colours, reduced, for looking at",
            "roles": ["overview", "visual"],
            "data_type": "uint8",
            "bands": [{"name": name, "eo:common_name": color} for name, color in colors],
        },
        PROBABILITIES: {
            "type": COG_MEDIA_TYPE,
            "title": "Probabilities",
            "description": "How likely each class is: 0 to 255 for 0 to 1",
            "roles": ["data", "probability"],
            "data_type": "uint8",
            "gsd": RESOLUTION_M,
            "raster:scale": 1 / 255,
            "raster:spatial_resolution": RESOLUTION_M,
            # The networks' first class is none of a mask's, which says "no data" there.
            "bands": [{"name": name} for name in ("undefined", *(c.name for c in CLASSES[1:]))],
        },
        THUMBNAIL: {
            "type": "image/png",
            "title": "Thumbnail",
            "description": "The mask in the colours of its classes",
            "roles": ["thumbnail"],
        },
        CATEGORIES: {
            "type": "application/xml",
            "title": "Class names",
            "description": "Read by GDAL and QGIS where it lies beside the mask",
            "roles": ["metadata"],
        },
        METADATA: {
            "type": "application/json",
            "title": "Record",
            "description": "How the mask was made",
            "roles": ["metadata"],
        },
    }


def collection(engine: EngineRecord, level: str, extent: dict[str, Any]) -> dict[str, Any]:
    """Build the Collection of one engine and level.

    Args:
        engine: The engine, as any record of the Collection has it.
        level: ``L1C`` or ``L2A``.
        extent: STAC extent, such as ``Extent.to_stac`` gives.
    """
    method = _METHODS.get(engine.name) or _Method(engine.name, engine.name, "")
    told = [info.title.lower() for info in CLASSES if info.value in engine.classes]
    about = [{"rel": "about", "href": method.href, "title": method.title}] if method.href else []
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [CLASSIFICATION, EO, RASTER, RENDER],
        "id": collection_id(engine.name, level),
        "title": f"Cloud masks of Sentinel-2 {level} by {method.title}",
        "description": (
            f"Masks of clouds and cloud shadows of Sentinel-2 Level-{level.removeprefix('L')}"
            f" products at {RESOLUTION_M} m, made by {method.about}."
            f" Tells apart: {', '.join(told)}."
        ),
        "license": "other",
        "keywords": ["Sentinel-2", level, "cloud mask", "cloud shadow", method.title, "COG"],
        "providers": [
            {
                "name": "European Union, ESA, Copernicus",
                "roles": ["producer", "licensor"],
                "url": "https://sentinels.copernicus.eu",
            },
            {
                "name": "Nimbostac",
                "roles": ["processor"],
                "url": "https://github.com/nimbostac/nimbostac",
            },
        ],
        "extent": extent,
        "summaries": {
            "constellation": ["sentinel-2"],
            "instruments": ["msi"],
            "gsd": [RESOLUTION_M],
            "nimbostac:engine": [engine.name],
            "nimbostac:level": [level],
        },
        "item_assets": {
            key: asset
            for key, asset in assets(engine.classes).items()
            if key != PROBABILITIES or method.probabilities
        },
        "renders": {"mask": _render(), "preview": _preview_render()},
        "links": [
            {
                "rel": "license",
                "href": _LEGAL_NOTICE,
                "type": "application/pdf",
                "title": "Legal notice on the use of Copernicus Sentinel data",
            },
            *about,
        ],
    }


FULL_EXTENT: dict[str, Any] = {
    "spatial": {"bbox": [[-180.0, -90.0, 180.0, 90.0]]},
    "temporal": {"interval": [["2015-06-23T00:00:00Z", None]]},
}
"""What a Collection may come to hold: the Earth since Sentinel-2A was launched."""


def extent_of(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Reach around Items; there must be one at least."""
    return Extent.around(Extent.of_item(item) for item in items).to_stac()


def _render() -> dict[str, Any]:
    return {
        "title": "Cloud mask",
        "assets": [MASK],
        "nodata": int(MaskClass.NO_DATA),
        "resampling": "nearest",
        "colormap": {str(int(info.value)): list(info.color) for info in CLASSES},
        "minmax_zoom": _ZOOMS,
    }


def _preview_render() -> dict[str, Any]:
    return {"title": "True colour", "assets": [PREVIEW], "bidx": [1, 2, 3], "resampling": "average"}
