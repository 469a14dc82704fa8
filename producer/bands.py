"""Reading bands: windows of digital numbers, and reflectance on any grid of the same CRS."""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from producer.errors import BandReadError
from producer.grid import Grid
from producer.resample import Axis, resample
from producer.safe import BandFile, Product
from producer.safe.spectrum import BAND_IDS

# ESA's tiles; smaller ones are read in groups of about this edge.
_CHUNK_PX = 1024
# A row of tiles of all 13 bands, and the row before: what a scan from north to south reuses.
_CACHE_BYTES = 384 * 2**20
_STRIP_ROWS = 1024
_GDAL = {
    # With more, GDAL decodes tiles in threads of its own and loses their errors: of a truncated
    # file it then returns zeros and garbage as if all were well (seen with GDAL 3.10).
    "GDAL_NUM_THREADS": "1",
    # No look for .ovr and .aux.xml files beside every band.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
}


@dataclass(frozen=True, slots=True)
class _Raster:
    """What the header of a band's file says."""

    grid: Grid
    chunk: tuple[int, int]
    """Rows and columns that are decoded and cached together."""


class Bands:
    """The bands of a product, read by windows; a context manager, safe to share by threads.

    JPEG 2000 is decoded by tiles, 1024 x 1024 pixels in ESA's products: a window costs all the
    tiles that it touches. Decoded tiles are kept for a while (384 MiB in all), so a scan by blocks
    of any size from north to south, with or without overlap, decodes each tile once. Jumping
    about decodes again.
    """

    def __init__(self, product: Product, names: Iterable[str], threads: int = 0) -> None:
        """Name the bands to read.

        Args:
            product: Whose bands.
            names: Bands that will be asked for.
            threads: Tiles decoded at a time; 0 takes one per core.

        Raises:
            MissingBandError: The product lacks one of them.
        """
        self._product = product
        self._files = {name: product.band(name) for name in names}
        self._pool = ThreadPoolExecutor(threads or _cores(), thread_name_prefix="bands")
        self._lock = threading.Lock()
        self._rasters: dict[str, _Raster] = {}
        self._chunks: OrderedDict[tuple[str, int, int], NDArray[np.uint16]] = OrderedDict()
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
        raster = self._raster(name)
        window = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint16)
        wanted = [
            (name, row, column)
            for row in _touched(rows, raster.chunk[0], raster.grid.height)
            for column in _touched(columns, raster.chunk[1], raster.grid.width)
        ]
        with self._lock:
            known = {key: self._chunks[key] for key in wanted if key in self._chunks}
            for key in known:
                self._chunks.move_to_end(key)
        lacking = [key for key in wanted if key not in known]
        for key, chunk in known.items():
            _paste(window, rows, columns, key, chunk)
        if len(lacking) == 1:
            _paste(window, rows, columns, lacking[0], self._decode(lacking[0]))
        else:
            for key, chunk in zip(lacking, self._pool.map(self._decode, lacking), strict=True):
                _paste(window, rows, columns, key, chunk)
        return window

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
        own = self.grid(name)
        if own.epsg != grid.epsg:
            raise ValueError(f"band {name} is in EPSG:{own.epsg}, asked for in EPSG:{grid.epsg}")
        ratio = grid.resolution_m / own.resolution_m
        left = (grid.x_m - own.x_m) / own.resolution_m
        top = (own.y_m - grid.y_m) / own.resolution_m
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

    def _raster(self, name: str) -> _Raster:
        raster = self._rasters.get(name)
        if raster is None:
            with self._opened(name) as dataset:
                raster = self._inspected(self._files[name], dataset)
            self._rasters[name] = raster
        return raster

    def _inspected(self, file: BandFile, dataset: Any) -> _Raster:  # noqa: ANN401
        said = self._product.grids.get(file.resolution_m)
        epsg = dataset.crs.to_epsg() if dataset.crs else None
        if epsg != self._product.grid.epsg:
            problem = f"has the CRS {dataset.crs}, its metadata say EPSG:{self._product.grid.epsg}"
            raise BandReadError(self._product.source, file.name, problem)
        if dataset.count != 1 or dataset.dtypes[0] not in ("uint8", "uint16"):
            problem = f"holds {dataset.count} x {dataset.dtypes[0]}, wanted 1 x uint16"
            raise BandReadError(self._product.source, file.name, problem)
        at = dataset.transform
        grid = Grid(epsg, at.c, at.f, at.a, dataset.width, dataset.height)
        if (at.b, at.d, at.e) != (0, 0, -at.a) or at.a != file.resolution_m:
            problem = f"has pixels of {at.a} x {-at.e} m, wanted {file.resolution_m} m north up"
            raise BandReadError(self._product.source, file.name, problem)
        if said is not None and not _same_place(grid, said):
            problem = f"covers {grid.bounds}, its metadata say {said.bounds}"
            raise BandReadError(self._product.source, file.name, problem)
        height, width = dataset.block_shapes[0]
        return _Raster(grid, (_grouped(height), _grouped(width)))

    def _decode(self, key: tuple[str, int, int]) -> NDArray[np.uint16]:
        name, top, left = key
        raster = self._rasters[name]
        height = min(raster.chunk[0], raster.grid.height - top)
        width = min(raster.chunk[1], raster.grid.width - left)
        # Opened anew each time, which takes about 1 ms where a tile takes 100: no handle is ever
        # shared by threads, and GDAL's own cache, emptied by the closing, stays out of the way.
        with self._opened(name) as dataset:
            chunk: NDArray[np.uint16] = dataset.read(1, window=Window(left, top, width, height))
        chunk = chunk.astype(np.uint16, copy=False)
        with self._lock:
            if key not in self._chunks:
                self._chunks[key] = chunk
                self._cached_bytes += chunk.nbytes
            while self._cached_bytes > _CACHE_BYTES:
                self._cached_bytes -= self._chunks.popitem(last=False)[1].nbytes
        return chunk

    def _opened(self, name: str) -> "_Opened":
        return _Opened(self._product.source, self._files[name])


class _Opened:
    """A band's file, open within a block; what GDAL says of it becomes a ``BandReadError``."""

    def __init__(self, source: str, file: BandFile) -> None:
        self._source = source
        self._file = file
        self._env = rasterio.Env(**_GDAL)

    def __enter__(self) -> Any:  # noqa: ANN401
        self._env.__enter__()
        try:
            self._dataset = rasterio.open(self._file.path)
        except RasterioError as error:
            self._env.__exit__()
            raise self._translated(error) from error
        return self._dataset

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._dataset.close()
        self._env.__exit__(kind, error, trace)
        if isinstance(error, RasterioError):
            raise self._translated(error) from error

    def _translated(self, error: RasterioError) -> BandReadError:
        reason = error.__cause__ or error
        return BandReadError(self._source, self._file.name, f"cannot be decoded: {reason}")


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _grouped(block_px: int) -> int:
    return block_px * max(1, _CHUNK_PX // block_px)


def _same_place(one: Grid, other: Grid) -> bool:
    near = one.resolution_m / 2
    return (
        one.shape == other.shape
        and abs(one.x_m - other.x_m) < near
        and abs(one.y_m - other.y_m) < near
    )


def _touched(window: slice, chunk: int, size: int) -> Iterator[int]:
    """Go through the first pixels of the chunks that a window touches."""
    begin, end = max(window.start, 0), min(window.stop, size)
    if begin < end:
        yield from range(begin - begin % chunk, end, chunk)


def _paste(
    window: NDArray[np.uint16],
    rows: slice,
    columns: slice,
    key: tuple[str, int, int],
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
