from datetime import UTC, datetime
from typing import Any

import pystac
import pytest

from ingest import collection, items
from ingest.extent import BBox, Extent
from producer.classes import CLASSES, MaskClass
from producer.record import EngineRecord
from tests import records
from tests.ingest import schemas

UKIS = EngineRecord(
    name="ukis-csmask",
    version="1.0.0",
    classes=(MaskClass.CLEAR, MaskClass.CLOUD_SHADOW, MaskClass.CLOUD),
)
DAY = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def document() -> dict[str, Any]:
    return collection.collection(UKIS, "L1C", collection.FULL_EXTENT)


def test_a_collection_is_valid_stac_with_every_extension_that_it_lists(
    document: dict[str, Any],
) -> None:
    schemas.check(document)


def test_an_engine_that_nobody_described_still_makes_a_valid_collection() -> None:
    engine = EngineRecord(name="homegrown", version="1", classes=(MaskClass.CLEAR,))
    document = collection.collection(engine, "L2A", collection.FULL_EXTENT)
    schemas.check(document)
    assert document["id"] == "homegrown-l2a"


def test_classes_are_those_that_the_engine_can_tell_apart_and_what_frames_them(
    document: dict[str, Any],
) -> None:
    told = document["item_assets"]["mask"]["classification:classes"]
    assert [one["value"] for one in told] == [0, 1, 2, 4, 5]
    assert [one["value"] for one in told if one.get("nodata")] == [0]
    colors = {int(info.value): info.hex for info in CLASSES}
    assert all(one["color_hint"] == colors[one["value"]] for one in told)


def test_the_mask_is_rendered_in_the_colours_of_its_classes(document: dict[str, Any]) -> None:
    colormap = document["renders"]["mask"]["colormap"]
    assert colormap == {str(int(info.value)): list(info.color) for info in CLASSES}
    assert document["renders"]["mask"]["resampling"] == "nearest"


def test_every_asset_that_an_item_may_have_is_described_as_the_item_has_it(
    document: dict[str, Any],
) -> None:
    record = records.record_of().model_copy(update={"engine": UKIS})
    assets = items.item(record, ".")["assets"]
    for key, asset in assets.items():
        described = document["item_assets"][key]
        assert {name: asset[name] for name in described} == described
    assert set(assets) <= set(document["item_assets"])


def test_pystac_reads_a_collection(document: dict[str, Any]) -> None:
    read = pystac.Collection.from_dict(document)
    assert read.id == "ukis-csmask-l1c"
    assert read.license == "other"
    assert [link.rel for link in read.links if link.rel == "license"] == ["license"]
    assert set(read.item_assets) == {"mask", "preview", "thumbnail", "categories", "metadata"}


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ((1, 2, 3, 4), (2, 1, 5, 3), (1, 1, 5, 4)),
        ((170, 40, -170, 50), (1, 2, 3, 4), (-180, 2, 180, 50)),
        ((170, 40, -170, 50), (170, 40, -170, 50), (-180, 40, 180, 50)),
    ],
)
def test_an_extent_reaches_around_both(one: BBox, other: BBox, both: BBox) -> None:
    union = Extent(one, DAY, DAY).union(Extent(other, DAY, DAY))
    assert union.bbox == both


def test_an_extent_reads_back_what_it_wrote() -> None:
    extent = Extent((1.0, 2.0, 3.0, 4.0), DAY, datetime(2021, 1, 1, 0, 0, 0, 5, tzinfo=UTC))
    assert Extent.of_collection({"extent": extent.to_stac()}) == extent
