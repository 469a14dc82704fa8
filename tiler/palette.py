"""Class rasters as images: a PNG whose palette holds the colours of the classes and no other."""

import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from producer.classes import CLASSES, RGBA

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _PALETTE = 0, 3
_NIBBLE = 16
# ISA-L's fastest level that still finds matches: smaller than zlib's level 1 in a fifth of
# its time on tiles of masks.
_LEVEL = 1
_LARGEST_EMPTY, _MAX_PX = 20_000, 8192

Colors = Mapping[int, RGBA]

CLASS_COLORS: Colors = {info.value.value: info.color for info in CLASSES}
"""The colour of every class by its value."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


_END = _chunk(b"IEND", b"")


@lru_cache(maxsize=256)
def _head(width: int, height: int, depth: int, kind: int, colors: tuple[RGBA, ...]) -> bytes:
    head = _SIGNATURE + _chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    )
    if colors:
        head += _chunk(b"PLTE", bytes(part for color in colors for part in color[:3]))
        head += _chunk(b"tRNS", bytes(color[3] for color in colors))
    return head


def palette_png(classes: NDArray[np.uint8], colors: Colors = CLASS_COLORS) -> bytes:
    """Encode classes as a palette PNG of four bits a pixel.

    Args:
        classes: (y, x) class values, each one a key of ``colors``.
        colors: Colour by class value, from 0 without a gap, at most 16.
    """
    height, width = classes.shape
    table = tuple(colors[value] for value in range(len(colors)))
    if len(table) > _NIBBLE:
        raise ValueError(f"{len(table)} colours in a palette of {_NIBBLE}")
    # A row is a filter byte, zero for none, and two pixels a byte.
    rows = np.zeros((height, 1 + (width + 1) // 2), np.uint8)
    if width % 2:
        classes = np.pad(classes, ((0, 0), (0, 1)))
    pairs = np.ascontiguousarray(classes).view("<u2")
    # The earlier pixel is the low byte of a pair, and the high nibble of its byte.
    rows[:, 1:] = (pairs << 4) | (pairs >> 8)
    data = isal_zlib.compress(rows, _LEVEL)
    return _head(width, height, 4, _PALETTE, table) + _chunk(b"IDAT", data) + _END


def class_png(classes: NDArray[np.uint8]) -> bytes:
    """Encode classes as a grey PNG whose values are the class values."""
    height, width = classes.shape
    rows = np.zeros((height, 1 + width), np.uint8)
    rows[:, 1:] = classes
    data = isal_zlib.compress(rows, _LEVEL)
    return _head(width, height, 8, _GREY, ()) + _chunk(b"IDAT", data) + _END


@lru_cache(maxsize=256)
def plain_png(width: int, height: int, value: int) -> bytes:
    """Give the image of one class; the same bytes every time."""
    return palette_png(np.full((height, width), value, np.uint8))


def is_empty(content: bytes) -> bool:
    """Tell whether an image is one without data; looks at small ones only."""
    if len(content) > _LARGEST_EMPTY or content[:8] != _SIGNATURE:
        return False
    width, height = struct.unpack_from(">II", content, 16)
    return max(width, height) <= _MAX_PX and content == plain_png(width, height, 0)
