import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from shapely.geometry import MultiPolygon, shape

from producer.errors import (
    ArchiveError,
    BaselineError,
    MetadataError,
    MissingBandError,
    NotASafeError,
)
from producer.grid import Grid
from producer.safe import open_product
from producer.safe.footprint import footprint
from tests import products

NAMES = [products.OLD_L1C, products.NEW_L1C, products.OLD_L2A, products.NEW_L2A]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One product of each kind, never changed by a test."""
    folder = tmp_path_factory.mktemp("products")
    return {name: products.flat_product(folder, name) for name in NAMES}


@pytest.fixture
def old(made: dict[str, Path], tmp_path: Path) -> Path:
    """A product to change."""
    return _copy(made[products.OLD_L1C], tmp_path)


@pytest.fixture
def new(made: dict[str, Path], tmp_path: Path) -> Path:
    """A product with offsets to change."""
    return _copy(made[products.NEW_L1C], tmp_path)


def _copy(safe: Path, folder: Path) -> Path:
    return Path(shutil.copytree(safe, folder / safe.name))


@pytest.mark.parametrize("name", NAMES)
def test_a_product_tells_what_its_metadata_say(made: dict[str, Path], name: str) -> None:
    product = open_product(made[name])
    assert str(product.name) == name
    assert product.source == str(made[name])
    assert product.grid == Grid(32635, 300_000, 6_600_000, 10, 60, 60)
    assert product.grids[60].shape == (10, 10)
    assert product.quantification == 10_000
    assert product.sensed == product.name.sensed
    assert (product.sun_elevation, product.sun_azimuth) == (45, 160)
    assert (product.view_off_nadir, product.view_azimuth) == (5, pytest.approx(105))
    assert product.datatake is not None
    assert product.datatake.startswith("GS2A_20")


def test_offsets_are_taken_from_the_metadata_and_only_for_reflectance(
    made: dict[str, Path],
) -> None:
    assert set(open_product(made[products.OLD_L1C]).offsets.values()) == {0}
    assert set(open_product(made[products.OLD_L2A]).offsets.values()) == {0}
    for name in (products.NEW_L1C, products.NEW_L2A):
        offsets = dict(open_product(made[name]).offsets)
        assert {offsets.pop(band) for band in ("AOT", "WVP", "SCL")} == {0}
        assert set(offsets.values()) == {-1000}


def test_each_band_has_its_own_offset_by_its_number(new: Path) -> None:
    products.edit(new, "MTD_MSIL1C.xml", 'band_id="8">-1000', 'band_id="8">-77')
    offsets = open_product(new).offsets
    assert offsets["B8A"] == -77
    assert {value for band, value in offsets.items() if band.startswith("B0")} == {-1000}


def test_an_offset_before_its_time_is_honoured(old: Path) -> None:
    listed = "".join(f'<RADIO_ADD_OFFSET band_id="{n}">-500</RADIO_ADD_OFFSET>' for n in range(13))
    products.edit(
        old,
        "MTD_MSIL1C.xml",
        "</Product_Image_Characteristics>",
        f"<Radiometric_Offset_List>{listed}</Radiometric_Offset_List>"
        "</Product_Image_Characteristics>",
    )
    assert open_product(old).offsets["B02"] == -500


@pytest.mark.parametrize("gone", range(13))
def test_a_missing_offset_is_no_zero(new: Path, gone: int) -> None:
    products.edit(
        new,
        "MTD_MSIL1C.xml",
        f'<RADIO_ADD_OFFSET band_id="{gone}">-1000</RADIO_ADD_OFFSET>',
        "",
    )
    with pytest.raises(MetadataError, match=r"RADIO_ADD_OFFSET of B\w\w is missing"):
        open_product(new)


def test_a_new_baseline_without_any_offset_is_refused(new: Path) -> None:
    products.edit(new, "MTD_MSIL1C.xml", "RADIO_ADD_OFFSET", "SOMETHING_ELSE")
    with pytest.raises(MetadataError, match="RADIO_ADD_OFFSET"):
        open_product(new)


@pytest.mark.parametrize("baseline", ["02.00", "02.14", "03.01"])
def test_baselines_before_offsets_are_known(old: Path, baseline: str) -> None:
    products.edit(old, "MTD_MSIL1C.xml", "<PROCESSING_BASELINE>02.09", _baseline(baseline))
    assert open_product(old).baseline == baseline


@pytest.mark.parametrize("baseline", ["04.00", "05.12", "99.99"])
def test_baselines_with_offsets_are_known(new: Path, baseline: str) -> None:
    products.edit(new, "MTD_MSIL1C.xml", "<PROCESSING_BASELINE>05.09", _baseline(baseline))
    assert open_product(new).baseline == baseline


@pytest.mark.parametrize("baseline", ["01.06", "06.00", "00.00", "5.09", "05.9", "five", "05.09x"])
def test_an_unknown_baseline_is_refused(new: Path, baseline: str) -> None:
    products.edit(new, "MTD_MSIL1C.xml", "<PROCESSING_BASELINE>05.09", _baseline(baseline))
    with pytest.raises(BaselineError, match=baseline):
        open_product(new)


def _baseline(text: str) -> str:
    return f"<PROCESSING_BASELINE>{text}"


def test_a_zip_says_the_same_as_the_folder_in_it(made: dict[str, Path], tmp_path: Path) -> None:
    safe = made[products.NEW_L2A]
    archive = tmp_path / "downloaded as something.bin"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in safe.rglob("*"):
            file.write(path, path.relative_to(safe.parent))
    zipped, folder = open_product(archive), open_product(safe)
    assert zipped.name == folder.name
    assert zipped.footprint == folder.footprint
    assert zipped.grids == folder.grids
    assert set(zipped.bands) == set(folder.bands)
    assert all(band.path.startswith("/vsizip/") for band in zipped.bands.values())


def test_a_path_may_end_in_a_slash_or_be_relative(
    made: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    safe = made[products.OLD_L1C]
    monkeypatch.chdir(safe.parent)
    assert open_product(f"{safe}/") == open_product(safe.name) == open_product(safe)


def test_a_band_is_found_where_the_manifest_says(old: Path) -> None:
    (band,) = old.glob("GRANULE/*/IMG_DATA/*_B05.jp2")
    moved = band.with_name("odd_B05.jp2")
    band.rename(moved)
    products.edit(old, "manifest.safe", f"/{band.name}", "/odd_B05.jp2")
    assert open_product(old).band("B05").path == str(moved)


def test_a_band_that_is_listed_but_not_there_is_missed_when_wanted(old: Path) -> None:
    (band,) = old.glob("GRANULE/*/IMG_DATA/*_B05.jp2")
    band.unlink()
    product = open_product(old)
    assert product.band("B04").resolution_m == 10
    with pytest.raises(MissingBandError, match=r"band B05 is listed in manifest\.safe but not"):
        product.band("B05")


def test_a_band_that_the_manifest_lacks_is_missed_though_its_file_is_there(old: Path) -> None:
    products.edit(old, "manifest.safe", "_B05.jp2", "_PVI.jp2")
    with pytest.raises(MissingBandError, match="band B05 is not listed"):
        open_product(old).band("B05")


def test_a_band_that_the_level_never_has_is_told_apart(made: dict[str, Path]) -> None:
    with pytest.raises(MissingBandError, match="B10 is none of L2A"):
        open_product(made[products.NEW_L2A]).band("B10")


def test_level_2a_bands_come_at_their_native_resolution(made: dict[str, Path]) -> None:
    bands = open_product(made[products.NEW_L2A]).bands
    assert {name for name, band in bands.items() if band.resolution_m == 10} == {
        *("B02", "B03", "B04", "B08", "AOT", "WVP")
    }
    assert {name for name, band in bands.items() if band.resolution_m == 60} == {"B01", "B09"}
    assert bands["SCL"].resolution_m == 20


def test_level_2a_falls_back_to_the_best_there_is(made: dict[str, Path], tmp_path: Path) -> None:
    safe = _copy(made[products.NEW_L2A], tmp_path)
    (fine,) = safe.glob("GRANULE/*/IMG_DATA/R10m/*_B02_10m.jp2")
    coarse = fine.parents[1] / "R20m" / fine.name.replace("10m", "20m")
    listed = fine.relative_to(safe).as_posix()
    entry = '<fileLocation href="./{}" locatorType="URL" />'
    products.edit(
        safe,
        "manifest.safe",
        entry.format(listed),
        entry.format(listed) + entry.format(coarse.relative_to(safe).as_posix()),
    )
    fine.rename(coarse)
    assert open_product(safe).band("B02").resolution_m == 20


@pytest.mark.parametrize(
    ("file", "old_text", "new_text", "said"),
    [
        ("MTD_MSIL1C.xml", ">10000</QUANT", ">0</QUANT", "QUANTIFICATION_VALUE"),
        ("MTD_MSIL1C.xml", ">10000</QUANT", ">nan</QUANT", "no finite number"),
        ("MTD_MSIL1C.xml", "EXT_POS_LIST", "NO_POS_LIST", "EXT_POS_LIST is missing"),
        ("MTD_MSIL1C.xml", "<EXT_POS_LIST>", "<EXT_POS_LIST>1 ", "EXT_POS_LIST is no list"),
        ("MTD_MSIL1C.xml", "<PRODUCT_URI>S2A", "<PRODUCT_URI>X2A", "no Sentinel-2 product name"),
        ("GRANULE/*/MTD_TL.xml", "EPSG:32635", "EPSG:4326", "HORIZONTAL_CS_CODE"),
        ("GRANULE/*/MTD_TL.xml", "EPSG:32635", "EPSG:32661", "HORIZONTAL_CS_CODE"),
        ("GRANULE/*/MTD_TL.xml", "<SENSING_TIME", "<SENSED_TIME", "no XML"),
        ("GRANULE/*/MTD_TL.xml", 'resolution="20"', 'resolution="30"', "20 m grid is missing"),
        ("GRANULE/*/MTD_TL.xml", "<NROWS>10<", "<NROWS>0<", "60 m grid is empty"),
        ("manifest.safe", "dataObjectSection", "otherSection", "lists no file"),
        ("manifest.safe", "MTD_TL.xml", "MTD_TX.xml", "MTD_TL"),
    ],
)
def test_broken_metadata_are_named(
    old: Path, file: str, old_text: str, new_text: str, said: str
) -> None:
    products.edit(old, file, old_text, new_text)
    with pytest.raises(MetadataError, match=said):
        open_product(old)


def test_metadata_that_are_listed_but_not_there_are_named(old: Path) -> None:
    (old / "MTD_MSIL1C.xml").unlink()
    with pytest.raises(MetadataError, match=r"MTD_MSIL1C\.xml is not there"):
        open_product(old)


def test_what_is_no_product_is_told_apart_from_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "broken.zip").write_text("hello")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("readme.txt", "hello")
    for name in ("absent.SAFE", "text.txt", "other.zip", "."):
        with pytest.raises(NotASafeError):
            open_product(tmp_path / name)
    with pytest.raises(ArchiveError):
        open_product(tmp_path / "broken.zip")


def test_the_sensing_time_is_that_of_the_tile(old: Path) -> None:
    products.edit(
        old, "GRANULE/*/MTD_TL.xml", "2020-05-09T09:40:41.000000Z", "2020-05-09T09:43:00.5Z"
    )
    assert open_product(old).sensed == datetime(2020, 5, 9, 9, 43, 0, 500_000, tzinfo=UTC)


def test_azimuths_around_north_are_averaged_on_the_circle(old: Path) -> None:
    products.edit(
        old,
        "GRANULE/*/MTD_TL.xml",
        "</Mean_Viewing_Incidence_Angle_List>",
        '<Mean_Viewing_Incidence_Angle bandId="0"><ZENITH_ANGLE>5</ZENITH_ANGLE>'
        "<AZIMUTH_ANGLE>2</AZIMUTH_ANGLE></Mean_Viewing_Incidence_Angle>"
        "</Mean_Viewing_Incidence_Angle_List>",
    )
    products.edit(
        old,
        "GRANULE/*/MTD_TL.xml",
        '<AZIMUTH_ANGLE unit="deg">105</AZIMUTH_ANGLE>',
        '<AZIMUTH_ANGLE unit="deg">358</AZIMUTH_ANGLE>',
    )
    # Thirteen at -2 degrees and one at +2.
    assert open_product(old).view_azimuth == pytest.approx(360 - 24 / 14, abs=0.01)


def test_angles_and_cloud_cover_that_are_not_said_are_not_known(old: Path) -> None:
    products.edit(old, "GRANULE/*/MTD_TL.xml", "Mean_", "Other_")
    product = open_product(old)
    assert product.sun_azimuth is product.sun_elevation is None
    assert product.view_azimuth is product.view_off_nadir is None
    assert product.cloud_cover is None


def test_a_footprint_over_the_antimeridian_is_cut_there() -> None:
    ring = [(179.5, 10.0), (-179.5, 10.0), (-179.5, 11.0), (179.5, 11.0), (179.5, 10.0)]
    for outline in (ring, ring[::-1], ring[:-1]):
        geometry = footprint([outline])
        cut = shape(geometry)
        assert isinstance(cut, MultiPolygon)
        assert cut.is_valid
        assert all(part.exterior.is_ccw for part in cut.geoms)
        assert cut.area == pytest.approx(1)
        assert sorted(part.bounds for part in cut.geoms) == [
            (-180, 10, -179.5, 11),
            (179.5, 10, 180, 11),
        ]


def test_a_footprint_that_ends_at_the_antimeridian_stays_whole() -> None:
    geometry = footprint([[(179.0, 0.0), (180.0, 0.0), (180.0, 1.0), (179.0, 1.0)]])
    assert geometry["type"] == "Polygon"


def test_a_footprint_that_crosses_itself_becomes_valid() -> None:
    bow = [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)]
    mended = shape(footprint([bow]))
    assert mended.is_valid
    assert mended.area == pytest.approx(0.5)


@pytest.mark.parametrize(
    "ring",
    [
        [(0.0, 0.0), (1.0, 1.0)],
        [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)],
        [(0.0, 89.0), (1.0, 91.0), (2.0, 89.0)],
    ],
)
def test_an_outline_of_nothing_is_no_footprint(ring: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="outline"):
        footprint([ring])
