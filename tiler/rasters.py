"""Open masks and decoded blocks, bounded in number, memory and age."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

from tiler.cog import HEAD_BYTES, Block, Cog, coarse_cog, open_cog
from tiler.errors import MaskUnreadableError, NoMaskCogError
from tiler.foreign import open_foreign
from tiler.items import StoredAsset
from tiler.objects import gdal_path, open_bytes
from tiler.settings import TilerSettings

# A block of one class is kept as a number, whose place in the cache is what it costs.
_ENTRY_BYTES = 500
# Of 7 kB each.
_MOST_COARSE = 8192
_READERS = 16

_BlockKey = tuple[str, str, int, int]


class ColdError(Exception):
    """Something that is not at hand; never seen by a client."""


class RasterSource(Protocol):
    """Where masks and their blocks come from."""

    def open(self, asset: StoredAsset) -> Cog:
        """Give an open mask."""

    def coarse(self, asset: StoredAsset) -> Cog:
        """Give a mask as maps of continents need it."""

    def blocks(self, href: str, cog: Cog, level: int, wanted: Sequence[int]) -> list[Block]:
        """Give blocks of one level of a mask, by their number in reading order."""


class MosaicSource(RasterSource, Protocol):
    """Where mosaics get masks from."""

    def ahead(self, assets: Sequence[StoredAsset]) -> None:
        """Take note that maps of continents will need some masks soon."""


class Rasters:
    """Masks that are open, and the blocks that were read of them; for any number of threads."""

    def __init__(self, settings: TilerSettings) -> None:
        self._most_cogs = settings.datasets
        self._age_s = settings.dataset_age_s
        self._most_bytes = settings.block_cache_bytes
        self._lock = threading.Lock()
        self._cogs: OrderedDict[tuple[str, str], tuple[float, Cog]] = OrderedDict()
        self._coarse: OrderedDict[tuple[str, str], Cog] = OrderedDict()
        self._blocks: OrderedDict[_BlockKey, Block] = OrderedDict()
        self._bytes = 0
        # Made when they are needed first.
        self._readers = ThreadPoolExecutor(_READERS, "coarse")

    def open(self, asset: StoredAsset) -> Cog:
        """Open a mask, or give it as it is open already.

        Raises:
            MaskUnreadableError: It is not there, or its storage does not answer.
            NoMaskCogError: The file is none of the kind that masks are.
        """
        found = self.opened(asset)
        if found is not None:
            return found
        opened = time.monotonic()
        cog = _opened(asset)
        with self._lock:
            self._cogs[asset.href, asset.version] = (opened, cog)
            while len(self._cogs) > self._most_cogs:
                self._cogs.popitem(last=False)
        return cog

    def coarse(self, asset: StoredAsset) -> Cog:
        """Give a mask as maps of continents need it.

        Raises:
            MaskUnreadableError: It is not there, or its storage does not answer.
            NoMaskCogError: The file is none of the kind that masks are.
        """
        key = (asset.href, asset.version)
        with self._lock:
            found = self._coarse.get(key)
            if found is not None:
                self._coarse.move_to_end(key)
                return found
        coarse = coarse_cog(_opened(asset, is_coarse=True))
        if coarse is None:
            # What stays open counts among the open ones.
            return self.open(asset)
        with self._lock:
            self._coarse[key] = coarse
            while len(self._coarse) > _MOST_COARSE:
                self._coarse.popitem(last=False)
        return coarse

    def ahead(self, assets: Sequence[StoredAsset]) -> None:
        """Read masks side by side as maps of continents need them.

        What cannot be read is told to who asks for it: it may be hidden.
        """
        with self._lock:
            missing = [each for each in assets if (each.href, each.version) not in self._coarse]
        if len(missing) > 1:
            list(self._readers.map(self._try, missing))

    def close(self) -> None:
        """End the threads."""
        self._readers.shutdown(cancel_futures=True)

    def _try(self, asset: StoredAsset) -> None:
        with suppress(MaskUnreadableError, NoMaskCogError):
            self.coarse(asset)

    def opened(self, asset: StoredAsset) -> Cog | None:
        """Give a mask if it is open already."""
        key = (asset.href, asset.version)
        with self._lock:
            found = self._cogs.get(key)
            if found is None or time.monotonic() - found[0] > self._age_s:
                return None
            self._cogs.move_to_end(key)
            return found[1]

    def kept(self, href: str, cog: Cog, level: int, wanted: Sequence[int]) -> list[Block | None]:
        """Give the blocks that were read already, ``None`` for each of the others."""
        with self._lock:
            keys = [(href, cog.source.identity, level, block) for block in wanted]
            found = [self._blocks.get(key) for key in keys]
            for key, block in zip(keys, found, strict=True):
                if block is not None:
                    self._blocks.move_to_end(key)
            return found

    def blocks(self, href: str, cog: Cog, level: int, wanted: Sequence[int]) -> list[Block]:
        """Read blocks of one level of a mask, by their number in reading order.

        Raises:
            MaskUnreadableError: Storage does not answer.
        """
        pixels = cog.levels[level].pixels
        if pixels is not None:
            return [pixels]
        found = self.kept(href, cog, level, wanted)
        missing = [number for number, block in zip(wanted, found, strict=True) if block is None]
        read = dict(
            zip(missing, cog.read(cog.levels[level], missing) if missing else (), strict=True)
        )
        for number, block in read.items():
            self._keep((href, cog.source.identity, level, number), block)
        return [
            read[number] if block is None else block
            for number, block in zip(wanted, found, strict=True)
        ]

    def passing(self, href: str, cog: Cog, level: int, wanted: Sequence[int]) -> list[Block]:
        """Read blocks that nobody will ask for again soon: none of them is kept.

        Raises:
            MaskUnreadableError: Storage does not answer.
        """
        found = self.kept(href, cog, level, wanted)
        missing = [number for number, block in zip(wanted, found, strict=True) if block is None]
        read = iter(cog.read(cog.levels[level], missing) if missing else ())
        return [next(read) if block is None else block for block in found]

    def _keep(self, key: _BlockKey, block: Block) -> None:
        with self._lock:
            if key not in self._blocks:
                self._blocks[key] = block
                self._bytes += _size(block)
            while self._bytes > self._most_bytes:
                _, old = self._blocks.popitem(last=False)
                self._bytes -= _size(old)


class AtHand:
    """Only what is open and read already: for a thread that must not wait."""

    def __init__(self, rasters: Rasters) -> None:
        self._rasters = rasters

    def open(self, asset: StoredAsset) -> Cog:
        """Give an open mask.

        Raises:
            ColdError: It is not open.
        """
        cog = self._rasters.opened(asset)
        if cog is None:
            raise ColdError
        return cog

    def coarse(self, asset: StoredAsset) -> Cog:  # noqa: ARG002 - as RasterSource has it
        """Give no mask as maps of continents need it: those are drawn by other threads.

        Raises:
            ColdError: Always.
        """
        raise ColdError

    def ahead(self, assets: Sequence[StoredAsset]) -> None:
        """Read nothing."""

    def blocks(self, href: str, cog: Cog, level: int, wanted: Sequence[int]) -> list[Block]:
        """Give blocks of one level of a mask.

        Raises:
            ColdError: One of them was not read yet.
        """
        pixels = cog.levels[level].pixels
        if pixels is not None:
            return [pixels]
        found = [
            block for block in self._rasters.kept(href, cog, level, wanted) if block is not None
        ]
        if len(found) < len(wanted):
            raise ColdError
        return found


def _opened(asset: StoredAsset, *, is_coarse: bool = False) -> Cog:
    source = open_bytes(asset.href, HEAD_BYTES)
    try:
        return open_cog(source, is_coarse=is_coarse)
    except NoMaskCogError:
        return open_foreign(source, gdal_path(asset.href))


def _size(block: Block) -> int:
    return _ENTRY_BYTES if isinstance(block, int) else _ENTRY_BYTES + block.nbytes
