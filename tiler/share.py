"""The picture that stands for an Item where its address is shared: true colour beside the mask."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Request
from PIL import Image, ImageDraw, ImageFont
from rio_tiler.models import ImageData
from starlette.responses import Response

from producer.classes import CLASSES, ClassInfo, MaskClass
from producer.layout import MASK, PREVIEW
from tiler.answers import is_known, mark, not_modified, version_of
from tiler.errors import NoMaskError
from tiler.images import class_values
from tiler.items import StoredItem, stored_item
from tiler.reader import ItemReader, Source

router = APIRouter(tags=["STAC Item"])

WIDTH_PX, HEIGHT_PX = 1200, 630
"""What Open Graph's readers show uncut."""

_MARGIN_PX, _GAP_PX, _TOP_PX, _BOX_PX = 40, 20, 140, 450
_SHARPNESS = 3
"""How much finer the preview is read than it is drawn."""
_SWATCH_PX, _ROW_PX = 22, 46
_GROUND, _INK, _FAINT = (18, 30, 41), (244, 247, 250), (160, 176, 190)
_BARE = (52, 66, 78)
_SHARES = tuple(info for info in CLASSES if info.value is not MaskClass.NO_DATA)

Picture = Image.Image


@router.get(
    "/collections/{collection_id}/items/{item_id}/share.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
)
def share(request: Request, item: Annotated[StoredItem, Depends(stored_item)]) -> Response:
    """Draw the picture for `og:image`: 1200 x 630 px."""
    made_of = version_of("share", item.version)
    if is_known(request, made_of):
        return not_modified(request, made_of)
    if MASK not in item.assets:
        raise NoMaskError(item.collection, item.id)
    source = Source(item, request.app.state.rasters, request.app.state.settings.max_image_px)
    with ItemReader(source) as reader:
        pictures = [_mask(reader.preview(assets=[MASK], max_size=_BOX_PX))]
        if PREVIEW in item.assets:
            fine = reader.preview(assets=[PREVIEW], max_size=_SHARPNESS * _BOX_PX)
            pictures.insert(0, _true_color(fine))
    response = Response(_png(_composed(item, pictures)), media_type="image/png")
    mark(request, response, made_of)
    return response


def _true_color(image: ImageData) -> Picture:
    colors = np.ascontiguousarray(image.array.data[:3].transpose(1, 2, 0)).astype(np.uint8)
    return _boxed(Image.fromarray(np.dstack([colors, image.mask])), Image.Resampling.LANCZOS)


def _mask(image: ImageData) -> Picture:
    colors = np.array([info.color for info in CLASSES], np.uint8)
    # A class has no neighbours to be mixed with.
    return _boxed(Image.fromarray(colors[class_values(image)]), Image.Resampling.NEAREST)


def _boxed(picture: Picture, resampling: Image.Resampling) -> Picture:
    ground = Image.new("RGBA", picture.size, (*_BARE, 255))
    whole = Image.alpha_composite(ground, picture).convert("RGB")
    ratio = _BOX_PX / max(picture.size)
    width, height = (max(1, round(edge * ratio)) for edge in picture.size)
    return whole.resize((width, height), resampling)


def _composed(item: StoredItem, pictures: Sequence[Picture]) -> Picture:
    canvas = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), _GROUND)
    pen = ImageDraw.Draw(canvas)
    title, line = _words(item)
    pen.text((_MARGIN_PX, 28), title, _INK, _fitting(title, 46))
    pen.text((_MARGIN_PX, 88), line, _FAINT, _fitting(line, 28))
    left = _MARGIN_PX
    for picture in pictures:
        canvas.paste(picture, (left, _TOP_PX))
        left += picture.width + _GAP_PX
    _legend(pen, item, left + _GAP_PX // 2)
    return canvas


def _legend(pen: ImageDraw.ImageDraw, item: StoredItem, left: int) -> None:
    top = _TOP_PX
    for info in _SHARES:
        share_ = item.properties.get(f"nimbostac:{info.name}")
        if not isinstance(share_, int | float):
            continue
        box = (left, top + 2, left + _SWATCH_PX, top + 2 + _SWATCH_PX)
        pen.rectangle(box, _opaque(info), _FAINT)
        at = left + _SWATCH_PX + 10
        pen.text((at, top), f"{share_:.0%}", _INK, _font(24))
        pen.text((at, top + 26), _short(info), _FAINT, _font(15))
        top += _ROW_PX + _GAP_PX
    pen.text((left, _TOP_PX + _BOX_PX - 18), "Nimbostac", _FAINT, _font(18))


def _opaque(info: ClassInfo) -> tuple[int, ...]:
    opacity = info.color[3] / 255
    pairs = zip(info.color[:3], _BARE, strict=True)
    return tuple(round(own * opacity + below * (1 - opacity)) for own, below in pairs)


def _short(info: ClassInfo) -> str:
    # The column beside two pictures is narrow.
    return info.title.removesuffix(" or invalid").removesuffix(" cloud")


def _words(item: StoredItem) -> tuple[str, str]:
    said = item.properties
    tile = str(said.get("grid:code") or "").removeprefix("MGRS-")
    cover = said.get("eo:cloud_cover")
    title = f"Clouds over tile {tile}" if tile else item.id
    if isinstance(cover, int | float):
        title += f": {cover:.0f} %"
    names = ("nimbostac:engine", "nimbostac:engine_version", "nimbostac:level")
    made_by = " ".join(str(said[name]) for name in names if said.get(name))
    return title, "  ·  ".join(filter(None, [_date(item.datetime), _platform(said), made_by]))


def _date(text: str) -> str:
    try:
        sensed = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return ""
    return f"{sensed.day} {sensed:%B %Y, %H:%M} UTC"


def _platform(said: Any) -> str:  # noqa: ANN401 - properties of any Item
    name, dash, unit = str(said.get("platform") or "").partition("-")
    return name.capitalize() + dash + unit.upper()


def _fitting(text: str, size: int) -> ImageFont.FreeTypeFont:
    """Give the font in a size in which a line is no longer than the picture is wide."""
    width = _font(size).getlength(text)
    room = WIDTH_PX - 2 * _MARGIN_PX
    return _font(size if width <= room else max(10, int(size * room / width)))


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType")
    return font


def _png(picture: Picture) -> bytes:
    with BytesIO() as file:
        picture.save(file, "PNG")
        return file.getvalue()
