"""The whole way from a product to its mask, as a stream of tiles."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from producer.bands import Bands
from producer.classes import MaskClass
from producer.kappamask.area import touched
from producer.kappamask.inference import Prediction, Predictor
from producer.kappamask.preparing import Preparation, Prepared
from producer.kappamask.spectra import Spectrum
from producer.kappamask.tiling import SIZE_PX, Tile, tiles
from producer.options import EngineOptions, Mode
from producer.safe import Product

Progress = Callable[[str, int, int], None]

CODES = {
    # What the network calls undefined (0) and missing (5) says nothing of the ground.
    Mode.HARMONISED: np.array([MaskClass.MISSING, 1, 2, 3, 4, MaskClass.MISSING], np.uint8),
    # km_predict's table of grey values lacks that of undefined, and GDAL copies it as it is: 3.
    Mode.LEGACY: np.array([MaskClass.SEMI_TRANSPARENT, 1, 2, 3, 4, MaskClass.MISSING], np.uint8),
}
"""Mask values by the network's class."""
_AHEAD = 3
"""Tiles prepared ahead of the network, beside a batch: 14 MiB each."""


@dataclass(frozen=True, slots=True)
class Masked:
    """What came of a product."""

    mask: NDArray[np.uint8]
    probabilities: NDArray[np.uint8] | None
    timings_s: dict[str, float]
    """Seconds by step; ``read`` and ``resample`` run beside ``infer``."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A network and how it is used, ready for many products."""

    spectrum: Spectrum
    """The network's input; says the level of its products."""
    predictor: Predictor
    options: EngineOptions
    threads: int = 0
    """Threads that decode; 0 takes one per core."""

    def mask(self, product: Product, progress: Progress) -> Masked:
        """Mask one product.

        Args:
            product: What to mask.
            progress: Told ``infer``, the tiles done and all of them.

        Raises:
            SafeError: The product cannot be read.
            AreaError: The area of interest lies outside of it.
        """
        grid = list(tiles(*product.grid.shape))
        if self.options.aoi is not None:
            grid = touched(grid, product.grid, self.options.aoi)
        work = _Work(product, self.predictor, self.options)
        with Bands(product, self.spectrum.bands, self.threads) as bands:
            preparation = Preparation(product, bands, self.spectrum, self.options.mode)
            for batch in _batches(preparation, grid, self.predictor.batch):
                work.add(batch)
                progress("infer", work.done, len(grid))
        return Masked(work.mask, work.probabilities, work.timings_s)


def _batches(preparation: Preparation, grid: Sequence[Tile], size: int) -> Iterator[list[Prepared]]:
    """Prepare tiles in a thread of their own, a few ahead; decoding has its threads besides."""
    with ThreadPoolExecutor(1, thread_name_prefix="tiles") as preparer:
        rest = iter(grid)
        waiting: deque[Future[Prepared]] = deque()
        try:
            while True:
                lacking = size + _AHEAD - len(waiting)
                waiting.extend(
                    preparer.submit(preparation.prepare, t) for t in islice(rest, lacking)
                )
                if not waiting:
                    return
                yield [waiting.popleft().result() for _ in range(min(size, len(waiting)))]
        finally:
            for future in waiting:
                future.cancel()


@dataclass(slots=True)
class _Work:
    """One product's mask, growing tile by tile."""

    product: Product
    predictor: Predictor
    options: EngineOptions
    done: int = 0
    mask: NDArray[np.uint8] = field(init=False)
    probabilities: NDArray[np.uint8] | None = None
    timings_s: dict[str, float] = field(init=False)
    _of_nothing: Prediction | None = None
    """What the network says of a tile without data."""

    def __post_init__(self) -> None:
        shape = self.product.grid.shape
        self.mask = np.zeros(shape, np.uint8)
        if self.options.probabilities:
            self.probabilities = np.zeros((len(MaskClass), *shape), np.uint8)
        self.timings_s = dict.fromkeys(("read", "resample", "infer", "merge"), 0.0)

    def add(self, batch: list[Prepared]) -> None:
        began = time.perf_counter()
        full = [prepared.inputs for prepared in batch if prepared.inputs is not None]
        found = self._predict(np.stack(full)) if full else None
        if len(full) < len(batch) and self._of_nothing is None:
            channels = self.predictor.network.channels
            self._of_nothing = self._predict(np.zeros((1, channels, SIZE_PX, SIZE_PX), np.float32))
        self.timings_s["infer"] += time.perf_counter() - began
        began = time.perf_counter()
        number = 0
        for prepared in batch:
            self.timings_s["read"] += prepared.read_s
            self.timings_s["resample"] += prepared.resample_s
            if prepared.inputs is None:
                self._paste(prepared, self._of_nothing, 0)
            else:
                self._paste(prepared, found, number)
                number += 1
        self.done += len(batch)
        self.timings_s["merge"] += time.perf_counter() - began

    def _predict(self, inputs: NDArray[np.float32]) -> Prediction:
        return self.predictor(inputs, probabilities=self.options.probabilities)

    def _paste(self, prepared: Prepared, found: Prediction | None, number: int) -> None:
        if found is None:
            return
        inside, outside = prepared.tile.inside, prepared.tile.outside
        values = CODES[self.options.mode][found.classes[number][inside]]
        # Old masks hold what the network made of pixels without data.
        if prepared.validity is not None and self.options.mode is not Mode.LEGACY:
            np.copyto(values, prepared.validity, where=prepared.validity != MaskClass.CLEAR)
        self.mask[outside] = values
        if self.probabilities is not None and found.probabilities is not None:
            self.probabilities[:, *outside] = found.probabilities[number][:, *inside]
