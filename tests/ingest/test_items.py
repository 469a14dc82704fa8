import hashlib
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
from rasterio.warp import transform_geom
from shapely.geometry import shape

from ingest import items
from producer.classes import MaskClass
from producer.product import ProductName
from producer.record import MaskRecord
from producer.storage import Storage
from tests import records
from tests.ingest import schemas

# RFC 7946, section 3.1.9: a polygon cut at the antimeridian.
ACROSS = {
    "type": "MultiPolygon",
    "coordinates": [
        [[[180.0, 40.0], [180.0, 50.0], [170.0, 50.0], [170.0, 40.0], [180.0, 40.0]]],
        [[[-170.0, 40.0], [-170.0, 50.0], [-180.0, 50.0], [-180.0, 40.0], [-170.0, 40.0]]],
    ],
}


def with_footprint(geometry: dict[str, Any]) -> MaskRecord:
    record = records.record_of()
    return record.model_copy(
        update={"source": record.source.model_copy(update={"footprint": geometry})}
    )


def beside(record: MaskRecord) -> dict[str, Any]:
    return items.beside(items.item(record, "."))


@pytest.fixture
def stored(store: Storage) -> records.Stored:
    return records.stored_mask(store)


@pytest.fixture
def item(store: Storage, stored: records.Stored) -> dict[str, Any]:
    return items.item(stored.record, store.href(stored.record_key.rpartition("/")[0]))


def test_an_item_is_valid_stac_with_every_extension_that_it_lists(item: dict[str, Any]) -> None:
    item["links"].append({"rel": "collection", "href": "https://example.com/collection.json"})
    schemas.check(item)


def test_the_item_beside_the_mask_is_valid_and_finds_its_files_and_its_collection(
    store: Storage, stored: records.Stored
) -> None:
    document = beside(stored.record)
    schemas.check(document)
    folder = store.path(stored.record_key)
    assert folder is not None
    for asset in document["assets"].values():
        assert (folder.parent / asset["href"]).is_file()
    home = {link["rel"]: link["href"] for link in document["links"]}
    assert (folder.parent / home["collection"]).resolve() == (
        store.folder / stored.collection / "collection.json"  # type: ignore[operator]
    )
    assert home["root"] == home["parent"] == home["collection"]


def test_probabilities_are_an_asset_where_they_were_made() -> None:
    record = records.record_of()
    mask = record.files["mask"]
    file = mask.model_copy(update={"key": mask.key.replace(".tif", "_probabilities.tif")})
    files = {**record.files, "probabilities": file}
    item = items.item(record.model_copy(update={"files": files}), "s3://masks/folder")
    item["links"].append({"rel": "collection", "href": "https://example.com/collection.json"})
    schemas.check(item)
    asset = item["assets"]["probabilities"]
    assert asset["href"] == f"s3://masks/folder/{file.key}"
    assert asset["title"] == "Probabilities"
    assert asset["file:size"] == file.size
    names = [band["name"] for band in asset["bands"]]
    assert names == ["undefined", "clear", "cloud_shadow", "semi_transparent", "cloud", "missing"]
    assert "probabilities" not in items.item(record, "s3://masks/folder")["assets"]


def test_pystac_reads_what_an_item_says(item: dict[str, Any]) -> None:
    read = pystac.Item.from_dict(item)
    assert read.id == "S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102101"
    assert read.collection_id == "ukis-csmask-l1c"
    assert read.datetime == datetime(2017, 2, 16, 10, 21, 1, 26_000, tzinfo=UTC)
    assert read.common_metadata.platform == "sentinel-2a"
    assert read.common_metadata.instruments == ["msi"]
    assert read.ext.mgrs.utm_zone == 33
    assert read.ext.mgrs.latitude_band == "U"
    assert read.ext.mgrs.grid_square == "UU"
    assert read.ext.grid.code == "MGRS-33UUU"
    assert read.properties["sat:relative_orbit"] == 65
    [source] = read.get_links("derived_from")
    assert source.href == f"s3://eodata/{read.id}.SAFE"


def test_projection_fields_are_those_that_rasterio_reads_from_the_mask(
    item: dict[str, Any],
) -> None:
    properties = item["properties"]
    with rasterio.open(item["assets"]["mask"]["href"].removeprefix("file://")) as mask:
        assert properties["proj:code"] == f"EPSG:{mask.crs.to_epsg()}"
        assert tuple(properties["proj:shape"]) == mask.shape
        assert tuple(properties["proj:transform"]) == tuple(mask.transform)[:6]
        assert tuple(properties["proj:bbox"]) == tuple(mask.bounds)
        assert item["assets"]["mask"]["nodata"] == mask.nodata
        assert item["assets"]["mask"]["data_type"] == mask.dtypes[0]
        outline = shape(
            transform_geom(
                mask.crs,
                "EPSG:4326",
                {"type": "Polygon", "coordinates": [_corners(mask.bounds)]},
            )
        )
    assert shape(item["geometry"]).symmetric_difference(outline).area < 1e-9


def _corners(bounds: Any) -> list[tuple[float, float]]:
    west, south, east, north = bounds
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


def test_sizes_and_checksums_are_those_of_the_files(item: dict[str, Any]) -> None:
    for key in ("mask", "preview", "thumbnail", "categories"):
        asset = item["assets"][key]
        with open(asset["href"].removeprefix("file://"), "rb") as file:  # noqa: PTH123
            data = file.read()
        assert asset["file:size"] == len(data)
        # Multihash: one byte of function (0x12, sha2-256), one of length.
        assert bytes.fromhex(asset["file:checksum"]) == (
            bytes([0x12, 32]) + hashlib.sha256(data).digest()
        )


def test_shares_are_those_of_the_pixels(item: dict[str, Any]) -> None:
    with rasterio.open(item["assets"]["mask"]["href"].removeprefix("file://")) as mask:
        pixels = mask.read(1)
    valid = np.isin(pixels, [1, 2, 3, 4])
    properties = item["properties"]
    for name, value in (("clear", 1), ("cloud_shadow", 2), ("semi_transparent", 3), ("cloud", 4)):
        share = (pixels == value).sum() / valid.sum()
        assert properties[f"nimbostac:{name}"] == pytest.approx(share, abs=1e-6)
    covered = np.isin(pixels, [3, 4]).sum() / valid.sum()
    assert properties["eo:cloud_cover"] == pytest.approx(100 * covered, abs=1e-3)
    missing = (pixels == 5).sum() / (pixels != 0).sum()
    assert properties["nimbostac:missing"] == pytest.approx(missing, abs=1e-6)


def test_a_mask_without_a_valid_pixel_claims_no_clear_sky() -> None:
    record = records.record_of(mask=np.full((8, 8), MaskClass.MISSING, np.uint8))
    properties = items.item(record, ".")["properties"]
    assert properties["nimbostac:missing"] == 1
    assert not {"eo:cloud_cover", "nimbostac:clear", "nimbostac:cloud"} & set(properties)


def test_a_record_without_angles_makes_a_valid_item_without_them() -> None:
    record = records.record_of()
    source = record.source.model_copy(
        update=dict.fromkeys(
            ("sun_azimuth", "sun_elevation", "view_azimuth", "view_off_nadir", "datatake")
        )
    )
    document = beside(record.model_copy(update={"source": source}))
    schemas.check(document)
    assert not any(key.startswith("view:") for key in document["properties"])


def test_a_footprint_across_the_antimeridian_has_its_west_in_the_east() -> None:
    assert items.bbox(ACROSS) == (170.0, 40.0, -170.0, 50.0)
    document = beside(with_footprint(ACROSS))
    schemas.check(document)
    assert document["bbox"] == [170.0, 40.0, -170.0, 50.0]


def test_two_parts_that_only_touch_the_antimeridian_are_bounded_as_they_lie() -> None:
    parts = [ACROSS["coordinates"][0], [[[170, 0], [171, 0], [171, 1], [170, 0]]]]
    assert items.bbox({"type": "MultiPolygon", "coordinates": parts}) == (170, 0, 180, 50)


def test_a_new_engine_version_has_the_same_id_another_href_and_another_update_time() -> None:
    name = records.product_name()
    later = records.Made(version="1.0.1", created=datetime(2026, 5, 1, tzinfo=UTC))
    old = items.item(records.record_of(name), "s3://masks")
    new = items.item(records.record_of(name, made=later), "s3://masks")
    assert old["id"] == new["id"]
    assert old["assets"]["mask"]["href"] != new["assets"]["mask"]["href"]
    assert old["properties"]["updated"] < new["properties"]["updated"]
    assert (old["properties"]["version"], new["properties"]["version"]) == ("1.0.0", "1.0.1")


@pytest.mark.parametrize("platform", ["S2A", "S2B", "S2C", "S2D"])
def test_platforms_have_the_names_that_stac_clients_know(platform: str) -> None:
    plain = records.product_name()
    name = ProductName.parse(str(plain).replace("S2A", platform))
    properties = items.item(records.record_of(name), ".")["properties"]
    assert properties["platform"] == f"sentinel-2{platform[-1].lower()}"
