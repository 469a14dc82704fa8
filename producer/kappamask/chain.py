"""The whole way from a product to its mask, as a stream of tiles."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, islice

import numpy as np
from numpy.typing import NDArray

from producer.ahead import Headstart, ahead
from producer.bands import Bands
from producer.classes import MaskClass
from producer.decoding import Decoder, Gdal
from producer.devices import cores, turn
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
"""Tiles prepared ahead of the network, beside a batch: 14 MiB each; of batches one and a half."""


@dataclass(frozen=True, slots=True)
class Masked:
    """What came of a product."""

    mask: NDArray[np.uint8]
    probabilities: NDArray[np.uint8] | None
    timings_s: dict[str, float]
    """Seconds by step; ``resample`` runs beside ``infer``, and so does ``read`` but on a CPU; all
    begin beside ``wait`` for the product before to be done with the device."""
    agreement: float | None
    """Share of one tile's pixels to which the reference, if there is one, gives the same class."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A network and how it is used, ready for many products."""

    spectrum: Spectrum
    """The network's input; says the level of its products."""
    predictor: Predictor
    options: EngineOptions
    threads: int = 0
    """Threads that decode; 0 takes one per core."""
    decoder: Decoder = field(default_factory=Gdal)
    reference: Predictor | None = None
    """The network in full precision, to tell of each product how well a faster one agrees."""

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
        work = _Work(product, self.predictor, self.reference, self.options)
        size = self.predictor.batch
        headstart = _headstart(size * self.predictor.side_by_side, self.threads or cores())
        with Bands(product, self.spectrum.bands, self.threads, self.decoder) as bands:
            preparation = Preparation(product, bands, self.spectrum, self.options.mode)
            on_cpu = self.predictor.device.type == "cpu"
            wanted = work.decoded_by_rows(grid, preparation) if on_cpu else grid
            with ahead(preparation.prepare, wanted, headstart) as tiles_ahead:
                began = time.perf_counter()
                with turn(str(self.predictor.device)):
                    work.timings_s["wait"] = time.perf_counter() - began
                    batches = iter(lambda: list(islice(tiles_ahead, size)), [])
                    done = 0
                    with work.added(batches) as counts:
                        for count in counts:
                            done += count
                            progress("infer", done, len(grid))
        return Masked(work.mask, work.probabilities, work.timings_s, work.agreement)


def _headstart(batch: int, threads: int) -> Headstart:
    # Decoding has threads of its own besides; of two cores the network wants all there is.
    return Headstart(count=batch + _AHEAD * max(1, batch // 2), threads=max(1, threads // 2))


@dataclass(slots=True)
class _Work:
    """One product's mask, growing tile by tile."""

    product: Product
    predictor: Predictor
    reference: Predictor | None
    options: EngineOptions
    mask: NDArray[np.uint8] = field(init=False)
    probabilities: NDArray[np.uint8] | None = None
    timings_s: dict[str, float] = field(init=False)
    agreement: float | None = None
    _of_nothing: Prediction | None = None
    """What the network says of a tile without data."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        shape = self.product.grid.shape
        self.mask = np.zeros(shape, np.uint8)
        if self.options.probabilities:
            self.probabilities = np.zeros((len(MaskClass), *shape), np.uint8)
        self.timings_s = dict.fromkeys(("read", "resample", "wait", "infer", "merge"), 0.0)

    def decoded_by_rows(self, grid: Iterable[Tile], preparation: Preparation) -> Iterator[Tile]:
        """Go through the tiles, and decode all that a row of them sees before its first.

        On a CPU decoding and the network want the same cores. They take turns, each with all of
        them: at once they drive each other's data out of the caches, and wait for each other.
        """
        for _, row in groupby(grid, key=lambda tile: tile.row):
            began = time.perf_counter()
            tiles = list(row)
            preparation.decode(tiles)
            with self._lock:
                self.timings_s["read"] += time.perf_counter() - began
            yield from tiles

    @contextmanager
    def added(self, batches: Iterable[list[Prepared]]) -> Iterator[Iterable[int]]:
        """Infer batches as the predictor likes them, and give how many tiles each was."""
        together = self.predictor.side_by_side
        if together == 1:
            # In this thread: what is compiled for a GPU belongs to the one that it is called by.
            yield map(self._add, batches)
            return
        # One more waits, so that nobody does who is done before the other.
        with ahead(self._add, batches, Headstart(count=together + 1, threads=together)) as counts:
            yield counts

    def _add(self, batch: list[Prepared]) -> int:
        began = time.perf_counter()
        full = [prepared.inputs for prepared in batch if prepared.inputs is not None]
        found = self._predict(np.stack(full)) if full else None
        with self._lock:
            if found is not None and self.reference is not None and self.agreement is None:
                exact = self.reference(full[0][None]).classes[0]
                self.agreement = float(np.mean(exact == found.classes[0]))
            if len(full) < len(batch) and self._of_nothing is None:
                channels = self.predictor.network.channels
                nothing = np.zeros((1, channels, SIZE_PX, SIZE_PX), np.float32)
                self._of_nothing = self._predict(nothing)
        inferred = time.perf_counter()
        number = 0
        for prepared in batch:
            if prepared.inputs is None:
                self._paste(prepared, self._of_nothing, 0)
            else:
                self._paste(prepared, found, number)
                number += 1
        merged = time.perf_counter()
        with self._lock:
            self.timings_s["infer"] += (inferred - began) / self.predictor.side_by_side
            self.timings_s["merge"] += (merged - inferred) / self.predictor.side_by_side
            for prepared in batch:
                self.timings_s["read"] += prepared.read_s
                self.timings_s["resample"] += prepared.resample_s
        return len(batch)

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
