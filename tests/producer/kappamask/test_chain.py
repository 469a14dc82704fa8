import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from numpy.typing import NDArray
from shapely.geometry import box, mapping

from producer.bands import Bands
from producer.classes import MaskClass
from producer.decoding import Gdal
from producer.engines import silent
from producer.errors import AreaError
from producer.grid import Grid
from producer.kappamask.chain import Chain
from producer.kappamask.networks import Network
from producer.kappamask.preparing import Preparation, Prepared
from producer.kappamask.spectra import spectrum
from producer.kappamask.tiling import Tile, tiles
from producer.options import Backend, EngineOptions, Mode, Precision
from producer.safe import BandFile, open_product
from producer.safe.spectrum import NATIVE_RESOLUTION_M
from producer.synthetic import Scene, write_safe
from tests.producer.kappamask.conftest import Numbers, StandIn, chain_of, rewritten
from tests.producer.kappamask.random_networks import sample_inputs
from tests.products import NEW_L1C, OLD_L1C, flat_facts, small_product


class _AllAtOnce:
    """Decodes nothing before some threads ask at once."""

    def __init__(self, threads: int) -> None:
        self.calls = 0
        self._barrier = threading.Barrier(threads)

    def read(self, source: str, file: BandFile, rows: slice, columns: slice) -> NDArray[np.uint16]:
        self.calls += 1
        self._barrier.wait(20)
        return Gdal().read(source, file, rows, columns)


@pytest.fixture(scope="session")
def chain() -> Chain:
    return chain_of(StandIn())


@pytest.fixture(scope="session")
def legacy() -> Chain:
    return chain_of(StandIn(), mode=Mode.LEGACY)


@pytest.fixture(scope="session")
def mask(chain: Chain, landscape: Path) -> np.ndarray:
    return chain.mask(open_product(landscape), silent).mask


def test_the_masks_of_these_tests_hold_every_class(mask: np.ndarray) -> None:
    values, counts = np.unique(mask, return_counts=True)
    assert values.tolist() == [1, 2, 3, 4, 5]
    assert counts.min() > 1000


def test_an_offset_changes_nothing_in_harmonised_mode(
    tmp_path: Path, chain: Chain, legacy: Chain, numbers: Numbers, mask: np.ndarray
) -> None:
    shifted = {
        name: np.where(dn == 0, 0, dn + 1000).astype(np.uint16) for name, dn in numbers.items()
    }
    product = open_product(rewritten(tmp_path, NEW_L1C, shifted))
    assert product.offsets["B10"] == -1000
    assert np.array_equal(chain.mask(product, silent).mask, mask)
    assert np.mean(legacy.mask(product, silent).mask != mask) > 0.01


def test_legacy_draws_undefined_as_semi_transparent(
    legacy: Chain, landscape: Path, mask: np.ndarray
) -> None:
    old = legacy.mask(open_product(landscape), silent).mask
    differing = old != mask
    assert np.unique(old[differing]).tolist() == [MaskClass.SEMI_TRANSPARENT]
    assert np.unique(mask[differing]).tolist() == [MaskClass.MISSING]
    assert differing.any()


def test_a_zip_and_a_folder_give_the_same_mask(
    tmp_path: Path, chain: Chain, numbers: Numbers, mask: np.ndarray
) -> None:
    archive = rewritten(tmp_path, OLD_L1C, numbers, archive=True)
    assert archive.suffix == ".zip"
    assert np.array_equal(chain.mask(open_product(archive), silent).mask, mask)


def test_tiles_do_not_depend_on_where_a_crop_begins(
    tmp_path: Path, chain: Chain, numbers: Numbers, mask: np.ndarray
) -> None:
    # Shifted by the stride of the tiles, the crop's first tile is the product's second.
    divisors = {name: 600 // dn.shape[1] for name, dn in numbers.items()}
    crop = {name: dn[:, 480 // divisors[name] :] for name, dn in numbers.items()}
    found = chain.mask(open_product(rewritten(tmp_path, OLD_L1C, crop)), silent).mask
    assert found.shape == (600, 120)
    # The product's first tile decides 16 pixels more; of all the others the network sees the same.
    assert np.array_equal(found[:, 16:], mask[:, 496:])


def test_bands_of_a_crop_need_not_begin_at_the_same_place(
    tmp_path: Path, chain: Chain, numbers: Numbers
) -> None:
    def crop(folder: str, first: dict[int, int]) -> Path:
        """Leave out the first rows and columns, so many of each resolution."""
        grids, bands = {}, {}
        for metres, grid in Scene(OLD_L1C, 600, 600).grids.items():
            skipped = first[metres] * metres
            edge = grid.width - first[metres]
            grids[metres] = Grid(
                grid.epsg, grid.x_m + skipped, grid.y_m - skipped, metres, edge, edge
            )
        for name, band in numbers.items():
            begin = first[NATIVE_RESOLUTION_M[name]]
            bands[name] = band[begin:, begin:]
        return write_safe(tmp_path / folder, flat_facts(OLD_L1C, grids), bands)

    whole = open_product(crop("whole", {10: 60, 20: 30, 60: 10}))
    earlier = open_product(crop("earlier", {10: 60, 20: 29, 60: 8}))
    assert earlier.grid == whole.grid
    assert earlier.grids[60].x_m == whole.grids[60].x_m - 120
    found = chain.mask(earlier, silent).mask
    assert np.array_equal(found, chain.mask(whole, silent).mask)
    assert np.unique(found).size > 2


@pytest.mark.parametrize("side_by_side", [1, 2])
def test_outside_of_the_swath_there_is_no_data_and_the_network_is_asked_once(
    tmp_path: Path, chain: Chain, side_by_side: int
) -> None:
    built = small_product(tmp_path, OLD_L1C, size_px=600, swath=0.3)
    product = open_product(built.path)
    asked: list[bool] = []
    score = chain.predictor.score

    def counting(x: torch.Tensor) -> torch.Tensor:
        asked.append(bool(x.any()))
        return score(x)

    predictor = replace(chain.predictor, score=counting, side_by_side=side_by_side)
    found = replace(chain, predictor=predictor).mask(product, silent)
    assert asked.count(False) == 1
    assert asked.count(True) == 2
    outside = np.logical_and.reduce([_at_10_m(band.path) == 0 for band in product.bands.values()])
    assert outside.mean() > 0.5
    assert np.array_equal(found.mask == MaskClass.NO_DATA, outside)


def test_a_pixel_that_lacks_in_one_band_is_missing_whatever_the_network_says(
    tmp_path: Path, chain: Chain, numbers: Numbers
) -> None:
    holed = dict(numbers)
    holed["B10"] = numbers["B10"].copy()
    holed["B10"][10:12, 20:25] = 0
    found = chain.mask(open_product(rewritten(tmp_path, OLD_L1C, holed)), silent).mask
    assert (found[60:72, 120:150] == MaskClass.MISSING).all()
    assert not (found == MaskClass.NO_DATA).any()
    assert (found[:60] != MaskClass.MISSING).any()


def test_an_area_of_interest_limits_the_mask_to_the_tiles_it_touches(
    landscape: Path, mask: np.ndarray
) -> None:
    product = open_product(landscape)
    grid = product.grid
    west, north = grid.x_m + 5200, grid.y_m - 100
    area = rasterio.warp.transform_geom(
        f"EPSG:{grid.epsg}", "EPSG:4326", mapping(box(west, north - 100, west + 100, north))
    )
    found = chain_of(StandIn(), aoi=area).mask(product, silent).mask
    assert np.array_equal(found[:496, 496:], mask[:496, 496:])
    assert not found[496:].any()
    assert not found[:, :496].any()


@pytest.mark.parametrize(
    ("area", "message"),
    [
        (mapping(box(0, 0, 1, 1)), "lies outside"),
        ({"type": "Point", "coordinates": [0, 0]}, "is a Point; wanted a Polygon"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "crosses"),
        ({"type": "Polygon"}, "cannot be read"),
    ],
)
def test_an_area_that_is_none_or_lies_elsewhere_is_refused(
    chain: Chain, landscape: Path, area: dict[str, object], message: str
) -> None:
    asking = replace(chain, options=EngineOptions(aoi=area))
    with pytest.raises(AreaError, match=message):
        asking.mask(open_product(landscape), silent)


def test_probabilities_of_a_pixel_add_up_and_the_greatest_is_the_class(
    chain: Chain, landscape: Path, mask: np.ndarray
) -> None:
    asking = replace(chain, options=EngineOptions(probabilities=True))
    found = asking.mask(open_product(landscape), silent)
    assert found.probabilities is not None
    assert found.probabilities.shape == (6, 600, 600)
    total = found.probabilities.sum(0, dtype=int)
    assert abs(total - 255).max() <= 3
    likeliest = np.array([5, 1, 2, 3, 4, 5])[found.probabilities.argmax(0)]
    greatest = np.sort(found.probabilities, axis=0)[-2:].astype(int)
    clear_cut = greatest[1] - greatest[0] > 1
    assert np.array_equal(likeliest[clear_cut], found.mask[clear_cut])
    assert np.array_equal(found.mask, mask)


def test_batches_give_what_single_tiles_give(landscape: Path, mask: np.ndarray) -> None:
    found = chain_of(StandIn(), batch=3).mask(open_product(landscape), silent).mask
    assert np.mean(found != mask) < 1e-4


def test_bf16_agrees_but_for_some_pixels(landscape: Path, mask: np.ndarray) -> None:
    chain = chain_of(StandIn(), precision=Precision.BFLOAT16)
    chain = replace(chain, reference=chain_of(StandIn()).predictor)
    found = chain.mask(open_product(landscape), silent)
    differing = found.mask != mask
    assert 0 < differing.mean() < 0.1
    # Of the first tile, which decides these pixels and sees a few more.
    assert found.agreement is not None
    assert found.agreement == pytest.approx(1 - differing[:496, :496].mean(), abs=0.01)
    assert 0.9 < found.agreement < 1


def test_all_that_a_row_of_tiles_sees_is_decoded_once_and_side_by_side(landscape: Path) -> None:
    product = open_product(landscape)
    wanted = spectrum("L1C", "deeplabv3plus")
    row = [tile for tile in tiles(*product.grid.shape) if tile.row == 0]
    decoder = _AllAtOnce(13)
    with Bands(product, wanted.bands, threads=13, decoder=decoder) as bands:
        preparation = Preparation(product, bands, wanted, Mode.HARMONISED)
        preparation.decode(row)
        assert decoder.calls == 13
        prepared = [preparation.prepare(tile) for tile in row]
    assert decoder.calls == 13
    assert prepared[0].inputs is not None
    np.testing.assert_array_equal(prepared[0].inputs, sample_inputs(product, wanted))


def test_float32_has_nothing_to_agree_with(chain: Chain, landscape: Path) -> None:
    assert chain.mask(open_product(landscape), silent).agreement is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("backend", [Backend.TORCH, Backend.COMPILE])
def test_a_gpu_agrees_with_a_cpu(landscape: Path, network: Network, backend: Backend) -> None:
    product = open_product(landscape)
    cpu = chain_of(network).mask(product, silent).mask
    gpu = chain_of(network, device="cuda", backend=backend).mask(product, silent).mask
    assert np.mean(cpu != gpu) < 1e-4


@pytest.mark.parametrize("side_by_side", [1, 2])
def test_progress_counts_the_tiles(chain: Chain, landscape: Path, side_by_side: int) -> None:
    told: list[tuple[str, int, int]] = []
    chain = replace(chain, predictor=replace(chain.predictor, side_by_side=side_by_side))
    chain.mask(open_product(landscape), lambda *news: told.append(news))
    assert told == [("infer", done, 4) for done in (1, 2, 3, 4)]


def test_two_tiles_at_once_are_two_and_give_what_one_by_one_gives(
    chain: Chain, landscape: Path, mask: np.ndarray
) -> None:
    two = threading.Barrier(2)
    score = chain.predictor.score

    def together(x: torch.Tensor) -> torch.Tensor:
        two.wait(20)
        return score(x)

    predictor = replace(chain.predictor, score=together, side_by_side=2)
    found = replace(chain, predictor=predictor).mask(open_product(landscape), silent)
    assert np.array_equal(found.mask, mask)


def test_the_next_product_is_read_while_one_is_inferred_and_only_one_is_inferred(
    chain: Chain, landscape: Path, mask: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: dict[int, threading.Event] = defaultdict(threading.Event)
    inferring = threading.Lock()
    plain = Preparation.prepare

    def prepare(self: Preparation, tile: Tile) -> Prepared:
        prepared = plain(self, tile)
        read[id(self)].set()
        return prepared

    def score(x: torch.Tensor) -> torch.Tensor:
        # Whichever product is inferred first, the other one is read before a tile is done.
        assert inferring.acquire(blocking=False)
        while len(read) < 2:
            time.sleep(0.01)
        assert all(event.wait(20) for event in read.values())
        found = chain.predictor.score(x)
        inferring.release()
        return found

    monkeypatch.setattr(Preparation, "prepare", prepare)
    both = replace(chain, predictor=replace(chain.predictor, score=score))
    product = open_product(landscape)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: both.mask(product, silent), range(2)))
    for masked in found:
        assert np.array_equal(masked.mask, mask)
    assert max(masked.timings_s["wait"] for masked in found) > 0


def _at_10_m(path: str) -> np.ndarray:
    with rasterio.open(path) as band:
        pixels = band.read(1)
    factor = 600 // pixels.shape[0]
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)
