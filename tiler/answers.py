"""How a tile goes out: encoded, with the headers that TiTiler gives it and those of caches."""

from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version

from rasterio.crs import CRS
from rio_tiler.utils import CRS_to_uri
from starlette.requests import Request
from starlette.responses import Response
from titiler.core.resources.enums import ImageType

from tiler.images import ClassImage, render_classes

_NO_CONTENT, _OK = 204, 200
_FOR_EVER = "public, max-age=31536000, immutable"


@lru_cache(maxsize=64)
def _uri(crs: CRS) -> str | None:
    return CRS_to_uri(crs)


@lru_cache(maxsize=1)
def _software() -> str:
    # Another release may encode the same classes as other bytes.
    return version("nimbostac")


def version_of(*sources: str) -> str:
    """Name what a tile is made of: another name, another content; the same, the same bytes.

    Args:
        sources: The versions of the files, in the order in which they are laid over each other.
    """
    # To remember the thousand of a continent would take more memory than it saves time.
    return _of_one(*sources) if len(sources) == 1 else _named(*sources)


@lru_cache(maxsize=4096)
def _of_one(source: str) -> str:
    return _named(source)


def _named(*sources: str) -> str:
    return sha256("\n".join((_software(), *sources)).encode()).hexdigest()[:20]


def is_known(request: Request, made_of: str) -> bool:
    """Tell whether the client has this version already."""
    said = request.headers.get("if-none-match")
    if said is None:
        return False
    known = {tag.strip().removeprefix("W/") for tag in said.split(",")}
    return "*" in known or f'"{made_of}"' in known


def not_modified(request: Request, made_of: str) -> Response:
    """Answer that the client has it already."""
    response = Response(status_code=304)
    mark(request, response, made_of)
    return response


def mark(request: Request, response: Response, made_of: str) -> None:
    """Say what a tile is made of, and for ever if its address names just that."""
    response.headers["ETag"] = f'"{made_of}"'
    if request.query_params.get("v") == made_of:
        response.headers["Cache-Control"] = _FOR_EVER


def tile_response(image: ClassImage, output_format: ImageType | None) -> Response:
    """Answer with a tile."""
    content, media_type = render_classes(image, output_format)
    headers = {**image.headers, "Content-Bbox": ",".join(map(str, image.view.bounds))}
    uri = _uri(image.crs)
    if uri:
        headers["Content-Crs"] = f"<{uri}>"
    return Response(content, media_type=media_type, headers=headers)
