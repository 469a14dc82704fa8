"""The record of a mask: JSON beside its COG, from which the catalogue can be rebuilt."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from producer.classes import VALID_CLASSES, MaskClass
from producer.errors import RecordError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class WeightsRecord(_Frozen):
    """Trained weights that made the mask."""

    name: str
    sha256: str


class EngineRecord(_Frozen):
    """The engine that made the mask."""

    name: str
    version: str
    classes: tuple[MaskClass, ...]
    """Classes that it can tell apart."""
    weights: WeightsRecord | None = None


class GridRecord(_Frozen):
    """Where the mask lies."""

    epsg: int
    transform: tuple[float, float, float, float, float, float]
    """Affine coefficients a to f: from (column, row) to (easting, northing)."""
    shape: tuple[int, int]
    """Rows and columns."""


class SourceRecord(_Frozen):
    """What is known of the product that was masked."""

    name: str
    """Product name without ``.SAFE``."""
    uri: str
    """Where it was read from."""
    sensed: datetime
    """Sensing time of the tile, UTC."""
    baseline: str
    """Processing baseline with its dot, such as ``04.00``."""
    footprint: dict[str, Any]
    """GeoJSON geometry of the pixels that hold data, WGS84, split at the antimeridian."""
    datatake: str | None = None
    """Datatake identifier."""
    sun_azimuth: float | None = None
    """Degrees clockwise from north, mean of the tile."""
    sun_elevation: float | None = None
    """Degrees above the horizon, mean of the tile."""
    view_azimuth: float | None = None
    """Degrees clockwise from north, mean over bands."""
    view_off_nadir: float | None = None
    """Incidence zenith angle in degrees, mean over bands."""
    cloud_cover: float | None = None
    """Per cent, as the product's own metadata have it."""


class FileRecord(_Frozen):
    """One file that belongs to the mask."""

    key: str
    """File name; the file lies beside the record."""
    media_type: str
    size: int
    """Bytes."""
    sha256: str
    grid: GridRecord | None = None
    """Its own grid, where that is not the mask's."""


class MaskRecord(_Frozen):
    """Everything that is known of one mask."""

    record_version: Literal[1] = 1
    product: str
    """Product name without ``.SAFE``; the Item id."""
    level: str
    created: datetime
    engine: EngineRecord
    software: dict[str, str]
    """Versions by package name."""
    source: SourceRecord
    grid: GridRecord
    pixels: Annotated[dict[MaskClass, int], Field(description="Pixel counts by class value")]
    files: dict[str, FileRecord]
    """By asset key: ``mask``, ``thumbnail``, ``preview`` and, if asked for, ``probabilities``."""
    timings_s: dict[str, float]
    """Seconds by step."""
    notes: tuple[str, ...] = ()
    """What a reader should know, such as why this engine was taken."""

    @classmethod
    def parse(cls, text: str | bytes, source: str) -> Self:
        """Read a record.

        Args:
            text: JSON.
            source: What the error should call it.

        Raises:
            RecordError: The text is no record, or of a version that is not known.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise RecordError(source, f"{where}: {first['msg']}") from error

    def share(self, wanted: MaskClass) -> float:
        """Share of one class among the pixels inside the product, 0 to 1.

        Classes that say something about the sky share what is valid; ``MISSING`` shares
        everything but no data.
        """
        return share(self.pixels, wanted)


def share(pixels: Mapping[MaskClass, int], wanted: MaskClass) -> float:
    """Share of one class, as :meth:`MaskRecord.share` defines it; 0 where nothing is valid."""
    among = VALID_CLASSES if wanted in VALID_CLASSES else (*VALID_CLASSES, MaskClass.MISSING)
    total = sum(pixels.get(value, 0) for value in among)
    return pixels.get(wanted, 0) / total if total else 0.0
