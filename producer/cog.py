"""Cloud-Optimized GeoTIFFs: the mask with its palette, and the true-colour preview.

Both are small once compressed, so they are encoded and checked in memory: what reaches storage
is one write of bytes that were read back already, and a full disk is an ordinary error.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, MemoryFile
from rio_cogeo.cogeo import cog_validate

from producer.classes import CLASSES, MaskClass
from producer.errors import CogError
from producer.grid import Grid

COG_MEDIA_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"

BLOCK_PX = 512
"""Edge of an internal tile: fewer requests than 256, and still one map tile's worth."""

MASK_ENCODING: Mapping[str, str] = {
    "BLOCKSIZE": str(BLOCK_PX),
    "COMPRESS": "DEFLATE",
    "LEVEL": "6",
    "NBITS": "4",
    "OVERVIEW_RESAMPLING": "MODE",
    "NUM_THREADS": "ALL_CPUS",
}
"""Creation options of GDAL's COG driver; ``tests/bench/README.md`` says why these."""

PREVIEW_ENCODING: Mapping[str, str] = {
    "BLOCKSIZE": str(BLOCK_PX),
    "COMPRESS": "JPEG",
    "QUALITY": "82",
    "OVERVIEW_RESAMPLING": "AVERAGE",
    "NUM_THREADS": "ALL_CPUS",
}
"""JPEG stores three bands as YCbCr, and the mask losslessly beside them."""

PROBABILITY_ENCODING: Mapping[str, str] = {
    "BLOCKSIZE": str(BLOCK_PX),
    "COMPRESS": "DEFLATE",
    "PREDICTOR": "YES",
    "OVERVIEW_RESAMPLING": "AVERAGE",
    "NUM_THREADS": "ALL_CPUS",
}
"""Averages, as of any quantity; a class has none."""


@dataclass(frozen=True, slots=True)
class Raster:
    """Pixels and what a GeoTIFF says about them."""

    pixels: NDArray[np.uint8]
    """(band, row, column)."""
    grid: Grid
    tags: Mapping[str, str]
    """Metadata of the file; ``TIFFTAG_*`` names become TIFF's own tags."""
    nodata: int | None = None
    valid: NDArray[np.bool_] | None = None
    """(row, column), stored as an internal mask."""
    palette: Mapping[int, tuple[int, int, int, int]] | None = None
    descriptions: tuple[str, ...] = ()
    """What each band is."""


def encode_mask(
    mask: NDArray[np.uint8],
    grid: Grid,
    tags: Mapping[str, str],
    encoding: Mapping[str, str] = MASK_ENCODING,
) -> bytes:
    """Encode a mask and read it back.

    Args:
        mask: (row, column) values of ``MaskClass``.
        grid: Where it lies.
        tags: Metadata of the file.
        encoding: Creation options of GDAL's COG driver.

    Raises:
        CogError: GDAL refused, or what it wrote is not what it was given.
    """
    raster = Raster(
        pixels=mask[np.newaxis],
        grid=grid,
        tags={**tags, **{f"CLASS_{info.value:d}": info.name for info in CLASSES}},
        nodata=int(MaskClass.NO_DATA),
        palette={int(info.value): info.color for info in CLASSES},
        descriptions=("cloud mask",),
    )
    with _encoded(raster, encoding) as (data, written):
        if not np.array_equal(written.read(1), mask):
            raise CogError("the mask that was read back is not the one that was written")
        return data


def encode_preview(
    pixels: NDArray[np.uint8], valid: NDArray[np.bool_], grid: Grid, tags: Mapping[str, str]
) -> bytes:
    """Encode a true-colour picture.

    Args:
        pixels: (3, row, column): red, green, blue.
        valid: (row, column): where there is a picture.
        grid: Where it lies.
        tags: Metadata of the file.

    Raises:
        CogError: GDAL refused, or what it wrote has another mask.
    """
    raster = Raster(
        pixels, grid, tags, valid=valid, descriptions=("red (B04)", "green (B03)", "blue (B02)")
    )
    with _encoded(raster, PREVIEW_ENCODING) as (data, written):
        if not np.array_equal(written.dataset_mask() > 0, valid):
            raise CogError("the preview that was read back has another mask")
        return data


def encode_probabilities(
    probabilities: NDArray[np.uint8], grid: Grid, tags: Mapping[str, str]
) -> bytes:
    """Encode how likely each class is.

    Args:
        probabilities: (class, row, column), 0 to 255 for 0 to 1.
        grid: Where it lies.
        tags: Metadata of the file.

    Raises:
        CogError: GDAL refused, or what it wrote is not what it was given.
    """
    raster = Raster(
        pixels=probabilities,
        grid=grid,
        tags={**tags, "UNIT": "1/255"},
        descriptions=("undefined", *(info.name for info in CLASSES[1:])),
    )
    with _encoded(raster, PROBABILITY_ENCODING) as (data, written):
        for band, pixels in enumerate(probabilities, start=1):
            if not np.array_equal(written.read(band), pixels):
                raise CogError("the probabilities that were read back are not those written")
        return data


def category_names() -> bytes:
    """Class names as GDAL's auxiliary XML, to lie beside the mask as ``.tif.aux.xml``.

    GDAL keeps category names outside of a GeoTIFF, and QGIS takes its legend from there.
    """
    root = Element("PAMDataset")
    names = SubElement(SubElement(root, "PAMRasterBand", band="1"), "CategoryNames")
    for info in CLASSES:
        SubElement(names, "Category").text = info.title
    return tostring(root) + b"\n"


@contextmanager
def _encoded(raster: Raster, encoding: Mapping[str, str]) -> Iterator[tuple[bytes, DatasetReader]]:
    with _gdal_errors(), MemoryFile(ext=".tif") as memory:
        with _in_memory(raster) as source:
            rasterio.shutil.copy(source, memory.name, driver="COG", BIGTIFF="NO", **encoding)
        is_valid, problems, _ = cog_validate(memory.name, strict=True, quiet=True)
        if not is_valid:
            raise CogError(f"no valid COG: {'; '.join(problems)}")
        with memory.open() as written:
            yield bytes(memory.getbuffer()), written


@contextmanager
def _in_memory(raster: Raster) -> Iterator[Any]:
    count, height, width = raster.pixels.shape
    with rasterio.open(
        "raster",
        "w",
        driver="MEM",
        width=width,
        height=height,
        count=count,
        dtype="uint8",
        crs=f"EPSG:{raster.grid.epsg}",
        transform=raster.grid.transform,
        nodata=raster.nodata,
    ) as source:
        source.write(raster.pixels)
        source.update_tags(**raster.tags)
        for band, description in enumerate(raster.descriptions, start=1):
            source.set_band_description(band, description)
        if raster.palette is not None:
            source.write_colormap(1, dict(raster.palette))
        if raster.valid is not None:
            source.write_mask(raster.valid)
        yield source


@contextmanager
def _gdal_errors() -> Iterator[None]:
    try:
        yield
    except (RasterioError, CPLE_BaseError) as error:
        raise CogError(f"GDAL cannot write the picture: {error}") from error
