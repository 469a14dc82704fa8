"""What ``manifest.safe`` says: which files a product has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from producer.safe.archive import MANIFEST, Files, inside
from producer.safe.spectrum import NATIVE_RESOLUTION_M
from producer.safe.tree import Tree

_PRODUCT_XML = re.compile(r"MTD_MSIL(1C|2A)\.xml")
_TILE_XML = re.compile(r"GRANULE/[^/]+/MTD_TL\.xml")
_RASTER = re.compile(
    r"GRANULE/[^/]+/IMG_DATA/(?:R\d\dm/)?"
    r"[^/]*_(?P<band>B\d\d|B8A|AOT|WVP|SCL)(?:_(?P<resolution>10|20|60)m)?\.(?:jp2|tif)"
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A product's files, as paths below its folder."""

    product_xml: str
    """``MTD_MSIL1C.xml`` or ``MTD_MSIL2A.xml``."""
    tile_xml: str
    rasters: Mapping[tuple[str, int], str]
    """By band and resolution in metres; L2A repeats a band at several resolutions."""

    @classmethod
    def read(cls, files: Files) -> "Manifest":
        """Read a product's manifest.

        Raises:
            MetadataError: It is broken, or lists no metadata.
            ArchiveError: It names a file outside the product's folder.
        """
        tree = Tree.read(files, MANIFEST)
        names = [
            inside(files.source, element.get("href", ""))
            for section in tree.all("dataObjectSection")
            for element in section.iterfind(".//{*}fileLocation")
        ]
        if not names:
            raise tree.fail("its dataObjectSection lists no file")
        rasters: dict[tuple[str, int], str] = {}
        for name in names:
            match = _RASTER.fullmatch(name)
            if match is not None and match["band"] in NATIVE_RESOLUTION_M:
                resolution = int(match["resolution"] or NATIVE_RESOLUTION_M[match["band"]])
                rasters[match["band"], resolution] = name
        return cls(_one(tree, names, _PRODUCT_XML), _one(tree, names, _TILE_XML), rasters)


def _one(tree: Tree, names: list[str], pattern: re.Pattern[str]) -> str:
    found = {name for name in names if pattern.fullmatch(name)}
    if len(found) != 1:
        raise tree.fail(f"wanted one file such as {pattern.pattern}, found {len(found)}")
    return found.pop()
