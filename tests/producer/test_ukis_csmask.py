"""The ukis-csmask engine against the wheel's own class, and against people's labels."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from ukis_csmask.mask import CSmask

from producer import engines
from producer.bands import Bands
from producer.classes import MaskClass
from producer.decoding import Gdal
from producer.engines import ukis_csmask
from producer.errors import BandReadError, WeightsDigestError
from producer.grid import Grid
from producer.safe import BandFile, Product, open_product
from producer.synthetic import Scene, build
from tests.products import small_product

NAME = "S2A_MSIL1C_20170616T102021_N0205_R065_T33UUU_20170616T102204"
NAME_L2A = "S2B_MSIL2A_20220616T102021_N0400_R065_T33UUU_20220616T152204"
COMMON_NAMES = ["blue", "green", "red", "nir", "swir16", "swir22"]
# The wheel's numbers: 0 background, 1 cloud, 2 shadow.
MEANINGS = np.array([MaskClass.CLEAR, MaskClass.CLOUD, MaskClass.CLOUD_SHADOW], np.uint8)
SHARED = Path(os.environ.get("NIMBOSTAC_SHARED", Path(__file__).parents[3] / "shared"))
PIXELS = SHARED / "data" / "pixels"


@dataclass(frozen=True)
class Case:
    """A product, what the engine makes of it and what the wheel's own class makes of it."""

    product: Product
    mask: NDArray[np.uint8]
    oracle: NDArray[np.uint8]
    """At 30 m."""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """Mask products of both levels, larger than a patch; one has an edge of the swath."""
    folder = tmp_path_factory.mktemp("products")
    scenes = (Scene(NAME, 800, 901, seed=4), Scene(NAME_L2A, 850, 800, seed=5, swath=0.7))
    found = {}
    for scene in scenes:
        product = open_product(build(folder, scene).path)
        level = product.name.level
        mask = engines.load("ukis-csmask", level).mask(product).mask
        found[level] = Case(product, mask, by_the_wheel(reflectances(product), level))
    return found


def coarse_grid(product: Product) -> Grid:
    fine = product.grid
    return Grid(fine.epsg, fine.x_m, fine.y_m, 30, -(-fine.width // 3), -(-fine.height // 3))


def reflectances(product: Product) -> NDArray[np.float32]:
    """Read the whole scene at 30 m, as a user of the wheel would: (row, column, band)."""
    with Bands(product, ukis_csmask.BANDS) as bands:
        layers = [bands.reflectance(name, coarse_grid(product)) for name in ukis_csmask.BANDS]
    return np.nan_to_num(np.stack(layers, axis=-1))


def by_the_wheel(image: NDArray[np.float32], level: str) -> NDArray[np.uint8]:
    oracle = CSmask(image.copy(), COMMON_NAMES, level.lower(), providers=["CPUExecutionProvider"])
    return MEANINGS[oracle.csm[:, :, 0]]


def is_border(classes: NDArray[np.uint8], width_px: int) -> NDArray[np.bool_]:
    changes = np.zeros(classes.shape, bool)
    changes[1:] |= classes[1:] != classes[:-1]
    changes[:, 1:] |= classes[:, 1:] != classes[:, :-1]
    return binary_dilation(changes, iterations=width_px)


@pytest.mark.parametrize("level", ["L1C", "L2A"])
def test_the_mask_is_the_one_of_the_wheels_own_class(cases: dict[str, Case], level: str) -> None:
    case = cases[level]
    assert case.mask.shape == case.product.grid.shape
    centres = case.mask[1::3, 1::3]
    oracle = case.oracle[: centres.shape[0], : centres.shape[1]]
    valid = np.isin(centres, MEANINGS)
    assert valid.mean() > 0.5
    assert len(np.unique(oracle[valid])) == 3
    # The centre of a coarse pixel is not interpolated; what differs is the taper's half pixel.
    assert np.mean(centres[valid] == oracle[valid]) > 0.999


def test_interpolation_moves_borders_only(cases: dict[str, Case]) -> None:
    case = cases["L1C"]
    height, width = case.mask.shape
    blocks = case.oracle.repeat(3, axis=0).repeat(3, axis=1)[:height, :width]
    inside = ~is_border(case.oracle, 1).repeat(3, axis=0).repeat(3, axis=1)[:height, :width]
    assert np.mean(case.mask[inside] == blocks[inside]) > 0.999
    assert 0.9 < np.mean(case.mask == blocks) < 1.0


def test_beyond_the_swath_there_is_no_data(cases: dict[str, Case]) -> None:
    product, mask = cases["L2A"].product, cases["L2A"].mask
    with Bands(product, ["B02", "B11"]) as bands:
        rows, columns = (slice(0, length) for length in product.grid.shape)
        blue = bands.digital_numbers("B02", rows, columns)
        swir = bands.digital_numbers("B11", slice(0, 400), slice(0, 425))
    swir = swir.repeat(2, axis=0).repeat(2, axis=1)
    assert 0.05 < np.mean(mask == MaskClass.NO_DATA) < 0.95
    assert np.array_equal(mask == MaskClass.NO_DATA, (blue == 0) & (swir == 0))
    assert np.array_equal(mask == MaskClass.MISSING, (blue == 0) ^ (swir == 0))


def test_a_scene_smaller_than_a_patch_is_mirrored_up(tmp_path: Path) -> None:
    product = open_product(build(tmp_path, Scene(NAME, 302, 61)).path)
    done: list[tuple[str, int, int]] = []
    mask = engines.load("ukis-csmask", "L1C").mask(product, lambda *step: done.append(step)).mask
    assert mask.shape == (61, 302)
    assert np.isin(mask, MEANINGS).all()
    assert done[-1] == ("infer", 1, 1)


def test_a_band_cut_short_is_told_and_ends_the_reading(tmp_path: Path) -> None:
    path = build(tmp_path, Scene(NAME, 800, 800)).path
    band = next(path.rglob("*_B11.jp2"))
    band.write_bytes(band.read_bytes()[: band.stat().st_size // 3])
    with pytest.raises(BandReadError, match="B11"):
        engines.load("ukis-csmask", "L1C").mask(open_product(path))


def test_a_model_that_is_not_the_published_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "model_6b_l1c.onnx").write_bytes(b"something else")
    monkeypatch.setattr(ukis_csmask, "files", lambda _package: tmp_path)
    with pytest.raises(WeightsDigestError, match=r"ukis-csmask 1\.0\.0"):
        engines.load("ukis-csmask", "L1C")


def test_nothing_is_decoded_while_something_is_inferred(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    decoding: list[str] = []
    beside: list[int] = []
    read, infer = Gdal.read, ukis_csmask.UkisCsmask._infer

    def slowly(self: Gdal, source: str, file: BandFile, *window: slice) -> NDArray[np.uint16]:
        decoding.append(source)
        time.sleep(0.05)
        try:
            return read(self, source, file, *window)
        finally:
            decoding.pop()

    def watched(self: ukis_csmask.UkisCsmask, patch: NDArray[np.float32]) -> NDArray[np.float32]:
        beside.append(len(decoding))
        return infer(self, patch)

    monkeypatch.setattr(Gdal, "read", slowly)
    monkeypatch.setattr(ukis_csmask.UkisCsmask, "_infer", watched)
    # Tiles of 1024 px: the second row of patches needs others than the first.
    built = small_product(tmp_path, size_px=1100)
    engines.load("ukis-csmask", "L1C").mask(open_product(built.path))
    assert len(beside) == 9
    assert not any(beside)


@contextmanager
def image_as_bands(image: NDArray[np.float32], patch: pytest.MonkeyPatch) -> Iterator[Product]:
    """Let the engine see an array of 30 m as a product whose pixels are three times as small."""
    height, width, _ = image.shape
    grid = Grid(32633, 0, 0, 10, width * 3, height * 3)

    class Pixels:
        def __init__(self, _product: object, _names: object) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def grid(self, _name: str) -> Grid:
            return grid

        def seen(self, name: str, _part: Grid) -> tuple[str, slice, slice]:
            return name, slice(0), slice(0)

        def decode(self, windows: Iterable[tuple[str, slice, slice]]) -> None:
            assert [name for name, *_ in windows] == list(ukis_csmask.BANDS)

        def reflectance(self, name: str, part: Grid) -> NDArray[np.float32]:
            top = int(-part.y_m // 30)
            return image[top : top + part.height, :, ukis_csmask.BANDS.index(name)].copy()

        def digital_numbers(self, _name: str, rows: slice, columns: slice) -> NDArray[np.uint16]:
            return np.ones((rows.stop - rows.start, columns.stop - columns.start), np.uint16)

    patch.setattr(ukis_csmask, "Bands", Pixels)
    yield SimpleNamespace(grid=grid)  # type: ignore[misc]


@pytest.mark.skipif(not PIXELS.exists(), reason="no labelled pixels at hand")
def test_people_see_the_same_clouds(monkeypatch: pytest.MonkeyPatch) -> None:
    labelled = np.load(PIXELS / "labelled_30m_6band.npz")
    image, labels = labelled["img"], labelled["msk"][:, :, 0]
    with image_as_bands(image, monkeypatch) as product:
        mask = engines.load("ukis-csmask", "L1C").mask(product).mask[1::3, 1::3]
    assert np.mean(mask == by_the_wheel(image, "L1C")) > 0.999
    expected = np.full(labels.shape, MaskClass.CLEAR)
    expected[labels == 0] = MaskClass.CLOUD_SHADOW
    expected[labels == 4] = MaskClass.CLOUD
    # Measured: cloud 0.99 and 0.77, shadow 0.96 and 0.72; the model is generous.
    for value in (MaskClass.CLOUD, MaskClass.CLOUD_SHADOW):
        found, true = mask == value, expected == value
        assert np.sum(found & true) / np.sum(true) > 0.9
        assert np.sum(found & true) / np.sum(found) > 0.7
