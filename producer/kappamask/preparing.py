"""From a product's bands to what the network sees of a tile."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producer.bands import Bands
from producer.classes import MaskClass
from producer.grid import Grid
from producer.kappamask.digital_numbers import decoding, normalisation
from producer.kappamask.resampling import enlarge
from producer.kappamask.spectra import Spectrum
from producer.kappamask.tiling import SIZE_PX, Axis, Tile
from producer.options import Mode
from producer.safe import Product
from producer.safe.spectrum import BAND_IDS
from producer.validity import validity


@dataclass(frozen=True, slots=True)
class Prepared:
    """A tile, ready for the network."""

    tile: Tile
    inputs: NDArray[np.float32] | None
    """(channel, row, column); ``None`` where every digital number is 0."""
    validity: NDArray[np.uint8] | None
    """(row, column) of the pixels that the tile decides, where not all are valid: ``NO_DATA``,
    ``MISSING`` or ``CLEAR``."""
    read_s: float
    resample_s: float


class Preparation:
    """Makes the tiles of one product; tables are computed once."""

    def __init__(self, product: Product, bands: Bands, spectrum: Spectrum, mode: Mode) -> None:
        self._grid = product.grid
        self._bands = bands
        self._names = spectrum.bands
        self._down, self._across = Axis(product.grid.height), Axis(product.grid.width)
        self._radiometric = tuple(name for name in spectrum.bands if name in BAND_IDS)
        offsets: Mapping[str, int] = product.offsets
        tables = {offset: decoding(mode, offset) for offset in {0, *offsets.values()}}
        self._decoding = {name: tables[offsets.get(name, 0)] for name in spectrum.bands}
        self._normalisation = dict(
            zip(spectrum.bands, normalisation(spectrum, mode, offsets), strict=True)
        )

    def decode(self, tiles: Iterable[Tile]) -> None:
        """Decode what some tiles see, and return when it is done."""
        self._bands.decode(
            (name, *self._place(name, tile)) for tile in tiles for name in self._names
        )

    def prepare(self, tile: Tile) -> Prepared:
        """Read, resample and normalise one tile.

        Raises:
            BandReadError: A band cannot be decoded.
        """
        began = time.perf_counter()
        self.decode([tile])
        windows = {
            name: self._bands.digital_numbers(name, *self._place(name, tile))
            for name in self._names
        }
        known = self._validity(tile, windows)
        read_s = time.perf_counter() - began
        if not any(window.any() for window in windows.values()):
            return Prepared(tile, None, known, read_s, 0.0)
        began = time.perf_counter()
        inputs = np.empty((len(self._names), SIZE_PX, SIZE_PX), np.float32)
        for channel, (name, window) in enumerate(windows.items()):
            numbers = self._decoding[name][window]
            if numbers.shape[0] != SIZE_PX:
                numbers = enlarge(numbers)
            np.take(self._normalisation[name], numbers, out=inputs[channel], mode="clip")
        return Prepared(tile, inputs, known, read_s, time.perf_counter() - began)

    def _place(self, name: str, tile: Tile) -> tuple[slice, slice]:
        """Give the rows and the columns of a band that a tile sees."""
        own = self._bands.grid(name)
        divisor = round(own.resolution_m / self._grid.resolution_m)
        rows, columns = self._down.seen(tile.row, divisor), self._across.seen(tile.column, divisor)
        # Bands of a whole product share their corner; those of a crop may not.
        down = round((own.y_m - self._grid.y_m) / own.resolution_m)
        across = round((self._grid.x_m - own.x_m) / own.resolution_m)
        return (
            slice(rows.start + down, rows.stop + down),
            slice(columns.start + across, columns.stop + across),
        )

    def _validity(
        self, tile: Tile, windows: Mapping[str, NDArray[np.uint16]]
    ) -> NDArray[np.uint8] | None:
        if all(windows[name].all() for name in self._radiometric):
            return None
        grid = self._grid
        part = Grid(
            epsg=grid.epsg,
            x_m=grid.x_m + tile.columns.start * grid.resolution_m,
            y_m=grid.y_m - tile.rows.start * grid.resolution_m,
            resolution_m=grid.resolution_m,
            width=tile.columns.stop - tile.columns.start,
            height=tile.rows.stop - tile.rows.start,
        )
        known = validity(self._bands, self._radiometric, part)
        return None if (known == MaskClass.CLEAR).all() else known
