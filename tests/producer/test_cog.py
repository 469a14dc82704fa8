"""The mask's COG and the preview's, read back by programs that did not write them."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Compression, Interleaving
from rio_cogeo.cogeo import cog_validate

from producer import cog
from producer.classes import CLASSES, MaskClass
from producer.errors import CogError
from producer.grid import Grid

GRID = Grid(32633, 300000, 5900040, 10, 1300, 1100)
TAGS = {"TIFFTAG_SOFTWARE": "nimbostac 0.1.0", "ENGINE": "ukis-csmask", "ENGINE_VERSION": "1.0.0"}


@pytest.fixture(scope="module")
def mask() -> NDArray[np.uint8]:
    noise = np.random.default_rng(1).integers(0, 6, (11, 13), np.uint8)
    return noise.repeat(100, axis=0).repeat(100, axis=1)


@pytest.fixture(scope="module")
def written(mask: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cog") / "mask.tif"
    path.write_bytes(cog.encode_mask(mask, GRID, TAGS))
    path.with_name("mask.tif.aux.xml").write_bytes(cog.category_names())
    return path


def test_the_file_is_a_strictly_valid_cog(written: Path) -> None:
    valid, errors, warnings = cog_validate(str(written), strict=True)
    assert (valid, errors, warnings) == (True, [], [])


def test_every_pixel_and_its_place_come_back(written: Path, mask: NDArray[np.uint8]) -> None:
    with rasterio.open(written) as dataset:
        assert np.array_equal(dataset.read(1), mask)
        assert dataset.dtypes == ("uint8",)
        assert dataset.nodata == 0
        assert dataset.crs.to_epsg() == 32633
        assert dataset.transform == GRID.transform
        assert dataset.block_shapes == [(512, 512)]


def test_the_palette_is_that_of_the_classes(written: Path) -> None:
    with rasterio.open(written) as dataset:
        colors = dataset.colormap(1)
    for info in CLASSES:
        assert colors[info.value][:3] == info.color[:3]


def test_the_legend_is_not_padded_with_colours_of_no_class(written: Path) -> None:
    # QGIS lists every entry of the palette; eight bits a pixel would make 256.
    with rasterio.open(written) as dataset:
        assert len(dataset.colormap(1)) == 16


def test_the_file_tells_what_made_it(written: Path) -> None:
    with rasterio.open(written) as dataset:
        tags = dataset.tags()
    assert {key: tags[key] for key in TAGS} == TAGS
    assert tags["CLASS_4"] == "cloud"


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="GDAL's own tools are not installed")
def test_gdal_of_the_system_reads_the_names_of_the_classes(written: Path) -> None:
    told = subprocess.run(["gdalinfo", written], capture_output=True, text=True, check=True)
    categories = told.stdout.partition("Categories:")[2]
    for info in CLASSES:
        assert f"{info.value:d}: {info.title}\n" in categories


def test_an_overview_shows_the_commonest_class() -> None:
    pixels = np.full((1024, 1024), MaskClass.CLEAR, np.uint8)
    # Three of each four pixels are cloud: no average would say so.
    pixels[:, 1::2] = MaskClass.CLOUD
    pixels[1::2, :] = MaskClass.CLOUD
    data = cog.encode_mask(pixels, GRID, {})
    with rasterio.MemoryFile(data) as file, file.open(overview_level=0) as overview:
        assert overview.shape == (512, 512)
        assert np.all(overview.read(1) == MaskClass.CLOUD)


def test_a_crop_that_fills_no_block_is_a_cog_too() -> None:
    pixels = np.full((7, 5), MaskClass.CLOUD, np.uint8)
    data = cog.encode_mask(pixels, GRID, {})
    with rasterio.MemoryFile(data) as file, file.open() as dataset:
        assert np.array_equal(dataset.read(1), pixels)


def test_a_mask_that_comes_back_changed_is_an_error(mask: NDArray[np.uint8]) -> None:
    lossy = {"COMPRESS": "LERC", "MAX_Z_ERROR": "2", "BLOCKSIZE": "512"}
    with pytest.raises(CogError, match="not the one that was written"):
        cog.encode_mask(mask, GRID, {}, encoding=lossy)


def test_what_gdal_refuses_is_an_error_of_ours(mask: NDArray[np.uint8]) -> None:
    with pytest.raises(CogError, match="GDAL cannot write"):
        cog.encode_mask(mask, GRID, {}, encoding={"COMPRESS": "JPEG"})


def test_a_preview_keeps_its_colours_and_its_mask() -> None:
    ramp = np.linspace(20, 230, 1300, dtype=np.uint8)
    pixels = np.stack(
        [np.tile(ramp, (1100, 1)), np.full((1100, 1300), 90), np.full((1100, 1300), 40)]
    )
    valid = np.ones((1100, 1300), bool)
    valid[:300] = False
    data = cog.encode_preview(pixels.astype(np.uint8), valid, GRID, TAGS)
    with rasterio.MemoryFile(data) as file, file.open() as dataset:
        assert dataset.compression == Compression.jpeg
        assert dataset.interleaving == Interleaving.pixel
        assert dataset.tags(ns="IMAGE_STRUCTURE")["SOURCE_COLOR_SPACE"] == "YCbCr"
        assert np.array_equal(dataset.dataset_mask() > 0, valid)
        error = np.abs(dataset.read()[:, 320:].astype(int) - pixels[:, 320:])
    assert error.mean() < 3
