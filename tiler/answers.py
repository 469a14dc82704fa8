"""How a tile goes out: encoded, and with the headers that TiTiler gives it."""

from functools import lru_cache

from rasterio.crs import CRS
from rio_tiler.utils import CRS_to_uri
from starlette.responses import Response
from titiler.core.resources.enums import ImageType

from tiler.images import ClassImage, render_classes


@lru_cache(maxsize=64)
def _uri(crs: CRS) -> str | None:
    return CRS_to_uri(crs)


def tile_response(image: ClassImage, output_format: ImageType | None) -> Response:
    """Answer with a tile."""
    content, media_type = render_classes(image, output_format)
    headers = {**image.headers, "Content-Bbox": ",".join(map(str, image.view.bounds))}
    uri = _uri(image.crs)
    if uri:
        headers["Content-Crs"] = f"<{uri}>"
    return Response(content, media_type=media_type, headers=headers)
