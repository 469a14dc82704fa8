"""Images of classes in every format, and of true colour as TiTiler draws it."""

from functools import cached_property
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.coords import BoundingBox
from rasterio.crs import CRS
from rasterio.io import MemoryFile
from rio_tiler.models import ImageData
from rio_tiler.utils import render
from titiler.core.resources.enums import ImageType
from titiler.core.utils import render_image

from producer.layout import MASK
from tiler.draw import Classes
from tiler.palette import CLASS_COLORS, Colors, class_png, palette_png, plain_png
from tiler.views import View

_OPAQUE = 255
_PNG = {None, ImageType.png}


class ClassImage(ImageData):
    """An image of classes that only becomes a masked array for who asks for one."""

    def __init__(self, classes: Classes | int, view: View, crs: CRS) -> None:
        """Hold classes.

        Args:
            classes: (y, x) class values, or the one that every pixel has.
            view: Where they lie.
            crs: What the view calls its coordinate system.
        """
        self.classes = classes
        self.headers: dict[str, str] = {}
        """What else the answer should say."""
        self.view = view
        self.crs = crs
        self.bounds = BoundingBox(*view.bounds)
        self.assets, self.metadata, self.nodata = None, {}, 0
        self.scales, self.offsets = [1.0], [0.0]
        self.band_names, self.band_descriptions = ["b1"], ["classes"]
        self.dataset_statistics = self.cutline_mask = self.alpha_mask = None

    @cached_property
    def array(self) -> np.ma.MaskedArray[Any, Any]:  # type: ignore[override]
        """The classes as rio-tiler holds them: (band, y, x), no data masked."""
        values = self.classes
        if isinstance(values, int):
            values = np.full((self.view.height, self.view.width), values, np.uint8)
        return np.ma.MaskedArray(values[np.newaxis], mask=values[np.newaxis] == 0)

    @property
    def is_plain(self) -> bool:
        """Whether nobody has asked for the array, who might have masked a part of it."""
        return "array" not in self.__dict__


def holds_classes(image: ImageData) -> bool:
    """Tell whether an image holds class values rather than true colour."""
    if isinstance(image, ClassImage):
        return True
    # TiTiler calls a band by its asset and its own name.
    return image.count == 1 and image.band_descriptions[0].startswith(f"{MASK}_")


def class_values(image: ImageData) -> Classes:
    """Give the (y, x) class values of an image; what is masked is no data."""
    if isinstance(image, ClassImage) and image.is_plain and not isinstance(image.classes, int):
        return image.classes
    return np.where(np.ma.getmaskarray(image.array)[0], np.uint8(0), image.array.data[0])


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
    if isinstance(image, ClassImage) and image.is_plain and output_format in _PNG:
        return image_png(image), ImageType.png.mediatype
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


def image_png(image: ClassImage) -> bytes:
    """Encode an image as a palette PNG; one of a single class is made once."""
    if isinstance(image.classes, int):
        return plain_png(image.view.width, image.view.height, image.classes)
    return palette_png(image.classes)


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
