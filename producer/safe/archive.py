"""Where a product's files lie: a folder, or a zip that is read in place."""

import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from producer.errors import ArchiveError, MetadataError, NotASafeError, SafeError

MANIFEST = "manifest.safe"
# ESA's largest, MTD_DS.xml, has 20 MB and is not read here; more is a bomb.
_XML_BYTES = 64 * 2**20
_ZIP_START = b"PK\x03\x04"


class Files(Protocol):
    """The files of one product, by their path below its folder."""

    @property
    def source(self) -> str:
        """Where they lie, an absolute path."""

    def has(self, name: str) -> bool:
        """Tell whether a file is there."""

    def read_xml(self, name: str) -> bytes:
        """Read a metadata file.

        Raises:
            MetadataError: It is not there, or far too large.
            ArchiveError: The zip is broken.
        """

    def opened(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open a file that is there for reading.

        Raises:
            ArchiveError: The zip is broken, also while it is being read.
            SafeError: The file cannot be read.
        """

    def address(self, name: str) -> str:
        """Give what rasterio opens."""


def files_of(source: str | Path) -> Files:
    """Look at a path and tell what it is.

    Raises:
        NotASafeError: Neither a SAFE folder nor a zip of one.
        ArchiveError: A zip that is broken or climbs out of its folder.
    """
    path = Path(source).expanduser().absolute()
    try:
        if path.is_dir():
            return _folder(path)
        if not path.exists():
            raise NotASafeError(path, "there is no such file or folder")
        return _zip(path)
    except OSError as error:
        raise SafeError(path, f"cannot be opened: {error.strerror or error}") from error


def inside(source: str | Path, name: str) -> str:
    """Check a name that a product gives to one of its files, and write it without ``./``.

    Raises:
        ArchiveError: It is absolute or climbs out of the product's folder.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or "\\" in name or "\0" in name or ".." in parts:
        raise ArchiveError(source, f"names a file outside its own folder: {name!r}")
    return "/".join(parts)


@dataclass(frozen=True, slots=True)
class _Folder:
    root: Path

    @property
    def source(self) -> str:
        return str(self.root)

    def has(self, name: str) -> bool:
        return (self.root / name).is_file()

    def read_xml(self, name: str) -> bytes:
        path = self.root / name
        try:
            if path.stat().st_size > _XML_BYTES:
                raise MetadataError(self.source, f"{name} is larger than metadata ever are")
            return path.read_bytes()
        except FileNotFoundError as error:
            raise MetadataError(self.source, f"{name} is not there") from error
        except OSError as error:
            raise SafeError(self.source, f"{name} cannot be read: {error.strerror}") from error

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with (self.root / name).open("rb") as file:
                yield file
        except OSError as error:
            raise SafeError(self.source, f"{name} cannot be read: {error.strerror}") from error

    def address(self, name: str) -> str:
        return str(self.root / name)


def _folder(path: Path) -> Files:
    if not (path / MANIFEST).is_file():
        raise NotASafeError(path, f"the folder holds no {MANIFEST}")
    return _Folder(path)


@dataclass(frozen=True, slots=True)
class _Zip:
    path: Path
    top: str
    """Name of the folder inside, with its slash."""
    names: frozenset[str]

    @property
    def source(self) -> str:
        return str(self.path)

    def has(self, name: str) -> bool:
        return self.top + name in self.names

    def read_xml(self, name: str) -> bytes:
        if not self.has(name):
            raise MetadataError(self.source, f"{name} is not there")
        with self._archive(name) as archive:
            member = archive.getinfo(self.top + name)
            if member.file_size > _XML_BYTES:
                raise MetadataError(self.source, f"{name} is larger than metadata ever are")
            return archive.read(member)

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        with self._archive(name) as archive, archive.open(self.top + name) as file:
            yield file

    @contextmanager
    def _archive(self, name: str) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                yield archive
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise ArchiveError(self.source, f"the zip is broken at {name}: {error}") from error
        except (NotImplementedError, RuntimeError) as error:
            raise ArchiveError(self.source, f"{name} cannot be unpacked: {error}") from error
        except OSError as error:
            raise SafeError(self.source, f"cannot be read: {error.strerror or error}") from error

    def address(self, name: str) -> str:
        # Braces tell GDAL where the zip's own path ends, whatever its suffix.
        return f"/vsizip/{{{self.path}}}/{self.top}{name}"


def _zip(path: Path) -> Files:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        with path.open("rb") as file:
            begins_as_zip = file.read(len(_ZIP_START)) == _ZIP_START
        if begins_as_zip or path.suffix == ".zip":
            problem = "the zip is broken or cut short; fetch the product again"
            raise ArchiveError(path, problem) from error
        raise NotASafeError(path, "neither a SAFE folder nor a zip of one") from error
    return _Zip(path, _top(path, members), frozenset(_checked(path, members)))


def _checked(path: Path, members: Iterable[zipfile.ZipInfo]) -> Iterable[str]:
    for member in members:
        # The raw name: zipfile itself cuts a name at a zero byte.
        inside(path, member.orig_filename)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ArchiveError(path, f"holds a symbolic link: {member.filename!r}")
        yield member.filename


def _top(path: Path, members: Iterable[zipfile.ZipInfo]) -> str:
    tops = [
        member.filename.removesuffix(MANIFEST)
        for member in members
        if PurePosixPath(member.filename).name == MANIFEST
        and len(PurePosixPath(member.filename).parts) == 2  # noqa: PLR2004
    ]
    if len(tops) != 1:
        found = "none" if not tops else str(len(tops))
        raise NotASafeError(path, f"wanted one folder with a {MANIFEST} in the zip, found {found}")
    return tops[0]
