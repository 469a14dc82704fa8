"""What is asked of a backfill, checked where it comes in."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ingest.errors import BackfillSpecError
from ingest.filters import Filters, area_of, area_of_bbox
from ingest.sources import Source
from ingest.sources.bucket import BucketSource
from ingest.sources.folder import FolderSource
from ingest.sources.layout import Layout
from ingest.sources.names import NamesSource
from ingest.sources.several import SeveralSources
from producer.tiles import tile_grid

MOST_NAMES = 20_000
"""Names that may be given with the backfill; more belong into a file."""

Level = Literal["L1C", "L2A"]
Text = Annotated[str, Field(min_length=1)]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FolderPlace(_Asked):
    """A folder tree, as every worker sees it; or a single product."""

    kind: Literal["folder"] = "folder"
    address: Text
    also: tuple[Text, ...] = ()
    """More of them."""

    @field_validator("address", "also")
    @classmethod
    def _absolute(cls, told: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for path in (told,) if isinstance(told, str) else told:
            if not path.startswith("/"):
                raise ValueError(f"{path!r} is not absolute: another process would look elsewhere")
        return told

    def open(self) -> Source:
        """Give the source."""
        folders = [FolderSource(Path(path)) for path in (self.address, *self.also)]
        return SeveralSources(folders) if self.also else folders[0]


class BucketPlace(_Asked):
    """A prefix of a bucket."""

    kind: Literal["bucket"] = "bucket"
    address: Annotated[str, Field(pattern=r"^(s3|gs|az)://[^/]")]

    def open(self) -> Source:
        """Give the source.

        Raises:
            SourceRefusedError: The address cannot be.
        """
        return BucketSource.of(self.address)


class StacPlace(_Asked):
    """A STAC API."""

    kind: Literal["stac"] = "stac"
    address: Annotated[str, Field(pattern=r"^https?://[^/]")]
    collections: tuple[Text, ...] = ()
    """Which ones to search; all of them without."""
    asset: Text | None = None
    """Key of the asset that is the product; without it, every asset is looked at."""
    root: Text | None = None
    """Locates products in the layout of CREODIAS, instead of assets: ``/eodata``, ``s3://eodata``."""

    def open(self) -> Source:
        """Give the source."""
        # Only now: it takes most of a second to import.
        from ingest.sources.stac_api import StacApiSource  # noqa: PLC0415

        layout = None if self.root is None else Layout(self.root)
        return StacApiSource(self.address, self.collections, self.asset, layout)


class NamesPlace(_Asked):
    """A list of names, paths or addresses of products."""

    kind: Literal["names"] = "names"
    address: Text | None = None
    """A text file with one a line, as the dispatcher sees it."""
    names: Annotated[tuple[Text, ...], Field(max_length=MOST_NAMES)] = ()
    """They themselves, instead of a file."""
    root: Text | None = None
    """Locates what is only a name in the layout of CREODIAS."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.address is None) == (not self.names):
            raise ValueError("wanted either a file as the address, or names")
        if self.address is not None and not self.address.startswith("/"):
            raise ValueError(f"{self.address!r} is not absolute")
        return self

    def open(self) -> Source:
        """Give the source."""
        layout = None if self.root is None else Layout(self.root)
        return NamesSource(self.names, Path(self.address) if self.address else None, layout)


Place = Annotated[FolderPlace | BucketPlace | StacPlace | NamesPlace, Field(discriminator="kind")]


class FilterSpec(_Asked):
    """Which products are wanted."""

    start: date | None = None
    """First day of sensing, UTC."""
    end: date | None = None
    """Last day of sensing, itself included."""
    tiles: tuple[str, ...] = ()
    """MGRS tiles, with or without their ``T``."""
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees; west is greater than east across the antimeridian."""
    geometry: dict[str, Any] | None = None
    """GeoJSON Polygon or MultiPolygon, WGS84, instead of a box."""
    level: Level | None = None
    baseline_min: Annotated[str, Field(pattern=r"^\d\d\.\d\d$")] | None = None
    max_cloud: Annotated[float, Field(ge=0, le=100)] | None = None
    """Per cent of the tile; where the source does not tell it, the product is kept."""

    @field_validator("tiles")
    @classmethod
    def _known_tiles(cls, tiles: tuple[str, ...]) -> tuple[str, ...]:
        found = []
        for tile in tiles:
            name = tile.upper().removeprefix("T")
            try:
                tile_grid(name)
            except (ValueError, IndexError) as error:
                raise ValueError(f"there is no MGRS tile {tile!r}; wanted such as 33UUU") from error
            found.append(name)
        return tuple(found)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.start is not None and self.end is not None and self.start > self.end:
            raise ValueError(f"it would end on {self.end}, before it begins on {self.start}")
        if self.bbox is not None and self.geometry is not None:
            raise ValueError("wanted a box or a polygon, not both")
        self.filters()
        return self

    def filters(self) -> Filters:
        """Give the filters."""
        area = None
        if self.bbox is not None:
            area = area_of_bbox(*self.bbox)
        elif self.geometry is not None:
            area = area_of(self.geometry)
        return Filters(
            start=self.start,
            end=self.end,
            tiles=frozenset(self.tiles),
            area=area,
            level=self.level,
            baseline_min=self.baseline_min,
            max_cloud=self.max_cloud,
        )


class BackfillSpec(_Asked):
    """What is asked of a backfill."""

    kind: Literal["backfill", "watch"] = "backfill"
    name: str = ""
    """For people."""
    source: Place
    filters: FilterSpec = FilterSpec()
    engine: Text = "auto"
    priority: Annotated[int, Field(ge=0, le=9)] = 5
    """0, live, to 9."""
    lookback_days: Annotated[int, Field(ge=1, le=3650)] = 14
    """A watch looks at products sensed so long before its last look: they come late."""

    @classmethod
    def read(cls, told: Any) -> Self:  # noqa: ANN401 - checked here
        """Check what came from outside.

        Raises:
            BackfillSpecError: It makes no sense; says what.
        """
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            raise BackfillSpecError(in_words(error)) from error


class StoredSpec(BackfillSpec):
    """What the ledger keeps: what was asked, and what was made of it."""

    engine_reason: str = ""
    """Why this engine was taken, where ``auto`` was asked for."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Version of the engine by level: what it has masked is done."""


def in_words(error: ValidationError) -> str:
    """Say in one line what is wrong."""
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'backfill'}:"
        f" {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors()
    )
