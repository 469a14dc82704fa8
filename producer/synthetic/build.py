"""Making a whole product out of a scene, by strips, in bounded memory."""

import os
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.warp import transform
from rasterio.windows import Window
from shapely.geometry import Polygon, box

from producer.classes import VALID_CLASSES, MaskClass
from producer.grid import Grid
from producer.outline import Ring, ring_of
from producer.safe.spectrum import BAND_IDS, LEVEL_BANDS, NATIVE_RESOLUTION_M
from producer.synthetic.facts import SafeFacts, View
from producer.synthetic.jp2 import raw_profile
from producer.synthetic.landscape import Block, Landscape
from producer.synthetic.scene import Scene
from producer.synthetic.sun import sun_position
from producer.synthetic.writer import write_safe

# A multiple of 6, so that pixels of 20 and 60 m never lie across two strips.
_STRIP_ROWS = 240
_QUANTIFICATION = 10_000
_LARGEST = 65_535
_HALF = 0.5
_AEROSOL = 100
"""Aerosol optical thickness of 0.1, in thousandths."""
_VAPOUR = 1500
"""Water vapour of 1.5 cm, in thousandths."""
_CLEAR_SCL = np.array([6, 4, 4, 5, 5, 5, 5], np.uint8)
"""Scene classification of each ``Cover``: water, vegetation, not vegetated."""
_SKY_SCL = {
    MaskClass.NO_DATA: 0,
    MaskClass.CLOUD_SHADOW: 3,
    MaskClass.CLOUD: 9,
    MaskClass.SEMI_TRANSPARENT: 10,
}


@dataclass(frozen=True, slots=True)
class Built:
    """A product that was made, and the truth about it."""

    path: Path
    """The folder ``NAME.SAFE``, or ``NAME.zip``."""
    truth: NDArray[np.uint8]
    """(row, column) values of ``MaskClass`` on the 10 m grid."""


def build(
    folder: Path,
    scene: Scene,
    *,
    archive: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Built:
    """Make a product.

    A whole tile needs about 1.4 GB of disk in the folder on the way.

    Args:
        folder: Where to put it; made if it is not there.
        scene: What it shall look like.
        archive: Make a zip instead of a folder.
        progress: Told strips done and strips to do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    grids = scene.grids
    view = scene.view or _view(scene, grids[10])
    landscape = Landscape(scene, view)
    truth = np.zeros(grids[10].shape, np.uint8)
    names = LEVEL_BANDS[scene.product.level]
    with tempfile.TemporaryDirectory(prefix=".bands-", dir=folder) as scratch:
        raws = {name: Path(scratch) / f"{name}.tif" for name in names}
        with ExitStack() as stack:
            opened = {
                name: stack.enter_context(rasterio.open(path, "w", **_profile(grids, name)))
                for name, path in raws.items()
            }
            _fill(_Strips(scene, landscape, opened, truth), progress)
        facts = SafeFacts(
            name=scene.product,
            grids=grids,
            ring=_ring(scene, landscape, grids[10]),
            sensed=scene.sensed or scene.product.sensed,
            view=view,
            cloud_cover=_cloud_cover(truth),
            quantification=_QUANTIFICATION,
            offset=scene.published_offset,
        )
        path = write_safe(folder, facts, raws, encoding=scene.encoding, archive=archive)
    return Built(path, truth)


class _Strips:
    """Computes strips in any order and puts them where they belong."""

    def __init__(
        self,
        scene: Scene,
        landscape: Landscape,
        rasters: dict[str, Any],
        truth: NDArray[np.uint8],
    ) -> None:
        self._scene = scene
        self._landscape = landscape
        self._rasters = rasters
        self._truth = truth
        self._lock = threading.Lock()

    @property
    def starts(self) -> range:
        return range(0, self._scene.height_px, _STRIP_ROWS)

    def write(self, start: int) -> None:
        height, width = self._truth.shape
        # Up to the next whole pixel of 60 m: the landscape goes on beyond the scene.
        rows = slice(start, min(start + _STRIP_ROWS, -(-height // 6) * 6))
        block = self._landscape.block(rows, slice(0, -(-width // 6) * 6))
        part = self._truth[start : rows.stop]
        part[:] = block.truth[: len(part), :width]
        for name, raster in self._rasters.items():
            factor = NATIVE_RESOLUTION_M[name] // 10
            numbers = self._numbers(name, block, factor)
            room = raster.height - start // factor
            numbers = numbers[:room, : raster.width]
            window = Window(0, start // factor, numbers.shape[1], numbers.shape[0])
            with self._lock:
                raster.write(numbers, 1, window=window)

    def _numbers(self, name: str, block: Block, factor: int) -> NDArray[np.unsignedinteger]:
        known = _averaged((block.truth != MaskClass.NO_DATA).astype(np.float32), factor) >= _HALF
        if name == "SCL":
            return _scene_classes(block, factor)
        if name in ("AOT", "WVP"):
            constant = _AEROSOL if name == "AOT" else _VAPOUR
            return np.where(known, np.uint16(constant), np.uint16(0))
        light = block.reflectance(BAND_IDS.index(name), self._scene.product.level)
        light = _averaged(light, factor)
        light *= _QUANTIFICATION
        # Rounded before the offset, so that it shifts numbers exactly; 0 is kept for no data.
        shifted = np.rint(light) - (self._scene.published_offset or 0)
        numbers: NDArray[np.uint16] = np.clip(shifted, 1, _LARGEST).astype(np.uint16)
        numbers[~known] = 0
        return numbers


def _fill(strips: _Strips, progress: Callable[[int, int], None]) -> None:
    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="scene") as pool:
        for done, _ in enumerate(pool.map(strips.write, strips.starts), start=1):
            progress(done, len(strips.starts))


def _profile(grids: dict[int, Grid], name: str) -> dict[str, object]:
    dtype = "uint8" if name == "SCL" else "uint16"
    return raw_profile(grids[NATIVE_RESOLUTION_M[name]], dtype)


def _averaged(values: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    if factor == 1:
        return values
    height, width = values.shape
    split = values.reshape(height // factor, factor, width // factor, factor)
    averaged: NDArray[np.float32] = split.mean(axis=(1, 3), dtype=np.float32)
    return averaged


def _scene_classes(block: Block, factor: int) -> NDArray[np.uint8]:
    picked = slice(factor // 2, None, factor)
    classes = _CLEAR_SCL.take(block.cover[picked, picked])
    truth = block.truth[picked, picked]
    for sky, code in _SKY_SCL.items():
        classes[truth == sky] = code
    return classes


def _cloud_cover(truth: NDArray[np.uint8]) -> float:
    counts = np.bincount(truth.ravel(), minlength=len(MaskClass))
    valid = int(counts[list(VALID_CLASSES)].sum())
    cloudy = int(counts[MaskClass.CLOUD] + counts[MaskClass.SEMI_TRANSPARENT])
    return 100 * cloudy / valid if valid else 0.0


def _view(scene: Scene, grid: Grid) -> View:
    west, south, east, north = grid.bounds
    longitudes, latitudes = transform(
        f"EPSG:{grid.epsg}", "EPSG:4326", [(west + east) / 2], [(south + north) / 2]
    )
    zenith, azimuth = sun_position(
        scene.sensed or scene.product.sensed, longitudes[0], latitudes[0]
    )
    return View(sun_zenith=zenith, sun_azimuth=azimuth)


def _ring(scene: Scene, landscape: Landscape, grid: Grid) -> Ring:
    whole = box(*grid.bounds)
    if scene.swath == 1:
        return ring_of(whole, grid.epsg)
    top, bottom = -1.0, grid.height + 1.0
    right = landscape.edge(np.array([top, bottom]))
    far = -float(grid.width + grid.height)
    corners = [(far, top), (right[0], top), (right[1], bottom), (far, bottom)]
    side = Polygon([grid.transform * corner for corner in corners])
    return ring_of(whole.intersection(side), grid.epsg)
