import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from producer.bands import Bands
from producer.decoding import Decoder, Gdal, NvImageCodec, decoder_for
from producer.errors import BandReadError
from producer.safe import open_product
from producer.safe.spectrum import BAND_IDS
from tests.products import OLD_L1C, flat_product, small_product


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a product of which a band has four tiles."""
    return small_product(tmp_path_factory.mktemp("safe"), OLD_L1C, size_px=1080).path


@pytest.fixture(params=["cpu", "cuda"])
def codec(request: pytest.FixtureRequest) -> NvImageCodec:
    pytest.importorskip("nvidia.nvimgcodec", reason="nvImageCodec is not installed")
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    return NvImageCodec.on(None if request.param == "cpu" else 0)


class Never(Gdal):
    """What must not be asked."""

    def read(self, *_: object) -> np.ndarray:
        raise AssertionError("not by nvImageCodec")


def test_nvimagecodec_reads_what_gdal_reads(safe: Path, codec: NvImageCodec) -> None:
    product = open_product(safe)
    alone = replace(codec, otherwise=Never())
    for name in ("B02", "B05", "B10"):
        for window in ((slice(0, 180), slice(0, 180)), (slice(17, 99), slice(101, 180))):
            expected = Gdal().read("", product.band(name), *window)
            found = alone.read("", product.band(name), *window)
            assert found.dtype == np.uint16
            np.testing.assert_array_equal(found, expected)


def test_bands_come_out_the_same_by_either(safe: Path, codec: NvImageCodec) -> None:
    def numbers(decoder: Decoder) -> list[np.ndarray]:
        product = open_product(safe)
        with Bands(product, BAND_IDS, decoder=decoder) as bands:
            rows = slice(-10, 1000)
            return [bands.digital_numbers(name, rows, slice(5, 1100)) for name in BAND_IDS]

    for one, other in zip(numbers(Gdal()), numbers(codec), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_band_that_was_cut_short_is_an_error_by_either(
    safe: Path, tmp_path: Path, codec: NvImageCodec
) -> None:
    shutil.copytree(safe, tmp_path / safe.name)
    band = next((tmp_path / safe.name).rglob("*_B03.jp2"))
    band.write_bytes(band.read_bytes()[: band.stat().st_size // 2])
    product = open_product(tmp_path / safe.name)
    with pytest.raises(BandReadError, match="band B03 cannot be decoded"):
        codec.read(product.source, product.band("B03"), slice(0, 1080), slice(0, 1080))


def test_what_lies_in_a_zip_is_left_to_gdal(tmp_path: Path, codec: NvImageCodec) -> None:
    product = open_product(flat_product(tmp_path, OLD_L1C, archive=True))
    window = (slice(0, 60), slice(0, 60))
    expected = Gdal().read("", product.band("B02"), *window)
    np.testing.assert_array_equal(codec.read("", product.band("B02"), *window), expected)


def test_a_cpu_decodes_with_gdal() -> None:
    assert decoder_for("cpu") == Gdal()
