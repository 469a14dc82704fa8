from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.backfills.spec import BackfillSpec, StoredSpec
from ingest.errors import BackfillSpecError

PLACE = {"kind": "folder", "address": "/eodata"}
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}


def read(**told: Any) -> BackfillSpec:
    return BackfillSpec.read({"source": PLACE, **told})


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({"source": {"kind": "ftp", "address": "ftp://x"}}, "source"),
        ({"source": {"kind": "folder", "address": "eodata"}}, "not absolute"),
        ({"source": {"kind": "folder", "address": "/a", "also": ["b"]}}, "not absolute"),
        ({"source": {"kind": "bucket", "address": "/eodata"}}, "source.bucket.address"),
        ({"source": {"kind": "stac", "address": "file:///etc"}}, "source.stac.address"),
        ({"source": {"kind": "names"}}, "either a file"),
        ({"source": {"kind": "names", "address": "/a", "names": ["b"]}}, "either a file"),
        ({"source": {"kind": "names", "names": ["a"] * 20_001}}, "at most 20000"),
        ({"filters": {"tiles": ["33UUZ"]}}, "no MGRS tile '33UUZ'"),
        ({"filters": {"tiles": ["33U"]}}, "no MGRS tile"),
        ({"filters": {"start": "2020-05-02", "end": "2020-05-01"}}, "before it begins"),
        ({"filters": {"start": "yesterday"}}, "filters.start"),
        ({"filters": {"bbox": [0, 0, 1, 1], "geometry": SQUARE}}, "not both"),
        ({"filters": {"bbox": [0, 1, 1, 0]}}, "south < north"),
        ({"filters": {"geometry": {"type": "Point", "coordinates": [1, 2]}}}, "encloses no area"),
        ({"filters": {"level": "L3"}}, "filters.level"),
        ({"filters": {"baseline_min": "4"}}, "filters.baseline_min"),
        ({"filters": {"max_cloud": 101}}, "filters.max_cloud"),
        ({"filters": {"cloud": 10}}, "filters.cloud"),
        ({"priority": 10}, "priority"),
        ({"engine": ""}, "engine"),
        ({"versions": {"L1C": "9"}}, "versions"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(told: dict[str, Any], problem: str) -> None:
    with pytest.raises(BackfillSpecError) as caught:
        BackfillSpec.read({"source": PLACE, **told})
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tiles_may_be_written_as_people_do() -> None:
    assert read(filters={"tiles": ["t33uuu", "33UUU"]}).filters.tiles == ("33UUU", "33UUU")


@given(
    st.builds(
        dict,
        tiles=st.lists(st.sampled_from(["33UUU", "T34UCD"])),
        start=st.none() | st.dates().map(str),
        bbox=st.none() | st.just([170.0, -10.0, -170.0, 10.0]),
        level=st.sampled_from([None, "L1C", "L2A"]),
        max_cloud=st.none() | st.floats(0, 100),
    ),
    st.sampled_from(
        [
            PLACE,
            {"kind": "bucket", "address": "s3://eodata/x"},
            {"kind": "stac", "address": "https://x/stac", "collections": ["a"], "root": "/e"},
            {"kind": "names", "names": ["a", "b"]},
        ]
    ),
)
def test_what_was_asked_comes_back_from_the_ledger_as_it_was(
    filters: dict[str, Any], place: dict[str, Any]
) -> None:
    asked = BackfillSpec.read({"source": place, "filters": filters})
    stored = StoredSpec.read(asked.model_dump(mode="json"))
    assert stored.source == asked.source
    assert stored.filters == asked.filters
    assert stored.model_dump(mode="json").items() >= asked.model_dump(mode="json").items()
