"""What encoding a mask should have: size, seconds to write, milliseconds to read.

Run ``python -m tests.bench.cog [--quick] [--json] [--mask TIF]``. Without a mask of one's own a
procedural one of 10980 x 10980 px (``--quick``: 2745 x 2745) is taken: round clouds with ragged
edges, their shadows, thin cloud, an edge of the swath.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window
from scipy.ndimage import gaussian_filter, zoom

from producer.classes import MaskClass
from producer.cog import MASK_ENCODING, encode_mask
from producer.grid import Grid

FULL_PX = 10980
_READS = 200
_WINDOW_PX = 256
_COMMON = {"OVERVIEW_RESAMPLING": "MODE", "NUM_THREADS": "ALL_CPUS", "BLOCKSIZE": "512"}
ENCODINGS: tuple[dict[str, str], ...] = (
    {"COMPRESS": "LZW"},
    {"COMPRESS": "DEFLATE", "LEVEL": "6"},
    {"COMPRESS": "DEFLATE", "LEVEL": "9"},
    {"COMPRESS": "DEFLATE", "LEVEL": "6", "PREDICTOR": "STANDARD"},
    {"COMPRESS": "DEFLATE", "LEVEL": "6", "NBITS": "4"},
    {"COMPRESS": "DEFLATE", "LEVEL": "9", "NBITS": "4"},
    {"COMPRESS": "DEFLATE", "LEVEL": "6", "NBITS": "4", "BLOCKSIZE": "256"},
    {"COMPRESS": "DEFLATE", "LEVEL": "6", "NBITS": "4", "BLOCKSIZE": "1024"},
    {"COMPRESS": "ZSTD", "LEVEL": "9"},
    {"COMPRESS": "ZSTD", "LEVEL": "9", "NBITS": "4"},
    {"COMPRESS": "ZSTD", "LEVEL": "15", "NBITS": "4"},
    {"COMPRESS": "LERC_ZSTD"},
)


def procedural(size_px: int) -> NDArray[np.uint8]:
    """Draw a mask with the kind of edges that masks have."""
    random = np.random.default_rng(1)
    coarse = -(-size_px // 3)

    def noise(blur_px: float) -> NDArray[np.float32]:
        field = gaussian_filter(random.standard_normal((coarse, coarse), np.float32), blur_px)
        return field / field.std()

    def fine(field: NDArray[np.float32]) -> NDArray[np.float32]:
        return zoom(field, 3, order=1)[:size_px, :size_px]

    height = fine(noise(40) + 0.25 * noise(6) + 0.1 * noise(1.5))
    mask = np.full((size_px, size_px), MaskClass.CLEAR, np.uint8)
    mask[fine(noise(60) + 0.2 * noise(8)) > 1] = MaskClass.SEMI_TRANSPARENT
    mask[np.roll(height, (40, 25), (0, 1)) > 1] = MaskClass.CLOUD_SHADOW
    mask[height > 1] = MaskClass.CLOUD
    rows, columns = np.ogrid[:size_px, :size_px]
    mask[columns * 4 + rows < size_px] = MaskClass.NO_DATA
    return mask


def measure(mask: NDArray[np.uint8], encoding: dict[str, str]) -> dict[str, Any]:
    """Write a mask in one encoding, and read windows of it at random places."""
    grid = Grid(32633, 300000, 5900040, 10, mask.shape[1], mask.shape[0])
    began = time.perf_counter()
    used = time.process_time()
    data = encode_mask(mask, grid, {}, {**_COMMON, **encoding})
    write_s, write_cpu_s = time.perf_counter() - began, time.process_time() - used
    random = np.random.default_rng(2)
    corners = random.integers(0, np.array(mask.shape) - _WINDOW_PX, (_READS, 2))
    taken = []
    with rasterio.MemoryFile(data) as file:
        for row, column in corners.tolist():
            # Opened anew, so that no block comes from GDAL's cache.
            with file.open() as dataset:
                began = time.perf_counter()
                dataset.read(1, window=Window(column, row, _WINDOW_PX, _WINDOW_PX))
                taken.append(time.perf_counter() - began)
    return {
        "encoding": " ".join(f"{key}={value}" for key, value in encoding.items()),
        "bytes": len(data),
        "write_s": round(write_s, 1),
        "write_cpu_s": round(write_cpu_s, 1),
        "read_ms": round(1000 * float(np.median(taken)), 2),
        "chosen": {**_COMMON, **encoding} == dict(MASK_ENCODING),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="tests.bench.cog", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--mask", type=Path)
    told = parser.parse_args()
    if told.mask:
        with rasterio.open(told.mask) as dataset:
            mask = dataset.read(1)
    else:
        mask = procedural(FULL_PX // 4 if told.quick else FULL_PX)
    rows = []
    for encoding in ENCODINGS:
        row = measure(mask, encoding)
        rows.append(row)
        if not told.json:
            print(
                f"{row['encoding']:55} {row['bytes'] / 1e6:7.3f} MB {row['write_s']:6.1f} s"
                f" {row['write_cpu_s']:6.1f} s CPU {row['read_ms']:6.2f} ms"
                f"{'  <- chosen' if row['chosen'] else ''}"
            )
    if told.json:
        print(json.dumps({"shape": mask.shape, "encodings": rows}))


if __name__ == "__main__":
    main()
