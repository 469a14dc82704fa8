"""A folder tree that is mounted on this machine, and on every worker at the same place."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import SourceRefusedError, SourceUnreachableError
from ingest.filters import Filters
from ingest.sources.page import Page
from ingest.sources.tree import File, Listing, Names, Walk

_OF_THIS_ONE = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""What may be wrong with one folder among many; anything else is wrong with the disk."""


@dataclass(frozen=True, slots=True)
class FolderSource:
    """Products in a folder: SAFE folders and zips, at any depth; or one such product itself."""

    root: Path
    """Absolute."""

    @property
    def address(self) -> str:
        """The folder."""
        return str(self.root)

    def pages(self, filters: Filters, cursor: str | None = None) -> Iterator[Page]:
        """List products, folder by folder.

        Raises:
            SourceUnreachableError: The disk does not answer, or is not mounted any more.
            SourceRefusedError: There is no such folder, or it may not be read.
        """
        self._check(resumed=cursor is not None)
        yield from Walk(_Folders(self.root), filters, self.root.parts[1:]).pages(cursor)

    def _check(self, *, resumed: bool) -> None:
        try:
            if self.root.is_file():
                return
            with os.scandir(self.root) as entries:
                empty = next(entries, None) is None
        except OSError as error:
            problem = error.strerror or str(error)
            if resumed or error.errno not in _OF_THIS_ONE:
                raise SourceUnreachableError(self.address, problem) from error
            raise SourceRefusedError(self.address, problem) from error
        # What is left of a file system that was unmounted half-way through.
        if resumed and empty:
            raise SourceUnreachableError(self.address, "it is empty now; is it still mounted?")


@dataclass(frozen=True, slots=True)
class _Folders:
    root: Path

    def listed(self, path: Names) -> Listing | None:
        here = self.root.joinpath(*path)
        folders, files = [], []
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    # Snapshots, wastebaskets and files that are being written.
                    if entry.name.startswith("."):
                        continue
                    if not entry.is_dir():
                        zipped = entry.name.endswith(".zip")
                        files.append(File(entry.name, entry.stat().st_size if zipped else None))
                    elif not entry.is_symlink() or not _leads_up(here, entry.name):
                        folders.append(entry.name)
        except OSError as error:
            self._judge(path, error)
            return None
        return Listing(folders, files)

    def address(self, path: Names) -> str:
        return str(self.root.joinpath(*path))

    def _judge(self, path: Names, error: OSError) -> None:
        """Raise what is wrong with more than one folder."""
        problem = error.strerror or str(error)
        if error.errno not in _OF_THIS_ONE or not path:
            raise SourceUnreachableError(self.address(path), problem) from error
        # A file system that was unmounted is missing from its top on.
        if not (self.root / path[0]).exists():
            raise SourceUnreachableError(self.address(path[:1]), problem) from error


def _leads_up(folder: Path, name: str) -> bool:
    """Tell whether a link leads to a folder that it lies in, which would never end."""
    return folder.resolve().is_relative_to((folder / name).resolve())
