"""PNGs of one byte a pixel, class-coloured or grey, written without any image library."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from producer.classes import CLASSES

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTH = 8
_GREY = 0
_PALETTE = 3


def encode_png(classes: NDArray[np.uint8]) -> bytes:
    """Encode a picture of classes in their colours, transparent where they say so.

    Chunks as in the PNG specification, third edition; every row has filter type 0, which is
    best for palettes.

    Args:
        classes: (row, column) values of ``MaskClass``.
    """
    colors = [info.color for info in CLASSES]
    palette = _chunk(b"PLTE", bytes(part for color in colors for part in color[:3]))
    opacity = _chunk(b"tRNS", bytes(color[3] for color in colors))
    return _encoded(classes, _PALETTE, palette + opacity, level=9)


def encode_grey(pixels: NDArray[np.uint8]) -> bytes:
    """Encode a grey picture.

    Args:
        pixels: (row, column), 0 for black to 255 for white.
    """
    return _encoded(pixels, _GREY, b"", level=6)


def _encoded(pixels: NDArray[np.uint8], kind: int, chunks: bytes, level: int) -> bytes:
    height, width = pixels.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = pixels
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, _DEPTH, kind, 0, 0, 0)),
            chunks,
            _chunk(b"IDAT", zlib.compress(rows.data, level)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
