from datetime import UTC, datetime

import pytest

from producer.errors import ProductNameError
from producer.product import ProductName

NAME = "S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102204"


@pytest.mark.parametrize("ending", ["", ".SAFE", ".zip", ".SAFE.zip"])
def test_a_name_is_read_with_or_without_its_endings(ending: str) -> None:
    name = ProductName.parse(NAME + ending)
    assert name == ProductName(
        platform="S2A",
        level="L1C",
        sensed=datetime(2017, 2, 16, 10, 21, 1, tzinfo=UTC),
        baseline="0204",
        orbit=65,
        tile="33UUU",
        discriminator="20170216T102204",
    )


@pytest.mark.parametrize(
    "name",
    [
        NAME,
        "S2B_MSIL2A_20220413T150759_N0400_R025_T33XWJ_20220414T082126",
        "S2C_MSIL2A_20250501T000001_N0511_R001_T60KXV_20250501T000002",
        "S2D_MSIL1C_20280229T235959_N9999_R143_T01CCV_20280301T000000",
    ],
)
def test_a_name_is_written_as_it_was_read(name: str) -> None:
    assert str(ProductName.parse(name)) == name


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (NAME.replace("S2A", "S2E"), "compact name"),
        (NAME.replace("MSIL1C", "MSIL1B"), "compact name"),
        (NAME.replace("20170216T102101", "20170231T102101", 1), "no time"),
        (NAME.replace("R065", "R144"), "1 to 143"),
        (NAME.replace("R065", "R000"), "1 to 143"),
        (NAME.replace("T33UUU", "T61UUU"), "UTM zone"),
        (NAME.replace("T33UUU", "T33UIU"), "compact name"),
        (NAME + "/../x", "compact name"),
        (NAME + "\n", "compact name"),
        ("S2A_OPER_PRD_MSIL1C_PDMC_20160101T000000_R065_V20160101T102101", "compact name"),
        ("", "compact name"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason(wrong: str, why: str) -> None:
    with pytest.raises(ProductNameError, match=why):
        ProductName.parse(wrong)
