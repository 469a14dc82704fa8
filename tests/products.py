"""Small products for tests: real SAFE folders with pixels whose truth is known."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from shapely.geometry import box

from producer.grid import Grid
from producer.outline import ring_of
from producer.product import ProductName
from producer.safe.spectrum import LEVEL_BANDS, NATIVE_RESOLUTION_M
from producer.synthetic import Built, SafeFacts, Scene, View, build, write_safe
from producer.synthetic.facts import usual_offset
from producer.tiles import tile_grid

OLD_L1C = "S2A_MSIL1C_20200509T094041_N0209_R036_T35VLF_20200509T111504"
"""Before baseline 04.00: no offset."""
NEW_L1C = "S2A_MSIL1C_20230509T094041_N0509_R036_T35VLF_20230509T111504"
NEW_L2A = "S2A_MSIL2A_20230509T094041_N0509_R036_T35VLF_20230509T111504"
OLD_L2A = "S2A_MSIL2A_20200509T094041_N0214_R036_T35VLF_20200509T111504"


def small_product(folder: Path, name: str = NEW_L1C, size_px: int = 120, **scene: object) -> Built:
    """Build a small cloudy landscape; other fields of ``Scene`` may be given by name."""
    return build(folder, replace(Scene(name, size_px, size_px), **scene))  # type: ignore[arg-type]


def flat_product(
    folder: Path,
    name: str = NEW_L1C,
    size_px: int = 60,
    *,
    numbers: dict[str, NDArray[np.uint16]] | None = None,
    archive: bool = False,
) -> Path:
    """Write a product whose bands hold 2000 everywhere, but for those that are given.

    Args:
        folder: Where to put it.
        name: Product name.
        size_px: Edge at 10 m, a multiple of 6.
        numbers: Digital numbers by band, at the band's native resolution.
        archive: Write a zip.
    """
    parsed = ProductName.parse(name)
    tile = tile_grid(parsed.tile)
    grids = {
        metres: Grid(
            tile.epsg, tile.x_m, tile.y_m, metres, size_px * 10 // metres, size_px * 10 // metres
        )
        for metres in (10, 20, 60)
    }
    bands = {
        band: np.full(grids[NATIVE_RESOLUTION_M[band]].shape, 2000, np.uint16)
        for band in LEVEL_BANDS[parsed.level]
    }
    return write_safe(folder, flat_facts(name, grids), bands | (numbers or {}), archive=archive)


def flat_facts(name: str, grids: dict[int, Grid]) -> SafeFacts:
    """Give the facts of a product that holds data all over."""
    parsed = ProductName.parse(name)
    return SafeFacts(
        name=parsed,
        grids=grids,
        ring=ring_of(box(*grids[10].bounds), grids[10].epsg),
        sensed=parsed.sensed,
        view=View(sun_zenith=45.0, sun_azimuth=160.0),
        offset=usual_offset(f"{parsed.baseline[:2]}.{parsed.baseline[2:]}"),
    )


def shared_data() -> Path:
    """Find real metadata and pixels for golden checks; skips the test where there are none."""
    place = Path(os.environ.get("NIMBOSTAC_SHARED", Path(__file__).parents[2] / "shared")) / "data"
    if not place.is_dir():
        pytest.skip("no real products at hand (NIMBOSTAC_SHARED)")
    return place


def edit(safe: Path, pattern: str, old: str, new: str) -> None:
    """Replace text in the one file of a SAFE folder that matches a pattern."""
    (path,) = safe.glob(pattern)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
