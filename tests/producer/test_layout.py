"""Keys of a mask's files."""

from producer import layout
from producer.product import ProductName

NAME = ProductName.parse("S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102204")


def test_a_key_leads_from_collection_and_tile_over_month_to_product() -> None:
    stem = layout.stem_key(NAME, "ukis-csmask", "1.0.0")
    assert layout.file_key(stem, layout.MASK) == (
        "ukis-csmask-l1c/33/U/UU/2017/02"
        "/S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102204"
        "/S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102204_ukis-csmask-1.0.0.tif"
    )


def test_the_names_of_the_classes_lie_where_gdal_looks_for_them() -> None:
    assert (
        layout.file_key("a/b", layout.CATEGORIES)
        == layout.file_key("a/b", layout.MASK) + ".aux.xml"
    )


def test_every_file_and_every_version_has_a_key_of_its_own() -> None:
    stems = [layout.stem_key(NAME, "ukis-csmask", version) for version in ("1.0.0", "1.0.1")]
    keys = {layout.file_key(stem, asset) for stem in stems for asset in layout.SUFFIXES}
    assert len(keys) == 2 * len(layout.SUFFIXES)
