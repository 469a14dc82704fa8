"""Reading bands: windows of digital numbers, and reflectance on any grid of the same CRS."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from producer.decoding import Decoder, Gdal
from producer.devices import cores
from producer.grid import Grid
from producer.raster import Raster
from producer.resample import Axis, resample
from producer.safe import Product
from producer.safe.spectrum import BAND_IDS

# A row of tiles of all 14 bands, and the row before: what a scan from north to south reuses.
_CACHE_BYTES = 448 * 2**20
_STRIP_ROWS = 1024

_Key = tuple[str, int, int]
"""Band, and the first row and column of a chunk."""


class Bands:
    """The bands of a product, read by windows; a context manager, safe to share by threads.

    JPEG 2000 is decoded by tiles, 1024 x 1024 pixels in ESA's products: a window costs all the
    tiles that it touches. Decoded tiles are kept for a while (448 MiB in all), so a scan by blocks
    of any size from north to south, with or without overlap, decodes each tile once. Jumping
    about decodes again. A core decodes about ten million pixels a second.
    """

    def __init__(
        self,
        product: Product,
        names: Iterable[str],
        threads: int = 0,
        decoder: Decoder | None = None,
    ) -> None:
        """Name the bands to read.

        Args:
            product: Whose bands.
            names: Bands that will be asked for.
            threads: Tiles decoded at a time; 0 takes one per core.
            decoder: What decodes them; GDAL if nothing is named.

        Raises:
            MissingBandError: The product lacks one of them.
        """
        self._product = product
        self._files = {name: product.band(name) for name in names}
        self._pool = ThreadPoolExecutor(threads or cores(), thread_name_prefix="bands")
        self._decoder = decoder or Gdal()
        self._lock = threading.Lock()
        self._rasters: dict[str, Raster] = {}
        self._chunks: OrderedDict[_Key, Future[NDArray[np.uint16]]] = OrderedDict()
        self._cached_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        with self._lock:
            self._chunks.clear()
            self._cached_bytes = 0

    def grid(self, name: str) -> Grid:
        """Give the grid of a band, as its own file has it.

        Raises:
            BandReadError: The file cannot be opened, or lies elsewhere than the metadata say.
        """
        return self._raster(name).grid

    def digital_numbers(self, name: str, rows: slice, columns: slice) -> NDArray[np.uint16]:
        """Read a window.

        Args:
            name: Band.
            rows: First row and the one after the last, in the band's own pixels; they may lie
                outside of the band, where numbers are 0.
            columns: The same of columns.

        Raises:
            BandReadError: The band cannot be decoded.
        """
        window = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint16)
        for key, chunk in self._wanted(name, rows, columns).items():
            _paste(window, rows, columns, key, chunk.result())
        return window

    def decode(self, windows: Iterable[tuple[str, slice, slice]]) -> None:
        """Decode what will be read soon side by side, and return when it is done.

        Args:
            windows: Bands, rows and columns, as of ``digital_numbers``; to read one tells what
                went wrong with it.

        Raises:
            BandReadError: A file cannot be opened.
        """
        wait(chunk for window in windows for chunk in self._wanted(*window).values())

    def seen(self, name: str, grid: Grid) -> tuple[str, slice, slice]:
        """Give the window that ``reflectance`` reads for a grid.

        Raises:
            BandReadError: The file cannot be opened.
        """
        top, left, ratio = self._corner(name, grid)
        rows = Axis.between(top, ratio, grid.height)
        return name, rows.span, Axis.between(left, ratio, grid.width).span

    def reflectance(self, name: str, grid: Grid) -> NDArray[np.float32]:
        """Read reflectance on any grid of the band's CRS, a part of the scene or all of it.

        Averaged by area where pixels grow, bilinear where they shrink; a part comes out the
        same as it would be cut from the whole. Bands of fewer metres to a pixel need not share
        their origin with the grid.

        Returns:
            (row, column) reflectance, about 0 to 1: (number + offset) / quantification. NaN
            where the number is 0, which stands for no data, and outside of the band.

        Raises:
            BandReadError: The band cannot be decoded.
            ValueError: The grid has another CRS, or the band holds no reflectance.
        """
        if name not in BAND_IDS:
            raise ValueError(f"{name} holds no reflectance; read its digital numbers")
        top, left, ratio = self._corner(name, grid)
        columns = Axis.between(left, ratio, grid.width)
        offset = np.float32(self._product.offsets[name])
        scale = np.float32(self._product.quantification)
        result = np.empty(grid.shape, np.float32)
        # By strips: what is needed on the way stays small even if the whole scene is asked for.
        for begin in range(0, grid.height, _STRIP_ROWS):
            strip = result[begin : begin + _STRIP_ROWS]
            rows = Axis.between(top + begin * ratio, ratio, len(strip))
            strip[:] = resample(self.digital_numbers(name, rows.span, columns.span), rows, columns)
            strip += offset
            strip /= scale
        return result

    def _corner(self, name: str, grid: Grid) -> tuple[float, float, float]:
        """Give a grid's first row, its first column and its pixels' edge in pixels of a band."""
        own = self.grid(name)
        if own.epsg != grid.epsg:
            raise ValueError(f"band {name} is in EPSG:{own.epsg}, asked for in EPSG:{grid.epsg}")
        edge_m = own.resolution_m
        top, left = (own.y_m - grid.y_m) / edge_m, (grid.x_m - own.x_m) / edge_m
        return top, left, grid.resolution_m / edge_m

    def _raster(self, name: str) -> Raster:
        raster = self._rasters.get(name)
        if raster is None:
            raster = self._rasters[name] = Raster.inspect(self._product, self._files[name])
        return raster

    def _wanted(
        self, name: str, rows: slice, columns: slice
    ) -> dict[_Key, Future[NDArray[np.uint16]]]:
        raster = self._raster(name)
        keys = [
            (name, row, column)
            for row in _touched(rows, raster.chunk[0], raster.grid.height)
            for column in _touched(columns, raster.chunk[1], raster.grid.width)
        ]
        with self._lock:
            return {key: self._chunk(key) for key in keys}

    def _chunk(self, key: _Key) -> Future[NDArray[np.uint16]]:
        """Find a chunk or have it decoded, once for all threads that ask; the lock is held."""
        chunk = self._chunks.get(key)
        if chunk is not None:
            self._chunks.move_to_end(key)
            return chunk
        chunk = self._chunks[key] = self._pool.submit(self._decode, key)
        self._cached_bytes += self._bytes(key)
        while self._cached_bytes > _CACHE_BYTES and len(self._chunks) > 1:
            self._cached_bytes -= self._bytes(self._chunks.popitem(last=False)[0])
        return chunk

    def _bytes(self, key: _Key) -> int:
        height, width = self._rasters[key[0]].chunk
        return 2 * height * width

    def _decode(self, key: _Key) -> NDArray[np.uint16]:
        name, top, left = key
        raster = self._rasters[name]
        height = min(raster.chunk[0], raster.grid.height - top)
        width = min(raster.chunk[1], raster.grid.width - left)
        rows, columns = slice(top, top + height), slice(left, left + width)
        return self._decoder.read(self._product.source, self._files[name], rows, columns)


def _touched(window: slice, chunk: int, size: int) -> Iterator[int]:
    """Go through the first pixels of the chunks that a window touches."""
    begin, end = max(window.start, 0), min(window.stop, size)
    if begin < end:
        yield from range(begin - begin % chunk, end, chunk)


def _paste(
    window: NDArray[np.uint16],
    rows: slice,
    columns: slice,
    key: _Key,
    chunk: NDArray[np.uint16],
) -> None:
    _, top, left = key
    to_rows, from_rows = _overlap(rows, top, chunk.shape[0])
    to_columns, from_columns = _overlap(columns, left, chunk.shape[1])
    window[to_rows, to_columns] = chunk[from_rows, from_columns]


def _overlap(window: slice, first: int, count: int) -> tuple[slice, slice]:
    """Where a chunk goes in a window, and what of the chunk that is."""
    begin, end = max(window.start, first), min(window.stop, first + count)
    return slice(begin - window.start, end - window.start), slice(begin - first, end - first)
