"""The ukis-csmask engine: DLR's U-Net for cloud and cloud shadow, at 30 m.

M. Wieland, F. Fichtner, S. Martinis, UKIS-CSMASK: A Python package for multi-sensor cloud and
cloud shadow segmentation (2022), https://doi.org/10.5194/isprs-archives-XLIII-B3-2022-217-2022.
Its wheel brings the trained models, which are run here on patches laid out as the wheel's own
class lays them out, without ever holding the scene's bands as floats.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.resources import files
from itertools import chain
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from producer.ahead import Headstart, ahead
from producer.bands import Bands
from producer.classes import MaskClass
from producer.devices import turn
from producer.engines import EngineOutput, Progress, Weights, silent
from producer.errors import WeightsDigestError
from producer.grid import Grid
from producer.patches import mirrored, taper
from producer.safe import Product
from producer.upsampling import likeliest
from producer.validity import validity

Strip = tuple[int, NDArray[np.float32]]
"""A row of patches: its first row, and (band, row, column) reflectance."""

NAME = "ukis-csmask"
BANDS = ("B02", "B03", "B04", "B08", "B11", "B12")
"""What the model calls blue, green, red, nir, swir16 and swir22, in its order."""
CLASSES = (MaskClass.CLEAR, MaskClass.CLOUD, MaskClass.CLOUD_SHADOW)
"""What the model's outputs mean, in its order; thin cloud is not told apart."""

FACTOR = 3
"""The model wants about 30 m."""
PATCH_PX = 256
STEP_PX = 204
MARGIN_PX = 51
"""Pixels by which the first patch reaches beyond the scene: a fifth, as the overlap."""

_SHA256 = {
    "L1C": "aa79e9a0f02ff8e0243d93771d1daf6a8d1166b7ac06c3771560b83367c6c573",
    "L2A": "d11c530978637ca420eedc40791c62bf78997dd39e1201777e2527e4bd94904e",
}


def load(level: str) -> "UkisCsmask":
    """Load the model of one level.

    Raises:
        WeightsDigestError: The installed model is not the one that was published.
    """
    folder = files("ukis_csmask")
    stem = f"model_6b_{level.lower()}"
    model = (folder / f"{stem}.onnx").read_bytes()
    digest = hashlib.sha256(model).hexdigest()
    if digest != _SHA256[level]:
        raise WeightsDigestError(
            f"{stem}.onnx", digest, _SHA256[level], "Install ukis-csmask 1.0.0 again."
        )
    statistics = json.loads((folder / f"{stem}.json").read_text())["data"]["dataset_statistics"]
    mean, deviation = np.array(statistics["img"], np.float32)
    return UkisCsmask(
        level=level,
        weights=Weights(f"{stem}.onnx", digest),
        session=onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]),
        mean=mean[:, np.newaxis, np.newaxis],
        deviation=deviation[:, np.newaxis, np.newaxis],
    )


@dataclass(frozen=True, slots=True)
class UkisCsmask:
    """The model of one level, ready for many products."""

    level: str
    weights: Weights
    session: Any
    """ONNX Runtime's session."""
    mean: NDArray[np.float32]
    """(band, 1, 1) mean reflectance of what the model was trained on."""
    deviation: NDArray[np.float32]
    """(band, 1, 1) standard deviation of it."""

    @property
    def name(self) -> str:
        """Registry name."""
        return NAME

    @property
    def version(self) -> str:
        """Version of the wheel that brings the models."""
        return version(NAME)

    @property
    def classes(self) -> tuple[MaskClass, ...]:
        """Classes that the model tells apart."""
        return CLASSES

    def mask(self, product: Product, progress: Progress = silent) -> EngineOutput:
        """Mask one product.

        Rows of patches are decoded and inferred by turns, each on all cores, as both at once
        take longer. ``read`` is what inference waits for; ``wait`` is for the product before.

        Raises:
            SafeError: The product cannot be read.
        """
        scene = _Scene(product, np.zeros(product.grid.shape, np.uint8))
        timings = {"read": 0.0, "wait": 0.0, "infer": 0.0}
        window = taper(PATCH_PX, PATCH_PX - STEP_PX)
        blend = np.zeros((len(CLASSES), *scene.coarse.shape), np.float32)
        total = len(scene.tops) * len(scene.lefts)
        done = 0
        strips = _waited(scene.strips(), timings)
        # Read while another product may still be inferred.
        first = next(strips)
        began = time.perf_counter()
        with turn("cpu"):
            timings["wait"] = time.perf_counter() - began
            for top, strip in chain((first,), strips):
                for left in scene.lefts:
                    patch = strip[:, :, left + MARGIN_PX : left + MARGIN_PX + PATCH_PX]
                    # Where there is no data at all there is nothing to infer.
                    if patch.any():
                        began = time.perf_counter()
                        _add(blend, self._infer(patch) * window, top, left)
                        timings["infer"] += time.perf_counter() - began
                    done += 1
                    progress("infer", done, total)
        began = time.perf_counter()
        values = np.array(CLASSES, np.uint8)
        found = values[likeliest(blend, FACTOR, product.grid.shape)]
        np.copyto(scene.mask, found, where=scene.mask == MaskClass.CLEAR)
        timings["upsample"] = time.perf_counter() - began
        return EngineOutput(scene.mask, timings)

    def _infer(self, patch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the (class, row, column) probabilities of a patch of reflectance."""
        normal = (patch - self.mean) / self.deviation
        scores: NDArray[np.float32] = self.session.run(None, {"input": normal[np.newaxis]})[0][0]
        np.exp(scores - scores.max(axis=0), out=scores)
        scores /= scores.sum(axis=0)
        return scores


@dataclass(frozen=True, slots=True)
class _Scene:
    """One product as the model wants to see it."""

    product: Product
    mask: NDArray[np.uint8]
    """Filled with what ``validity`` says as strips are read."""

    @property
    def coarse(self) -> Grid:
        """The grid of about 30 m; its last row and column may reach beyond the product."""
        fine = self.product.grid
        return Grid(
            epsg=fine.epsg,
            x_m=fine.x_m,
            y_m=fine.y_m,
            resolution_m=fine.resolution_m * FACTOR,
            width=-(-fine.width // FACTOR),
            height=-(-fine.height // FACTOR),
        )

    @property
    def tops(self) -> range:
        """First rows of patches."""
        return range(-MARGIN_PX, self.coarse.height, STEP_PX)

    @property
    def lefts(self) -> range:
        """First columns of patches."""
        return range(-MARGIN_PX, self.coarse.width, STEP_PX)

    def strips(self) -> Iterator[Strip]:
        """Go through rows of patches.

        The columns begin with the margin; beyond its edges the scene is mirrored.
        """
        with (
            Bands(self.product, BANDS) as bands,
            # What is left to do once a row is decoded takes one core, beside inference.
            ahead(partial(self._read, bands), self._decoded(bands), Headstart(1, 1)) as strips,
        ):
            yield from strips

    def _decoded(self, bands: Bands) -> Iterator[int]:
        """Go through first rows of patches, and decode what each sees, and what it decides."""
        for top in self.tops:
            part = self._part(top)
            bands.decode(bands.seen(name, part) for name in BANDS)
            yield top

    def _part(self, top: int) -> Grid:
        """Cut the rows out of the scene that a row of patches sees, mirrored ones included."""
        rows = mirrored(top, top + PATCH_PX, self.coarse.height)
        return _rows(self.coarse, int(rows.min()), int(rows.max()) + 1)

    def _read(self, bands: Bands, top: int) -> Strip:
        coarse = self.coarse
        rows = mirrored(top, top + PATCH_PX, coarse.height)
        rows -= rows.min()
        columns = mirrored(-MARGIN_PX, self.lefts[-1] + PATCH_PX, coarse.width)
        part = self._part(top)
        strip = np.empty((len(BANDS), len(rows), len(columns)), np.float32)
        for index, name in enumerate(BANDS):
            # The model was trained with 0 where there is no data.
            values = np.nan_to_num(bands.reflectance(name, part), copy=False)
            strip[index] = values[np.ix_(rows, columns)]
        begin = max(top, 0) * FACTOR
        end = min((top + STEP_PX) * FACTOR, self.product.grid.height)
        self.mask[begin:end] = validity(bands, BANDS, _rows(self.product.grid, begin, end))
        return top, strip


def _waited(strips: Iterator[Strip], timings: dict[str, float]) -> Iterator[Strip]:
    """Give strips, and count the seconds until each is there as ``read``."""
    while True:
        began = time.perf_counter()
        strip = next(strips, None)
        timings["read"] += time.perf_counter() - began
        if strip is None:
            return
        yield strip


def _rows(grid: Grid, begin: int, end: int) -> Grid:
    """Cut some rows out of a grid."""
    top = grid.y_m - begin * grid.resolution_m
    return Grid(grid.epsg, grid.x_m, top, grid.resolution_m, grid.width, end - begin)


def _add(blend: NDArray[np.float32], patch: NDArray[np.float32], top: int, left: int) -> None:
    """Add a weighed patch to the scene, without what reaches beyond it."""
    _, height, width = blend.shape
    rows = slice(max(top, 0), min(top + PATCH_PX, height))
    columns = slice(max(left, 0), min(left + PATCH_PX, width))
    blend[:, rows, columns] += patch[
        :, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
