import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import pytest
import rasterio
from defusedxml.ElementTree import parse
from rasterio.features import rasterize
from rasterio.warp import transform_geom
from shapely.geometry import shape

from producer.bands import Bands
from producer.classes import MaskClass
from producer.safe import open_product
from producer.safe.spectrum import BAND_IDS, LEVEL_BANDS
from producer.synthetic import Scene, View, build
from producer.synthetic.jp2 import Encoding
from producer.synthetic.landscape import Landscape
from producer.synthetic.noise import smooth
from producer.synthetic.shapes import SEEN_DEPTH, SHADOW_DEPTH
from producer.synthetic.sun import sun_position
from producer.tiles import tile_grid
from tests import products


@pytest.mark.parametrize(
    ("tile", "epsg", "west", "north"),
    [
        # As ESA's own metadata of these tiles have it.
        ("46RER", 32646, 499_980, 3_100_020),
        ("22HBD", 32722, 199_980, 5_900_020),
        ("53JQJ", 32753, 699_960, 6_900_040),
        ("48LWP", 32748, 499_980, 8_900_020),
        ("33XWJ", 32633, 499_980, 8_900_040),
        ("32UPC", 32632, 600_000, 5_800_020),
    ],
)
def test_a_tile_lies_where_esa_puts_it(tile: str, epsg: int, west: int, north: int) -> None:
    grid = tile_grid(tile)
    assert (grid.epsg, grid.x_m, grid.y_m) == (epsg, west, north)


def test_a_square_that_is_not_in_its_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no MGRS square 33AUU"):
        tile_grid("33AUU")


@pytest.mark.parametrize(
    ("when", "longitude", "latitude", "zenith", "azimuth"),
    [
        # Middle of the tile, and the mean angles in ESA's own metadata: T46RER and T53JQJ.
        (datetime(2021, 9, 8, 4, 40, 48, tzinfo=UTC), 93.558, 27.530, 26.493, 142.99),
        (datetime(2020, 10, 31, 0, 55, 10, tzinfo=UTC), 137.60, -28.47, 26.825, 62.94),
    ],
)
def test_the_sun_stands_where_esa_says(
    when: datetime, longitude: float, latitude: float, zenith: float, azimuth: float
) -> None:
    assert sun_position(when, longitude, latitude) == (
        pytest.approx(zenith, abs=0.1),
        pytest.approx(azimuth, abs=0.3),
    )


def test_the_same_scene_has_the_same_pixels_and_another_seed_others(tmp_path: Path) -> None:
    first = products.small_product(tmp_path / "1", seed=5)
    again = products.small_product(tmp_path / "2", seed=5)
    other = products.small_product(tmp_path / "3", seed=6)
    np.testing.assert_array_equal(first.truth, again.truth)
    assert (first.truth != other.truth).mean() > 0.2
    for mine, same in zip(_rasters(first.path), _rasters(again.path), strict=True):
        assert mine.read_bytes() == same.read_bytes()


def _rasters(safe: Path) -> list[Path]:
    return sorted(safe.rglob("*.jp2"))


def test_blocks_fit_together() -> None:
    scene = Scene(products.NEW_L1C, 600, 600, seed=2)
    landscape = Landscape(scene, View(50, 160))
    whole = landscape.block(slice(0, 600), slice(0, 600))
    part = landscape.block(slice(240, 480), slice(100, 300))
    np.testing.assert_array_equal(part.truth, whole.truth[240:480, 100:300])
    for band in (1, 10):
        np.testing.assert_allclose(
            part.reflectance(band, "L1C"),
            whole.reflectance(band, "L1C")[240:480, 100:300],
            atol=1e-6,
        )


def test_noise_is_smooth_and_stays_within_bounds() -> None:
    places = np.linspace(-500, 700, 900)
    noise = smooth(1, places, places, 200)
    assert noise.min() >= 0
    assert noise.max() <= 1
    assert noise.std() > 0.1
    # Between two corners, at most 1 apart, it rises at most half as steeply again as a line.
    steepest = 1.5 * (places[1] - places[0]) / 200
    assert np.abs(np.diff(noise, axis=1)).max() <= steepest + 1e-6
    assert np.abs(np.diff(noise, axis=0)).max() <= steepest + 1e-6


@pytest.mark.parametrize("azimuth", [0, 90, 135, 200, 315])
def test_shadows_fall_away_from_the_sun_by_the_height_of_the_cloud(azimuth: float) -> None:
    scene = Scene(products.NEW_L1C, 900, 900, thin_cloud=0, cloud=0.2, cloud_height_m=800)
    block = Landscape(scene, View(45, azimuth)).block(slice(0, 900), slice(0, 900))
    # At 45 degrees a shadow falls as far as its cloud is high: 80 px.
    south = round(80 * np.cos(np.radians(azimuth)))
    west = round(80 * np.sin(np.radians(azimuth)))
    cloud = np.roll(block.sky.low.depth, (south, -west), (0, 1)) >= SHADOW_DEPTH
    inner = (slice(100, 800), slice(100, 800))
    shadow = block.truth == MaskClass.CLOUD_SHADOW
    assert shadow[inner].mean() > 0.05
    assert cloud[inner][shadow[inner]].mean() > 0.999
    seen = cloud & (block.sky.low.depth < SEEN_DEPTH)
    assert shadow[inner][seen[inner]].mean() > 0.999


def test_every_class_looks_like_itself(tmp_path: Path) -> None:
    built = products.small_product(tmp_path, size_px=600, seed=3, cloud=0.2, thin_cloud=0.2)
    product = open_product(built.path)
    with Bands(product, BAND_IDS) as bands:
        means = {
            (name, value): float(light[built.truth == value].mean())
            for name in ("B02", "B04", "B08", "B10", "B11")
            for light in [bands.reflectance(name, product.grid)]
            for value in (1, 2, 3, 4)
        }
    for name in ("B02", "B04", "B11"):
        assert means[name, 2] < means[name, 1] < means[name, 3] < means[name, 4]
    assert means["B08", 1] > means["B04", 1]
    # High thin cloud alone is bright in the cirrus band.
    assert means["B10", 3] > 5 * means["B10", 1]


@pytest.mark.parametrize("share", [0.0, 0.15, 0.5])
def test_there_is_about_as_much_cloud_as_was_asked_for(share: float) -> None:
    scene = Scene(products.NEW_L1C, 1200, 1200, cloud=share, thin_cloud=0)
    truth = Landscape(scene, View(45, 160)).block(slice(0, 1200), slice(0, 1200)).truth
    assert (truth == MaskClass.CLOUD).mean() == pytest.approx(share, abs=0.03)
    if share == 0:
        assert set(np.unique(truth)) == {MaskClass.CLEAR}


@pytest.mark.parametrize("name", [products.NEW_L1C, products.OLD_L2A])
def test_beyond_the_swath_there_is_no_data_and_the_footprint_says_so(
    tmp_path: Path, name: str
) -> None:
    built = products.small_product(tmp_path, name, size_px=300, swath=0.6)
    product = open_product(built.path)
    with Bands(product, ["B02", "B8A"]) as bands:
        empty = np.isnan(bands.reflectance("B02", product.grid))
        coarse = np.isnan(bands.reflectance("B8A", product.grid))
    np.testing.assert_array_equal(empty, built.truth == MaskClass.NO_DATA)
    assert empty.mean() == pytest.approx(0.4, abs=0.01)
    assert (coarse != empty).mean() < 0.01
    ground = transform_geom("EPSG:4326", f"EPSG:{product.grid.epsg}", product.footprint)
    inside = rasterize([ground], empty.shape, transform=product.grid.transform).astype(bool)
    assert (inside == ~empty).mean() > 0.995


def test_level_2a_classifies_its_scene(tmp_path: Path) -> None:
    built = products.small_product(tmp_path, products.NEW_L2A, size_px=240, swath=0.8)
    product = open_product(built.path)
    with Bands(product, ["SCL", "AOT", "WVP"]) as bands:
        classes = bands.digital_numbers("SCL", slice(0, 120), slice(0, 120))
        aerosol = bands.digital_numbers("AOT", slice(0, 240), slice(0, 240))
        vapour = bands.digital_numbers("WVP", slice(0, 240), slice(0, 240))
    truth = built.truth[1::2, 1::2]
    for value, code in ((0, 0), (2, 3), (3, 10), (4, 9)):
        np.testing.assert_array_equal(truth == value, classes == code)
    assert set(np.unique(aerosol)) == {0, 100}
    assert set(np.unique(vapour)) == {0, 1500}


@pytest.mark.parametrize("size_px", [20, 61, 120])
@pytest.mark.parametrize("name", [products.OLD_L1C, products.NEW_L2A])
def test_any_size_makes_a_product_of_all_bands(tmp_path: Path, name: str, size_px: int) -> None:
    built = products.small_product(tmp_path, name, size_px)
    assert built.truth.shape == (size_px, size_px)
    product = open_product(built.path)
    assert set(product.bands) == set(LEVEL_BANDS[product.name.level])
    with Bands(product, product.bands) as bands:
        for band in product.bands:
            grid = bands.grid(band)
            assert grid.width == -(-size_px * 10 // grid.resolution_m)
            assert bands.digital_numbers(band, slice(0, grid.height), slice(0, grid.width)).all()


def test_the_offset_shifts_the_numbers_but_not_the_reflectance(tmp_path: Path) -> None:
    plain, shifted = (
        products.small_product(tmp_path / str(offset), products.NEW_L1C, offset=offset)
        for offset in (0, -1000)
    )
    read = []
    for built in (plain, shifted):
        product = open_product(built.path)
        with Bands(product, ["B04"]) as bands:
            numbers = bands.digital_numbers("B04", slice(0, 120), slice(0, 120))
            read.append((numbers.astype(int), bands.reflectance("B04", product.grid)))
    np.testing.assert_array_equal(read[1][0] - read[0][0], 1000)
    np.testing.assert_allclose(read[1][1], read[0][1], atol=1e-6)


def test_lossy_bands_are_small_and_near_to_the_truth(tmp_path: Path) -> None:
    scene = Scene(products.NEW_L1C, 600, 600)
    exact = build(tmp_path / "exact", scene)
    lossy = build(tmp_path / "lossy", replace(scene, encoding=Encoding(size=0.1)))
    (mine,) = lossy.path.rglob("*_B04.jp2")
    (whole,) = exact.path.rglob("*_B04.jp2")
    assert mine.stat().st_size < 0.12 * 600 * 600 * 2
    with rasterio.open(mine) as one, rasterio.open(whole) as other:
        difference = one.read(1).astype(int) - other.read(1)
    assert 0 < np.abs(difference).mean() < 200


def test_a_product_replaces_one_of_its_name_and_leaves_no_litter(tmp_path: Path) -> None:
    for seed in (1, 2):
        built = products.small_product(tmp_path, seed=seed)
    assert list(tmp_path.iterdir()) == [built.path]
    assert built.path.name == f"{products.NEW_L1C}.SAFE"
    expected = products.small_product(tmp_path / "other", seed=2)
    assert [path.read_bytes() for path in _rasters(built.path)] == [
        path.read_bytes() for path in _rasters(expected.path)
    ]


def test_the_footprint_of_a_whole_product_is_its_square(tmp_path: Path) -> None:
    product = open_product(products.flat_product(tmp_path))
    outline = shape(product.footprint)
    ground = shape(transform_geom("EPSG:4326", "EPSG:32635", product.footprint))
    assert outline.is_valid
    assert outline.exterior.is_ccw
    assert ground.bounds == pytest.approx(product.grid.bounds, abs=0.01)


@pytest.mark.parametrize(
    ("real", "name"),
    [
        ("S2A_MSIL1C_20210908T042701_N0301_R133_T46RER_20210908T070248", products.OLD_L1C),
        ("S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500", products.OLD_L2A),
        ("S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126", products.NEW_L2A),
    ],
)
@pytest.mark.parametrize("file", ["MTD_MSI*.xml", "GRANULE/*/MTD_TL.xml", "manifest.safe"])
def test_written_xml_has_elements_that_esa_has(
    tmp_path: Path, real: str, name: str, file: str
) -> None:
    folder = products.shared_data() / "metadata" / f"{real}.SAFE"
    safe = products.flat_product(tmp_path, name)
    written, original = (_paths(next(root.glob(file))) for root in (safe, folder))
    assert written - original == set()
    assert len(written) >= 15


def _paths(file: Path) -> set[tuple[str, ...]]:
    def walk(element: Element, above: tuple[str, ...]) -> set[tuple[str, ...]]:
        here = (*above, re.sub(r"_xsd\b|\{.*\}", "", element.tag))
        attributes = {(*here, f"@{name}") for name in element.attrib}
        return {here, *attributes}.union(*(walk(child, here) for child in element))

    return walk(parse(file).getroot(), ())


def test_real_products_are_read_as_they_are() -> None:
    metadata = products.shared_data() / "metadata"
    (svalbard,) = metadata.glob("S2B_MSIL2A_2022*.SAFE")
    product = open_product(svalbard)
    assert product.baseline == "04.00"
    assert product.offsets["B02"] == -1000
    assert product.sun_elevation == pytest.approx(90 - 76.528619)
    assert product.cloud_cover == pytest.approx(98.944211)
    assert product.sensed == datetime(2022, 4, 13, 15, 8, 7, 846358, tzinfo=UTC)
    assert product.datatake == "GS2B_20220413T150759_026649_N04.00"
    assert "B02" in product.absent
    for archive in metadata.glob("*.zip"):
        zipped = open_product(archive)
        assert set(zipped.bands) == set(BAND_IDS)
        assert set(zipped.offsets.values()) == {0}
        assert zipped.grid == tile_grid(zipped.name.tile)
        assert shape(zipped.footprint).is_valid
