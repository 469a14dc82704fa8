"""Records: what is written is what is read, and nonsense is told as such."""

from datetime import UTC, datetime

import pytest

from producer.classes import MaskClass
from producer.errors import RecordError
from producer.record import EngineRecord, GridRecord, MaskRecord, SourceRecord, share

RECORD = MaskRecord(
    product="P",
    level="L1C",
    created=datetime(2026, 1, 2, tzinfo=UTC),
    engine=EngineRecord(name="e", version="1", classes=(MaskClass.CLEAR, MaskClass.CLOUD)),
    software={"numpy": "2"},
    source=SourceRecord(
        name="P",
        uri="file:///P.SAFE",
        sensed=datetime(2017, 2, 16, tzinfo=UTC),
        baseline="02.04",
        footprint={"type": "Polygon", "coordinates": []},
    ),
    grid=GridRecord(epsg=32633, transform=(10, 0, 0, 0, -10, 0), shape=(10, 10)),
    pixels={MaskClass.NO_DATA: 20, MaskClass.CLEAR: 30, MaskClass.CLOUD: 30, MaskClass.MISSING: 20},
    files={},
    timings_s={"total": 1.5},
)


def test_a_record_survives_json() -> None:
    assert MaskRecord.parse(RECORD.model_dump_json(), "r.json") == RECORD


def test_what_a_later_version_adds_is_passed_over() -> None:
    text = RECORD.model_dump_json().replace('"product":"P"', '"product":"P","mood":"good"', 1)
    assert MaskRecord.parse(text, "r.json") == RECORD


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "r.json: no mask record of ours: the whole"),
        ("{}", "product: Field required"),
        (
            RECORD.model_dump_json().replace('"record_version":1', '"record_version":9'),
            "record_version",
        ),
    ],
)
def test_what_is_no_record_says_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(RecordError, match=told):
        MaskRecord.parse(text, "r.json")


def test_shares_of_the_sky_are_of_the_valid_pixels_and_missing_of_the_product() -> None:
    assert RECORD.share(MaskClass.CLOUD) == 0.5
    assert RECORD.share(MaskClass.SEMI_TRANSPARENT) == 0.0
    assert RECORD.share(MaskClass.MISSING) == 0.25


def test_a_mask_without_a_valid_pixel_has_no_share_of_anything() -> None:
    assert share({MaskClass.NO_DATA: 9}, MaskClass.CLOUD) == 0.0
