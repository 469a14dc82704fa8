"""What a client may say of a tile: FastAPI dependencies in place of TiTiler's own.

They are coroutines, because FastAPI runs a plain function in a thread, which costs more than
any of these does; and they leave out what TiTiler would accept but masks do not need: band
maths, algorithms, colour maps and resampling, which is always nearest.
"""

from dataclasses import dataclass
from typing import Annotated, Any

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


async def no_environment() -> dict[str, Any]:
    """Change nothing in GDAL's environment."""
    return {}


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
