"""Class rasters in Cloud-Optimized GeoTIFFs, read block by block.

Only what a mask needs: one band of bytes or half bytes, in tiles, deflated or plain. GDAL reads
all else, but it takes one thread at a time to a file, and milliseconds to open one.
"""

import struct
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from tiler.errors import NoMaskCogError
from tiler.objects import NoBytes, StoredBytes

HEAD_BYTES = 65536
"""Enough for all that precedes the pixels of a mask of 10980 px."""

Places = NDArray[np.intp]
Block = NDArray[np.uint8] | int
"""(y, x) values, or the one value that all of them have."""

# TIFF 6.0, BigTIFF and GeoTIFF 1.1: tags, types, values.
_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION = 254, 256, 257, 258, 259
_SAMPLES, _PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT, _OFFSETS, _COUNTS = 277, 317, 322, 323, 324, 325
_SCALE, _TIEPOINT, _GEO_KEYS = 33550, 33922, 34735
_MASK = 4
_PLAIN, _DEFLATE, _OLD_DEFLATE = 1, 8, 32946
_DIFFERENCES = 2
_PROJECTED_CRS, _PIXEL_IS_POINT, _RASTER_TYPE = 3072, 2, 1025
_TYPES = {1: "B", 3: "H", 4: "I", 5: "II", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q"}
_NIBBLE, _BYTE = 4, 8
_LOW = np.uint8(15)
_REDUCTION = 4
# Both values of a byte, the high nibble first, at once.
_PAIRS = np.stack(np.divmod(np.arange(256, dtype=np.uint8), 16), axis=1).view(np.uint16).ravel()


@dataclass(frozen=True, slots=True)
class Level:
    """The full raster, or one of its overviews."""

    width: int
    height: int
    block_width: int
    block_height: int
    bits: int
    """Bits of a pixel: 4 or 8."""
    compression: int
    predictor: int
    offsets: Sequence[int]
    counts: Sequence[int]
    pixels: Block | None = None
    """All of it, where it is not in the file."""

    @property
    def across(self) -> int:
        """Blocks in a row."""
        return -(-self.width // self.block_width)

    @property
    def down(self) -> int:
        """Blocks in a column."""
        return -(-self.height // self.block_height)

    def decode(self, data: bytes) -> Block:
        """Decode one block."""
        if self.compression != _PLAIN:
            data = isal_zlib.decompress(data)
        flat = np.frombuffer(data, np.uint8)
        if self.bits == _NIBBLE:
            flat = _PAIRS[flat].view(np.uint8)
        values = flat.reshape(self.block_height, self.block_width)
        if self.predictor == _DIFFERENCES:
            values = np.cumsum(values, axis=1, dtype=np.uint8)
        # Most of a clear or overcast mask is blocks of one class, which need no memory.
        first = int(values[0, 0])
        return values if (values != first).any() else first


@dataclass(frozen=True, slots=True)
class Cog:
    """An open mask; all threads may read it."""

    source: StoredBytes
    epsg: int
    west: float
    north: float
    resolution_m: float
    width: int
    height: int
    levels: tuple[Level, ...]
    """From full resolution to the coarsest overview."""

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north in the raster's own CRS."""
        east = self.west + self.width * self.resolution_m
        return self.west, self.north - self.height * self.resolution_m, east, self.north

    def resolution_of(self, level: Level) -> float:
        """Edge of a pixel of one level, metres."""
        return self.resolution_m * self.width / level.width

    def read(self, level: Level, blocks: Sequence[int]) -> list[Block]:
        """Read blocks of one level, by their number in reading order."""
        wanted = [block for block in blocks if level.counts[block]]
        ranges = [(level.offsets[block], level.counts[block]) for block in wanted]
        found = dict(zip(wanted, self.source.read(ranges) if ranges else [], strict=True))
        # A block that was never written holds no data.
        return [level.decode(found[block]) if block in found else 0 for block in blocks]


def coarse_cog(cog: Cog) -> Cog | None:
    """Give a mask as maps of continents need it: a few kilobytes, and no open file.

    Every fourth pixel of the coarsest overview; ``None`` where that is no single block.
    """
    last = cog.levels[-1]
    if last.across * last.down > 1:
        return None
    rows, columns = (
        # The middle one of four, or the last there is.
        np.minimum(np.arange(_REDUCTION // 2, size + _REDUCTION // 2, _REDUCTION), size - 1)
        for size in (last.height, last.width)
    )
    level = Level(
        width=len(columns),
        height=len(rows),
        block_width=len(columns),
        block_height=len(rows),
        bits=_BYTE,
        compression=_PLAIN,
        predictor=1,
        offsets=(),
        counts=(),
        pixels=_picked(cog, last, rows, columns),
    )
    return replace(cog, source=NoBytes(cog.source.identity), levels=(level,))


def _picked(cog: Cog, level: Level, rows: Places, columns: Places) -> Block:
    """Give some rows and columns of a level that is one block."""
    if level.pixels is not None or level.bits != _NIBBLE or not level.counts[0]:
        (block,) = [level.pixels] if level.pixels is not None else cog.read(level, [0])
        return block if isinstance(block, int) else block[np.ix_(rows, columns)]
    (data,) = cog.source.read([(level.offsets[0], level.counts[0])])
    stride = level.block_width // 2
    if level.compression != _PLAIN:
        # Nothing below the last row is wanted.
        data = isal_zlib.decompressobj().decompress(data, int(rows[-1] + 1) * stride)
    pairs = np.frombuffer(data, np.uint8, int(rows[-1] + 1) * stride).reshape(-1, stride)
    shift = np.where(columns % 2, 0, _NIBBLE).astype(np.uint8)
    return (pairs.take(rows, 0).take(columns // 2, 1) >> shift) & _LOW


def open_cog(source: StoredBytes, *, is_coarse: bool = False) -> Cog:
    """Read the head of a mask.

    Args:
        source: The file.
        is_coarse: Whether the coarsest overview will do.

    Raises:
        NoMaskCogError: The file is none of the kind that masks are.
    """
    try:
        directories = list(_directories(source))
        full, *reduced = (each for each in directories if not each.get(_SUBFILE, [0])[0] & _MASK)
        wanted = [full, *reduced][-1:] if is_coarse else [full, *reduced]
        levels = tuple(_level(each) for each in wanted)
        keys = full[_GEO_KEYS]
        geo = {keys[i]: keys[i + 3] for i in range(4, len(keys), 4)}
        scale, tie = full[_SCALE], full[_TIEPOINT]
        if scale[0] != scale[1] or geo.get(_RASTER_TYPE) == _PIXEL_IS_POINT:
            raise NoMaskCogError("its pixels are no squares with their origin in a corner")
        x = float(tie[3] - tie[0] * scale[0])
        y = float(tie[4] + tie[1] * scale[1])
        epsg, size = int(geo[_PROJECTED_CRS]), (full[_WIDTH][0], full[_HEIGHT][0])
        return Cog(source, epsg, x, y, float(scale[0]), *size, levels)
    except (KeyError, IndexError, ValueError, struct.error) as error:
        raise NoMaskCogError(f"its head cannot be read: {error!r}") from error


@dataclass(frozen=True, slots=True)
class _Directory:
    """The tags of one image of a TIFF, whose values are read when they are asked for."""

    entries: dict[int, tuple[int, int, bytes]]
    values: Callable[[int, int, bytes], Any]

    def __getitem__(self, tag: int) -> Any:  # noqa: ANN401 - of any TIFF type
        return self.values(*self.entries[tag])

    def get(self, tag: int, default: list[int]) -> Any:  # noqa: ANN401 - the same
        """Give the values of a tag that may be missing."""
        return self[tag] if tag in self.entries else default


def _level(directory: _Directory) -> Level:
    kind = (
        directory[_BITS][0],
        directory.get(_SAMPLES, [1])[0],
        directory.get(_COMPRESSION, [_PLAIN])[0],
        directory.get(_PREDICTOR, [1])[0],
    )
    bits, samples, compression, predictor = kind
    width = directory[_TILE_WIDTH][0]
    plain = bits == _BYTE or (bits == _NIBBLE and predictor == 1 and width % 2 == 0)
    known = compression in {_PLAIN, _DEFLATE, _OLD_DEFLATE} and predictor in {1, _DIFFERENCES}
    if not plain or samples != 1 or not known:
        raise NoMaskCogError(f"bits, samples, compression and predictor are {kind}")
    return Level(
        directory[_WIDTH][0],
        directory[_HEIGHT][0],
        width,
        directory[_TILE_HEIGHT][0],
        bits,
        compression,
        predictor,
        array("Q", directory[_OFFSETS]),
        array("Q", directory[_COUNTS]),
    )


def _directories(source: StoredBytes) -> Iterator[_Directory]:
    order = {b"II": "<", b"MM": ">"}.get(source.head[:2])
    if order is None:
        raise NoMaskCogError("it is no TIFF")
    big = struct.unpack_from(f"{order}H", source.head, 2)[0] != 42  # noqa: PLR2004 - TIFF's own
    word, count_kind = ("Q", "Q") if big else ("I", "H")
    word_bytes, count_bytes = struct.calcsize(word), struct.calcsize(count_kind)
    entry = struct.Struct(f"{order}HH{word}{word_bytes}s")
    entry_bytes = entry.size

    def read(start: int, length: int) -> bytes:
        if start + length <= len(source.head):
            return source.head[start : start + length]
        return source.read([(start, length)])[0]

    def values(kind: int, count: int, raw: bytes) -> Any:  # noqa: ANN401 - of any TIFF type
        form = _TYPES.get(kind)
        if form is None:
            return ()
        size = struct.calcsize(form) * count
        if size > word_bytes:
            raw = read(struct.unpack(f"{order}{word}", raw)[0], size)
        return struct.unpack_from(f"{order}{count * len(form)}{form[0]}", raw)

    place = struct.unpack_from(f"{order}{word}", source.head, 8 if big else 4)[0]
    while place:
        entries = struct.unpack(f"{order}{count_kind}", read(place, count_bytes))[0]
        body = read(place + count_bytes, entries * entry_bytes + word_bytes)
        found = entry.iter_unpack(body[: entries * entry_bytes])
        yield _Directory({tag: (kind, count, raw) for tag, kind, count, raw in found}, values)
        place = struct.unpack_from(f"{order}{word}", body, entries * entry_bytes)[0]
