"""Images of classes in every format, and of true colour as TiTiler draws it."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.io import MemoryFile
from rio_tiler.models import ImageData
from rio_tiler.utils import render
from titiler.core.resources.enums import ImageType
from titiler.core.utils import render_image

from producer.layout import MASK
from tiler.palette import CLASS_COLORS, Colors, class_png, palette_png

_OPAQUE = 255
# TiTiler calls a band by its asset and its own name.
_CLASSES_BAND = f"{MASK}_"


def holds_classes(image: ImageData) -> bool:
    """Tell whether an image holds class values rather than true colour."""
    return image.count == 1 and image.band_descriptions[0].startswith(_CLASSES_BAND)


def class_values(image: ImageData) -> NDArray[np.uint8]:
    """Give the (y, x) class values of an image; what is masked is no data."""
    return np.where(image.array.mask[0], np.uint8(0), image.array.data[0])


def render_classes(
    image: ImageData,
    output_format: ImageType | None = None,
    colormap: Any = None,  # noqa: ANN401 - TiTiler's colour maps have no use here
    **options: Any,  # noqa: ANN401 - passed on to TiTiler
) -> tuple[bytes, str]:
    """Encode an image: classes in their colours, anything else as TiTiler would.

    ``png`` (the default) is a palette image, ``pngraw`` a grey one of class values, ``npy`` and
    ``tif`` class values, ``webp`` lossless colours; ``jpeg`` and ``jp2`` lie over white, as they
    hold no opacity.

    Returns:
        The encoded image and its media type.
    """
    if not holds_classes(image):
        return render_image(image, output_format=output_format, colormap=colormap, **options)
    values = class_values(image)
    output_format = output_format or ImageType.png
    match output_format:
        case ImageType.png:
            content = palette_png(values)
        case ImageType.pngraw:
            content = class_png(values)
        case ImageType.npy:
            content = _npy(values)
        case ImageType.tif | ImageType.tiff:
            content = _geotiff(values, image)
        case ImageType.webp:
            colors = _lookup(CLASS_COLORS)[values]
            content = render(
                np.ascontiguousarray(colors[..., :3].transpose(2, 0, 1)),
                colors[..., 3],
                img_format="WEBP",
                lossless=True,
            )
        case _:
            content = render(
                _over_white(values), img_format=output_format.driver, **output_format.profile
            )
    return content, output_format.mediatype


def _lookup(colors: Colors) -> NDArray[np.uint8]:
    return np.array([colors[value] for value in range(len(colors))], np.uint8)


def _over_white(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    table = _lookup(CLASS_COLORS).astype(np.float32)
    opacity = table[:, 3:] / _OPAQUE
    mixed = np.rint(table[:, :3] * opacity + _OPAQUE * (1 - opacity)).astype(np.uint8)
    return np.ascontiguousarray(mixed[values].transpose(2, 0, 1))


def _npy(values: NDArray[np.uint8]) -> bytes:
    # As rio-tiler does: the values, then where they count.
    with BytesIO() as file:
        np.save(file, np.stack([values, np.where(values == 0, np.uint8(0), np.uint8(_OPAQUE))]))
        return file.getvalue()


def _geotiff(values: NDArray[np.uint8], image: ImageData) -> bytes:
    height, width = values.shape
    profile = {
        "driver": "GTiff",
        "dtype": "uint8",
        "count": 1,
        "height": height,
        "width": width,
        "nodata": 0,
        "crs": image.crs,
        "transform": image.transform,
        "compress": "deflate",
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(values, 1)
            file.write_colormap(1, dict(CLASS_COLORS))
        return bytes(memory.read())
