"""Class-coloured PNGs, read by GDAL."""

import numpy as np
import pytest
import rasterio

from producer.classes import CLASSES
from producer.png import encode_png


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_gdal_sees_the_classes_in_their_colours_and_opacities() -> None:
    classes = np.random.default_rng(2).integers(0, len(CLASSES), (37, 51), np.uint8)
    with rasterio.MemoryFile(encode_png(classes)) as file, file.open() as picture:
        assert picture.driver == "PNG"
        assert np.array_equal(picture.read(1), classes)
        colors = picture.colormap(1)
    assert [colors[info.value] for info in CLASSES] == [info.color for info in CLASSES]
