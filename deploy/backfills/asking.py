"""Asking for a backfill: what the command line says, put into a description of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from ingest.backfills.spec import MOST_NAMES, BackfillSpec
from ingest.errors import BackfillSpecError, SourceError
from ingest.filters import Filters
from ingest.sources.folder import FolderSource
from producer.engines import names
from producer.engines.choice import AUTO
from producer.errors import AreaError, ProductNameError
from producer.kappamask.area import read_area
from producer.product import ProductName

_BUCKETS = ("s3://", "gs://", "az://")
_WEB = ("http://", "https://")
_ENDINGS = (".SAFE", ".zip")


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Where products are looked for."""

    address: str
    """A folder, an address, or ``@LIST``."""
    collections: Sequence[str] = ()
    asset: str | None = None
    root: str | None = None

    def place(self) -> dict[str, Any]:
        """Describe the source.

        Raises:
            BadParameter: An option that this kind of source does not take.
        """
        told = {"collections": list(self.collections), "asset": self.asset, "root": self.root}
        given = {name: value for name, value in told.items() if value}
        takes: tuple[str, ...] = ()
        if self.address.startswith(_WEB):
            place, takes = {"kind": "stac", "address": self.address}, tuple(told)
        elif self.address.startswith(_BUCKETS):
            place = {"kind": "bucket", "address": self.address}
        elif self.address.startswith("@"):
            file = Path(self.address[1:]).absolute()
            place, takes = {"kind": "names", "address": str(file)}, ("root",)
        else:
            place = {"kind": "folder", "address": str(Path(self.address).expanduser().absolute())}
        surplus = [f"--{name.removesuffix('s')}" for name in given if name not in takes]
        if surplus:
            raise typer.BadParameter(f"{', '.join(surplus)} means nothing for {self.address}")
        return {**place, **given}


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """Which products are wanted."""

    start: datetime | None = None
    end: datetime | None = None
    tiles: Sequence[str] = ()
    bbox: str | None = None
    aoi: Path | None = None
    level: str | None = None
    baseline: str | None = None
    max_cloud: float | None = None

    def described(self) -> dict[str, Any]:
        """Describe the filters.

        Raises:
            BadParameter: A box or an area that is none.
        """
        told: dict[str, Any] = {
            "start": self.start and self.start.date(),
            "end": self.end and self.end.date(),
            "tiles": [part for tile in self.tiles for part in tile.split(",")],
            "level": self.level,
            "baseline_min": self.baseline,
            "max_cloud": self.max_cloud,
        }
        if self.bbox is not None:
            try:
                told["bbox"] = [float(part) for part in self.bbox.split(",")]
            except ValueError as error:
                raise typer.BadParameter(f"{self.bbox!r} is no box; wanted W,S,E,N") from error
        if self.aoi is not None:
            try:
                told["geometry"] = read_area(self.aoi)
            except AreaError as error:
                raise typer.BadParameter(str(error)) from error
        return told


def read(told: dict[str, Any]) -> BackfillSpec:
    """Check a description that options have made.

    Raises:
        BadParameter: It makes no sense.
    """
    engine = told.get("engine", AUTO)
    if engine not in (AUTO, *names()):
        raise typer.BadParameter(f"{engine!r} is none of {', '.join((AUTO, *names()))}")
    try:
        return BackfillSpec.read(told)
    except BackfillSpecError as error:
        raise typer.BadParameter(str(error)) from error


def of_paths(paths: Sequence[str]) -> dict[str, Any]:
    """Describe a source of products, folders that hold some, and ``@LIST``s of both.

    Raises:
        BadParameter: Something is not there, holds no product or is none.
    """
    listed = [line for path in paths for line in _lines(path)]
    remote = [line for line in listed if line.startswith((*_BUCKETS, *_WEB))]
    local = [Path(line).expanduser().absolute() for line in listed if line not in remote]
    if len(listed) == 1 and remote and not remote[0].rstrip("/").endswith(_ENDINGS):
        return {"kind": "bucket", "address": remote[0]}
    products = [path for path in local if _is_product(path)]
    for line in [*remote, *map(str, products)]:
        _check_name(line)
    folders = [path for path in local if path not in set(products)]
    for folder in folders:
        _check_folder(folder)
    if not folders:
        names = [*remote, *map(str, products)]
        if not names:
            raise typer.BadParameter("there is nothing in the list")
        if len(names) > MOST_NAMES:
            raise typer.BadParameter(
                f"{len(names)} products are more than {MOST_NAMES}; use"
                " `nimbostac backfill create --source @LIST`, which leaves the list where it is"
            )
        return {"kind": "names", "names": names}
    if remote:
        raise typer.BadParameter("folders and addresses cannot be one backfill; ask one by one")
    first, *also = dict.fromkeys(map(str, local))
    return {"kind": "folder", "address": first, "also": also}


def _lines(path: str) -> list[str]:
    if not path.startswith("@"):
        return [path]
    try:
        lines = Path(path[1:]).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"the list {path[1:]} cannot be read: {error}") from error
    return [line.strip() for line in lines if line.strip()]


def _is_product(path: Path) -> bool:
    if not path.exists():
        raise typer.BadParameter(f"{path} is not there")
    return path.is_file() or path.suffix == ".SAFE" or (path / "manifest.safe").exists()


def _check_name(address: str) -> None:
    try:
        ProductName.parse(address.rstrip("/").rpartition("/")[2])
    except ProductNameError as error:
        raise typer.BadParameter(str(error)) from error


def _check_folder(folder: Path) -> None:
    try:
        pages = FolderSource(folder).pages(Filters())
        if not any(page.candidates for page in pages):
            raise typer.BadParameter(f"{folder} is no product and holds none")
    except SourceError as error:
        raise typer.BadParameter(str(error)) from error
