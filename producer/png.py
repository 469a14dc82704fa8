"""Class-coloured PNGs: one byte a pixel and a palette, written without any image library."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from producer.classes import CLASSES

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTH = 8
_PALETTE = 3


def encode_png(classes: NDArray[np.uint8]) -> bytes:
    """Encode a picture of classes in their colours, transparent where they say so.

    Chunks as in the PNG specification, third edition; every row has filter type 0, which is
    best for palettes.

    Args:
        classes: (row, column) values of ``MaskClass``.
    """
    height, width = classes.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = classes
    colors = [info.color for info in CLASSES]
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, _DEPTH, _PALETTE, 0, 0, 0)),
            _chunk(b"PLTE", bytes(part for color in colors for part in color[:3])),
            _chunk(b"tRNS", bytes(color[3] for color in colors)),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
