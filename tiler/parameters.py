"""What a client may say of a tile: FastAPI dependencies in place of TiTiler's own.

They are coroutines, because FastAPI runs a plain function in a thread, which costs more than
any of these does; and they leave out what TiTiler would accept but masks do not need: band
maths, algorithms, colour maps and resampling, which is always nearest.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Query
from titiler.core.dependencies import DefaultDependency

from producer.classes import CLASSES, MaskClass
from producer.layout import MASK
from tiler.style import MAX_BUFFER_M, Style


@dataclass
class Nothing(DefaultDependency):
    """No option at all."""


async def nothing() -> Nothing:
    """Take no option."""
    return Nothing()


async def no_process() -> None:
    """Run no algorithm."""


async def gdal_environment() -> dict[str, str]:
    """Tell GDAL how to read COGs, and of the bucket's server that ours are told of."""
    return gdal_options()


def gdal_options() -> dict[str, str]:
    """Give what GDAL is told wherever it reads."""
    return _gdal_environment(os.environ.get("AWS_ENDPOINT_URL", ""))


@lru_cache(maxsize=4)
def _gdal_environment(endpoint: str) -> dict[str, str]:
    options = {
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
        "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif",
    }
    if endpoint:
        parts = urlsplit(endpoint)
        # GDAL has its own names for what everyone else calls AWS_ENDPOINT_URL.
        options["AWS_S3_ENDPOINT"] = parts.netloc
        options["AWS_HTTPS"] = "YES" if parts.scheme == "https" else "NO"
        options["AWS_VIRTUAL_HOSTING"] = "FALSE"
    return options


async def no_colormap() -> None:
    """Take no colours from a client; the classes have theirs."""


@dataclass
class LayerParams(DefaultDependency):
    """Which asset is drawn."""

    assets: list[str]


AssetNames = Annotated[
    list[str],
    Query(
        title="Asset names",
        description="Assets of the Item: `mask` (default), `preview` for true colour.",
    ),
]


async def layer(assets: AssetNames = [MASK]) -> LayerParams:  # noqa: B006 - FastAPI copies it
    """Take the mask unless something else is asked for."""
    return LayerParams(assets)


@dataclass
class DrawingParams(DefaultDependency):
    """How a mask is drawn."""

    style: Style


async def drawing(
    classes: Annotated[
        str | None,
        Query(description="Only these classes, such as `cloud,cloud_shadow`."),
    ] = None,
    buffer_m: Annotated[
        str | None,
        Query(
            description="Grow cloud and shadow over clear ground by this many metres,"
            f" at most {MAX_BUFFER_M:.0f}."
        ),
    ] = None,
) -> DrawingParams:
    """Take the classes that are shown, and how far they grow."""
    return DrawingParams(Style.parse(classes, buffer_m))


@dataclass
class StatisticsParams(DefaultDependency):
    """Counts by class for a mask, TiTiler's usual numbers for anything else."""

    categorical: bool
    categories: list[int] | None


async def statistics(assets: AssetNames = [MASK]) -> StatisticsParams:  # noqa: B006
    """Count classes of a mask."""
    if assets == [MASK]:
        values = [info.value.value for info in CLASSES if info.value is not MaskClass.NO_DATA]
        return StatisticsParams(categorical=True, categories=values)
    return StatisticsParams(categorical=False, categories=None)
