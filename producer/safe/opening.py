"""Opening a product: its manifest, its XML and the places of its bands."""

from pathlib import Path

from producer.safe.archive import Files, files_of
from producer.safe.manifest import Manifest
from producer.safe.metadata import product_facts, tile_facts
from producer.safe.product import BandFile, Product
from producer.safe.spectrum import LEVEL_BANDS
from producer.safe.tree import Tree


def open_product(source: str | Path) -> Product:
    """Open a product and read what its metadata say; no pixel is read.

    A band that is not there is no error yet, for an engine may not want it:
    ``Product.band`` raises when it is asked for.

    Args:
        source: A SAFE folder, or a zip with one SAFE folder in it.

    Raises:
        NotASafeError: Neither.
        ArchiveError: A zip that is broken, or a file name that climbs out of the product.
        MetadataError: XML that is hostile, broken or lacks what is needed.
        BaselineError: A processing baseline that nobody has seen.
    """
    files = files_of(source)
    manifest = Manifest.read(files)
    about = product_facts(Tree.read(files, manifest.product_xml))
    tile = tile_facts(Tree.read(files, manifest.tile_xml))
    bands, absent = _bands(files, manifest, about.name.level)
    return Product(
        source=files.source,
        name=about.name,
        bands=bands,
        grid=tile.grids[10],
        baseline=about.baseline,
        quantification=about.quantification,
        offsets=about.offsets,
        footprint=about.footprint,
        sensed=tile.sensed,
        datatake=about.datatake,
        sun_azimuth=tile.sun_azimuth,
        sun_elevation=tile.sun_elevation,
        view_azimuth=tile.view_azimuth,
        view_off_nadir=tile.view_off_nadir,
        cloud_cover=about.cloud_cover,
        grids=tile.grids,
        absent=absent,
    )


def _bands(
    files: Files, manifest: Manifest, level: str
) -> tuple[dict[str, BandFile], frozenset[str]]:
    bands: dict[str, BandFile] = {}
    absent = set()
    for name in LEVEL_BANDS[level]:
        listed = manifest.resolutions(name)
        for resolution in listed:
            path = manifest.rasters[name, resolution]
            if files.has(path):
                bands[name] = BandFile(name, files.address(path), resolution)
                break
        if listed and name not in bands:
            absent.add(name)
    return bands, frozenset(absent)
