"""What ``manifest.safe`` says: which files a product has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from producer.safe.archive import MANIFEST, Files, inside
from producer.safe.spectrum import LEVEL_BANDS, NATIVE_RESOLUTION_M
from producer.safe.tree import Tree

_PRODUCT_XML = re.compile(r"MTD_MSIL(1C|2A)\.xml")
_TILE_XML = re.compile(r"GRANULE/[^/]+/MTD_TL\.xml")
_RASTER = re.compile(
    r"GRANULE/[^/]+/IMG_DATA/(?:R\d\dm/)?"
    r"[^/]*_(?P<band>B\d\d|B8A|AOT|WVP|SCL)(?:_(?P<resolution>10|20|60)m)?\.(?:jp2|tif)"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a manifest says of one file."""

    size: int | None
    """Bytes."""
    checksum: tuple[str, str] | None
    """``MD5`` or ``SHA3-256``, and the digest, hexadecimal."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A product's files, as paths below its folder."""

    product_xml: str
    """``MTD_MSIL1C.xml`` or ``MTD_MSIL2A.xml``."""
    tile_xml: str
    rasters: Mapping[tuple[str, int], str]
    """By band and resolution in metres; L2A repeats a band at several resolutions."""
    files: Mapping[str, Listed]
    """Every file that is listed."""

    @classmethod
    def read(cls, files: Files) -> "Manifest":
        """Read a product's manifest.

        Raises:
            MetadataError: It is broken, or lists no metadata.
            ArchiveError: It names a file outside the product's folder.
        """
        tree = Tree.read(files, MANIFEST)
        listed = {
            inside(files.source, place.get("href", "")): _listed(stream)
            for section in tree.all("dataObjectSection")
            for stream in section.iterfind(".//{*}fileLocation/..")
            for place in stream.iterfind("{*}fileLocation")
        }
        names = list(listed)
        if not names:
            raise tree.fail("its dataObjectSection lists no file")
        rasters: dict[tuple[str, int], str] = {}
        for name in names:
            match = _RASTER.fullmatch(name)
            if match is not None and match["band"] in NATIVE_RESOLUTION_M:
                resolution = int(match["resolution"] or NATIVE_RESOLUTION_M[match["band"]])
                rasters[match["band"], resolution] = name
        return cls(_one(tree, names, _PRODUCT_XML), _one(tree, names, _TILE_XML), rasters, listed)

    @property
    def level(self) -> str:
        """``L1C`` or ``L2A``."""
        return "L1C" if "L1C" in self.product_xml else "L2A"

    def resolutions(self, band: str) -> list[int]:
        """Give the resolutions at which a band is listed, in metres, the best first."""
        return sorted(
            (resolution for name, resolution in self.rasters if name == band),
            key=lambda resolution: (resolution != NATIVE_RESOLUTION_M[band], resolution),
        )

    @property
    def needed(self) -> tuple[str, ...]:
        """Files that masking may read: metadata, and each band once, at its best resolution."""
        bands = [
            self.rasters[band, found[0]]
            for band in LEVEL_BANDS[self.level]
            if (found := self.resolutions(band))
        ]
        return (self.product_xml, self.tile_xml, *bands)


def _listed(stream: Element) -> Listed:
    size, checksum = stream.get("size", ""), stream.find("{*}checksum")
    return Listed(
        size=int(size) if size.isdecimal() else None,
        checksum=None
        if checksum is None
        else (checksum.get("checksumName", "").upper(), (checksum.text or "").strip().lower()),
    )


def _one(tree: Tree, names: list[str], pattern: re.Pattern[str]) -> str:
    found = {name for name in names if pattern.fullmatch(name)}
    if len(found) != 1:
        raise tree.fail(f"wanted one file such as {pattern.pattern}, found {len(found)}")
    return found.pop()
