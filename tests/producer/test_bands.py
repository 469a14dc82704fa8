import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.warp import Resampling, reproject

from producer.bands import Bands
from producer.errors import BandReadError, MissingBandError
from producer.grid import Grid
from producer.product import ProductName
from producer.safe import Product, open_product
from producer.synthetic import write_safe
from producer.synthetic.jp2 import Encoding, encode
from tests import products

SIZE = 1260
"""More than one tile of 1024 at 10 m, and a multiple of 6."""


def _random(shape: tuple[int, int], seed: int) -> NDArray[np.uint16]:
    numbers = np.random.default_rng(seed).integers(1, 9000, shape, np.uint16)
    # No data over a corner and in a hole.
    numbers[: shape[0] // 20, : shape[1] // 15] = 0
    numbers[shape[0] // 2, shape[1] // 2] = 0
    return numbers


NUMBERS = {
    "B02": _random((SIZE, SIZE), 2),
    "B05": _random((SIZE // 2, SIZE // 2), 5),
    "B01": _random((SIZE // 6, SIZE // 6), 1),
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Product:
    folder = tmp_path_factory.mktemp("bands")
    return open_product(products.flat_product(folder, size_px=SIZE, numbers=NUMBERS))


@pytest.fixture(scope="module")
def bands(product: Product) -> Iterator[Bands]:
    with Bands(product, [*NUMBERS, "B8A"], threads=2) as opened:
        yield opened


@pytest.mark.parametrize("name", NUMBERS)
def test_a_band_comes_as_it_was_written(bands: Bands, name: str) -> None:
    written = NUMBERS[name]
    height, width = written.shape
    assert bands.grid(name).shape == written.shape
    read = bands.digital_numbers(name, slice(0, height), slice(0, width))
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, written)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (slice(1000, 1100), slice(990, 1260)),
        (slice(-7, 5), slice(-3, 4)),
        (slice(1255, 1300), slice(1250, 1261)),
        (slice(-5, 1300), slice(500, 501)),
        (slice(2000, 2010), slice(0, 10)),
        (slice(5, 5), slice(0, 10)),
    ],
)
def test_a_window_may_reach_over_tiles_and_over_the_edge(
    bands: Bands, rows: slice, columns: slice
) -> None:
    wide = np.pad(NUMBERS["B02"], 1000)
    expected = wide[
        rows.start + 1000 : rows.stop + 1000, columns.start + 1000 : columns.stop + 1000
    ]
    np.testing.assert_array_equal(bands.digital_numbers("B02", rows, columns), expected)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("metres", [7, 10, 20, 30, 60, 100])
@pytest.mark.parametrize("shift_m", [0, 4, 10])
def test_reflectance_agrees_with_gdal_on_any_grid(
    bands: Bands, name: str, metres: int, shift_m: int
) -> None:
    own = bands.grid(name)
    # Away from the edges, where GDAL has its own ways.
    size = min(12_000 // metres, 400)
    grid = Grid(own.epsg, own.x_m + 60 + shift_m, own.y_m - 120 + shift_m, metres, size, size)
    read = bands.reflectance(name, grid)
    expected = _warped(NUMBERS[name], own, grid)
    assert read.dtype == np.float32
    assert read.shape == grid.shape
    both = ~np.isnan(read) & ~np.isnan(expected)
    assert both.mean() > 0.9
    np.testing.assert_allclose(read[both], (expected[both] - 1000) / 10_000, atol=2e-6)
    if metres > own.resolution_m:
        np.testing.assert_array_equal(np.isnan(read), np.isnan(expected))


def _warped(numbers: NDArray[np.uint16], own: Grid, grid: Grid) -> NDArray[np.float32]:
    source = np.where(numbers == 0, np.nan, numbers).astype(np.float32)
    target = np.full(grid.shape, np.nan, np.float32)
    reproject(
        source,
        target,
        src_transform=own.transform,
        dst_transform=grid.transform,
        src_crs="EPSG:32635",
        dst_crs="EPSG:32635",
        src_nodata=np.nan,
        dst_nodata=np.nan,
        resampling=(
            Resampling.average if grid.resolution_m > own.resolution_m else Resampling.bilinear
        ),
    )
    return target


@pytest.mark.parametrize("name", NUMBERS)
def test_no_data_stays_what_lies_under_it_where_pixels_shrink(
    product: Product, bands: Bands, name: str
) -> None:
    factor = bands.grid(name).resolution_m // 10
    known = np.kron(NUMBERS[name] != 0, np.ones((int(factor), int(factor)), bool))
    read = bands.reflectance(name, product.grid)
    np.testing.assert_array_equal(np.isnan(read), ~known)


@pytest.mark.parametrize("metres", [10, 20, 30])
def test_a_part_comes_out_as_cut_from_the_whole(
    product: Product, bands: Bands, metres: int
) -> None:
    grid = product.grid
    whole_grid = Grid(grid.epsg, grid.x_m, grid.y_m, metres, 12_600 // metres, 12_600 // metres)
    for name in NUMBERS:
        whole = bands.reflectance(name, whole_grid)
        rows, columns = slice(101, 390), slice(17, 222)
        part = replace(
            whole_grid,
            x_m=grid.x_m + columns.start * metres,
            y_m=grid.y_m - rows.start * metres,
            width=columns.stop - columns.start,
            height=rows.stop - rows.start,
        )
        np.testing.assert_array_equal(bands.reflectance(name, part), whole[rows, columns])


def test_outside_of_the_scene_there_is_no_data(product: Product, bands: Bands) -> None:
    grid = product.grid
    beyond = replace(grid, x_m=grid.x_m - 300, y_m=grid.y_m + 200, width=60, height=40)
    for name in ("B02", "B8A"):
        read = bands.reflectance(name, beyond)
        assert np.isnan(read[:20]).all()
        assert np.isnan(read[:, :30]).all()
    assert not np.isnan(bands.reflectance("B8A", beyond)[20:, 30:]).any()


def test_grids_of_a_crop_need_not_share_their_origin(tmp_path: Path) -> None:
    name = ProductName.parse(products.OLD_L1C)
    fine = Grid(32635, 300_010, 6_600_000, 10, 96, 60)
    grids = {
        10: fine,
        20: Grid(32635, 300_000, 6_599_980, 20, 50, 29),
        60: Grid(32635, 299_980, 6_600_040, 60, 18, 12),
    }
    ramp = np.tile(np.arange(50, dtype=np.uint16) * 20 + 1010, (29, 1))
    full = {
        band: np.full(grids[metres].shape, 1000, np.uint16)
        for metres, names in {10: ("B02",), 20: ("B05",), 60: ("B01",)}.items()
        for band in names
    }
    path = write_safe(tmp_path, products.flat_facts(str(name), grids), full | {"B05": ramp})
    product = open_product(path)
    with Bands(product, ["B02", "B05", "B01"]) as bands:
        assert bands.grid("B05") == grids[20]
        read = bands.reflectance("B05", product.grid)
        # The ramp is the distance from easting 300 000 in metres, plus 1000.
        expected = (np.arange(96) * 10 + 15 + 1000) / 10_000
        np.testing.assert_allclose(read[30, 1:-1], expected[1:-1], atol=1e-6)
        assert np.isnan(read[:2]).all()
        assert not np.isnan(read[2:]).any()
        np.testing.assert_allclose(bands.reflectance("B01", product.grid), 0.1)


def test_many_threads_read_what_one_reads(product: Product) -> None:
    windows = [
        (slice(y, y + 300), slice(x, x + 300)) for y in range(0, 1000, 100) for x in (0, 900)
    ]
    barrier = threading.Barrier(4)
    with Bands(product, ["B02"], threads=3) as bands, ThreadPoolExecutor(4) as pool:

        def read(worker: int) -> bool:
            barrier.wait()
            return all(
                np.array_equal(bands.digital_numbers("B02", *window), NUMBERS["B02"][window])
                for window in windows[worker:] + windows[:worker]
            )

        assert all(pool.map(read, range(4)))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What has been opened: each time one tile is decoded, or a header read."""
    paths: list[str] = []
    real = rasterio.open

    def counting(path: str) -> object:
        paths.append(path)
        return real(path)

    monkeypatch.setattr(rasterio, "open", counting)
    return paths


@pytest.mark.parametrize(("left", "top"), [(1024, 1024 - 45), (1024 - 60, 1024)])
def test_what_is_seen_of_a_grid_is_decoded_ahead_and_nothing_else(
    product: Product, opened: list[str], left: int, top: int
) -> None:
    own = product.grid
    # To the edge of one tile, on two sides.
    part = Grid(own.epsg, own.x_m + 10 * left, own.y_m - 10 * top, 30, 20, 15)
    with Bands(product, ["B02"]) as bands:
        bands.decode([bands.seen("B02", part)])
        # The header, and the tile.
        assert len(opened) == 2
        bands.reflectance("B02", part)
    assert len(opened) == 2


def test_tiles_are_decoded_once_in_a_scan(product: Product, opened: list[str]) -> None:
    with Bands(product, ["B02"]) as bands:
        for top in range(0, SIZE, 50):
            bands.digital_numbers("B02", slice(top - 10, top + 60), slice(0, SIZE))
    # The header, and four tiles.
    assert len(opened) == 5


def test_a_zip_reads_the_same(tmp_path: Path) -> None:
    numbers = {"B05": _random((60, 60), 7)}
    path = products.flat_product(tmp_path, size_px=120, numbers=numbers, archive=True)
    product = open_product(path)
    with Bands(product, ["B05"]) as bands:
        np.testing.assert_array_equal(
            bands.digital_numbers("B05", slice(0, 60), slice(0, 60)), numbers["B05"]
        )


def test_a_band_that_is_not_there_is_missed_before_anything_is_read(product: Product) -> None:
    with pytest.raises(MissingBandError, match="SCL is none of L1C"):
        Bands(product, ["B02", "SCL"])


def test_another_crs_than_the_metadata_say_is_refused(tmp_path: Path) -> None:
    safe = products.flat_product(tmp_path)
    (path,) = safe.glob("GRANULE/*/IMG_DATA/*_B03.jp2")
    path.unlink()
    grid = open_product(safe).grid
    numbers = np.full(grid.shape, 5, np.uint16)
    encode(numbers, path, replace(grid, epsg=32636), Encoding())
    with (
        Bands(open_product(safe), ["B03"]) as bands,
        pytest.raises(BandReadError, match="band B03 has the CRS EPSG:32636"),
    ):
        bands.grid("B03")


@pytest.mark.parametrize("change", [{"width": 54}, {"x_m": 300_020.0}, {"resolution_m": 20}])
def test_another_place_than_the_metadata_say_is_refused(
    tmp_path: Path, change: dict[str, float]
) -> None:
    safe = products.flat_product(tmp_path)
    (path,) = safe.glob("GRANULE/*/IMG_DATA/*_B03.jp2")
    path.unlink()
    grid = replace(open_product(safe).grid, **change)  # type: ignore[arg-type]
    encode(np.full(grid.shape, 5, np.uint16), path, grid, Encoding())
    with (
        Bands(open_product(safe), ["B03"]) as bands,
        pytest.raises(BandReadError, match=r"metadata say|wanted 10 m"),
    ):
        bands.grid("B03")


@pytest.mark.parametrize(
    ("kept", "threads"), [(0.0, 2), (0.01, 2), (0.3, 2), (0.6, 1), (0.6, 2), (0.99, 2), (0.9999, 1)]
)
def test_a_band_cut_short_is_an_error_never_zeros(
    product: Product, tmp_path: Path, kept: float, threads: int
) -> None:
    whole = product.band("B02")
    data = Path(whole.path).read_bytes()
    cut = tmp_path / "cut.jp2"
    cut.write_bytes(data[: int(len(data) * kept)])
    broken = replace(product, bands={"B02": replace(whole, path=str(cut))})
    with (
        Bands(broken, ["B02"], threads=threads) as bands,
        pytest.raises(BandReadError, match="band B02 cannot be decoded"),
    ):
        bands.digital_numbers("B02", slice(0, SIZE), slice(0, SIZE))


def test_small_tiles_cut_short_are_an_error_too(product: Product, tmp_path: Path) -> None:
    # Many tiles in one read: where GDAL would decode them in threads and lose what they say.
    small = tmp_path / "small.jp2"
    tiles = {"BLOCKXSIZE": "64", "BLOCKYSIZE": "64", "QUALITY": "100", "REVERSIBLE": "YES"}
    whole = product.band("B02")
    rasterio.shutil.copy(whole.path, small, driver="JP2OpenJPEG", **tiles)
    data = small.read_bytes()
    small.write_bytes(data[: len(data) * 3 // 4])
    broken = replace(product, bands={"B02": replace(whole, path=str(small))})
    with (
        Bands(broken, ["B02"]) as bands,
        pytest.raises(BandReadError, match="band B02 cannot be decoded"),
    ):
        bands.digital_numbers("B02", slice(0, SIZE), slice(0, SIZE))


def test_a_good_tile_of_a_band_cut_short_can_still_be_read(
    product: Product, tmp_path: Path
) -> None:
    whole = product.band("B02")
    data = Path(whole.path).read_bytes()
    cut = tmp_path / "cut.jp2"
    cut.write_bytes(data[: int(len(data) * 0.9)])
    broken = replace(product, bands={"B02": replace(whole, path=str(cut))})
    with Bands(broken, ["B02"]) as bands:
        read = bands.digital_numbers("B02", slice(0, 900), slice(0, 900))
        np.testing.assert_array_equal(read, NUMBERS["B02"][:900, :900])


def test_a_band_of_zeros_or_of_text_is_an_error(product: Product, tmp_path: Path) -> None:
    junk = tmp_path / "junk.jp2"
    junk.write_bytes(b"<html>404</html>")
    broken = replace(product, bands={"B02": replace(product.band("B02"), path=str(junk))})
    with (
        Bands(broken, ["B02"]) as bands,
        pytest.raises(BandReadError, match="cannot be decoded"),
    ):
        bands.grid("B02")


def test_reflectance_is_only_asked_of_bands_that_hold_it(tmp_path: Path) -> None:
    product = open_product(products.flat_product(tmp_path, products.NEW_L2A))
    with Bands(product, ["SCL", "B02"]) as bands:
        with pytest.raises(ValueError, match="SCL holds no reflectance"):
            bands.reflectance("SCL", product.grid)
        with pytest.raises(ValueError, match="asked for in EPSG:32636"):
            bands.reflectance("B02", replace(product.grid, epsg=32636))
        assert (bands.digital_numbers("SCL", slice(0, 30), slice(0, 30)) == 2000).all()


def test_real_pixels_agree_with_gdal_on_30_m(product: Product) -> None:
    folder = products.shared_data() / "pixels" / "T18_clear_coast"
    grids = {band: _grid_of(folder / f"{band}.jp2") for band in ("B02", "B8A", "B01")}
    real = replace(
        product,
        grid=grids["B02"],
        grids={},
        offsets=dict.fromkeys(product.offsets, 0),
        bands={
            band: replace(
                product.band(band),
                path=str(folder / f"{band}.jp2"),
                resolution_m=int(g.resolution_m),
            )
            for band, g in grids.items()
        },
    )
    first = grids["B02"]
    target = Grid(first.epsg, first.x_m + 300, first.y_m - 300, 30, 500, 500)
    with Bands(real, grids) as bands:
        for band, grid in grids.items():
            with rasterio.open(folder / f"{band}.jp2") as dataset:
                numbers = dataset.read(1)
            expected = _warped(numbers, grid, target)
            np.testing.assert_allclose(
                bands.reflectance(band, target), expected / 10_000, atol=1e-6
            )


def _grid_of(path: Path) -> Grid:
    with rasterio.open(path) as dataset:
        at = dataset.transform
        return Grid(dataset.crs.to_epsg(), at.c, at.f, at.a, dataset.width, dataset.height)
