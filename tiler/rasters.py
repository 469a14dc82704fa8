"""Open masks and decoded blocks, bounded in number, memory and age."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

from tiler.cog import HEAD_BYTES, Block, Cog, open_cog
from tiler.items import StoredAsset
from tiler.objects import open_bytes
from tiler.settings import TilerSettings

# A block of one class is kept as a number, whose place in the cache is what it costs.
_ENTRY_BYTES = 200

_BlockKey = tuple[str, str, int, int]


class Rasters:
    """Masks that are open, and the blocks that were read of them; for any number of threads."""

    def __init__(self, settings: TilerSettings) -> None:
        self._most_cogs = settings.datasets
        self._age_s = settings.dataset_age_s
        self._most_bytes = settings.block_cache_bytes
        self._lock = threading.Lock()
        self._cogs: OrderedDict[tuple[str, str], tuple[float, Cog]] = OrderedDict()
        self._blocks: OrderedDict[_BlockKey, Block] = OrderedDict()
        self._bytes = 0

    def open(self, asset: StoredAsset) -> Cog:
        """Open a mask, or give it as it is open already.

        Raises:
            MaskUnreadableError: It is not there, or its storage does not answer.
            NoMaskCogError: The file is none of the kind that masks are.
        """
        key = (asset.href, asset.version)
        now = time.monotonic()
        with self._lock:
            found = self._cogs.get(key)
            if found is not None and now - found[0] <= self._age_s:
                self._cogs.move_to_end(key)
                return found[1]
        cog = open_cog(open_bytes(asset.href, HEAD_BYTES))
        with self._lock:
            self._cogs[key] = (now, cog)
            self._cogs.move_to_end(key)
            while len(self._cogs) > self._most_cogs:
                self._cogs.popitem(last=False)
        return cog

    def blocks(self, href: str, cog: Cog, level: int, wanted: Sequence[int]) -> list[Block]:
        """Read blocks of one level of a mask, by their number in reading order.

        Raises:
            MaskUnreadableError: Storage does not answer.
        """
        keys = [(href, cog.source.identity, level, block) for block in wanted]
        found: dict[_BlockKey, Block] = {}
        with self._lock:
            for key in keys:
                block = self._blocks.get(key)
                if block is not None:
                    self._blocks.move_to_end(key)
                    found[key] = block
        missing = [key for key in keys if key not in found]
        if missing:
            read = cog.read(cog.levels[level], [key[3] for key in missing])
            for key, block in zip(missing, read, strict=True):
                found[key] = block
                self._keep(key, block)
        return [found[key] for key in keys]

    def _keep(self, key: _BlockKey, block: Block) -> None:
        with self._lock:
            if key not in self._blocks:
                self._blocks[key] = block
                self._bytes += _size(block)
            while self._bytes > self._most_bytes:
                _, old = self._blocks.popitem(last=False)
                self._bytes -= _size(old)


def _size(block: Block) -> int:
    return _ENTRY_BYTES if isinstance(block, int) else _ENTRY_BYTES + block.nbytes
