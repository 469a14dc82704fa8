import hashlib
import re
from pathlib import Path

import pytest

from producer.errors import ChecksumError
from producer.safe import verify
from tests.products import OLD_L1C, edit, flat_product, shared_data


def test_a_product_is_what_its_manifest_says_in_a_folder_or_a_zip(tmp_path: Path) -> None:
    assert verify(flat_product(tmp_path, OLD_L1C)) == 13 + 2
    assert verify(flat_product(tmp_path, OLD_L1C, archive=True)) == 13 + 2


def test_md5_is_known_too_and_an_unknown_sum_vouches_for_nothing(tmp_path: Path) -> None:
    safe = flat_product(tmp_path, OLD_L1C)
    manifest = safe / "manifest.safe"
    text = manifest.read_text()
    for band, algorithm in (("B02", "md5"), ("B05", "crc")):
        data = next(safe.rglob(f"*_{band}.jp2")).read_bytes()
        old = f'checksumName="SHA3-256">{hashlib.sha3_256(data).hexdigest()}'
        assert old in text
        new = hashlib.md5(data).hexdigest() if algorithm == "md5" else "00"
        text = text.replace(old, f'checksumName="{algorithm.upper()}">{new.upper()}', 1)
    manifest.write_text(text)
    assert verify(safe) == 13 + 2 - 1
    band = next(safe.rglob("*_B02.jp2"))
    data = bytearray(band.read_bytes())
    data[-10] ^= 1
    band.write_bytes(data)
    with pytest.raises(ChecksumError, match=r"B02\.jp2 has MD5 \w{32}, wanted"):
        verify(safe)


def test_several_files_are_counted_and_one_is_shown(tmp_path: Path) -> None:
    safe = flat_product(tmp_path, OLD_L1C)
    edit(safe, "MTD_MSIL1C.xml", OLD_L1C, OLD_L1C.lower())
    band = next(safe.rglob("*_B04.jp2"))
    band.write_bytes(band.read_bytes()[:-1])
    with pytest.raises(ChecksumError, match=r"MTD_MSIL1C\.xml has .*\(and 1 more") as failed:
        verify(safe)
    assert re.fullmatch(r"has \d+ bytes, wanted \d+", list(failed.value.wrong.values())[1])


def test_esas_own_sums_hold() -> None:
    """XML only: these products came without their pixels, and one with another manifest."""
    for path in sorted((shared_data() / "metadata").glob("*_N0[23]*.SAFE")):
        assert verify(path) == 2
