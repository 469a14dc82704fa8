"""From a product to files in storage: whole or not at all, and never twice."""

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import rasterio

from producer import engines, layout, mask_product
from producer.classes import MaskClass
from producer.engines import EngineOutput, Progress, Weights, silent
from producer.errors import MissingBandError, NoSpaceError, UnknownEngineError
from producer.masking import Masker, MaskOptions
from producer.record import MaskRecord
from producer.safe import Product
from producer.storage import Storage
from producer.synthetic import Scene, build

NAME = "S2A_MSIL1C_20170616T102021_N0205_R065_T33UUU_20170616T102204"


@dataclass
class Stripes:
    """An engine without a model: stripes of every class; counts how often it is asked."""

    name: str = "stripes"
    version: str = "1"
    level: str = "L1C"
    classes: tuple[MaskClass, ...] = (MaskClass.CLEAR, MaskClass.CLOUD)
    weights: Weights | None = field(default_factory=lambda: Weights("stripes.bin", "ab" * 32))
    asked: int = 0

    def mask(self, product: Product, progress: Progress = silent) -> EngineOutput:
        self.asked += 1
        progress("infer", 1, 1)
        height, width = product.grid.shape
        stripes = (np.arange(height) // 10 % 6).astype(np.uint8)
        return EngineOutput(np.repeat(stripes[:, None], width, axis=1), {"infer": 0.5})


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("product"), Scene(NAME, 240, 180)).path


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Stripes:
    stripes = Stripes()
    entry = replace(engines.ENTRIES[0], name="stripes")
    monkeypatch.setattr(engines, "entry", lambda _name: entry)
    monkeypatch.setattr(engines, "load", lambda _name, _level, _options: stripes)
    return stripes


def folder_of(record: MaskRecord, store: Path) -> Path:
    return next(store.rglob(record.files[layout.MASK].key)).parent


def test_every_file_is_what_the_record_says(product: Path, engine: Stripes, tmp_path: Path) -> None:
    record = mask_product(product, tmp_path, engine.name)
    folder = folder_of(record, tmp_path)
    assert set(record.files) == {"mask", "categories", "preview", "thumbnail"}
    for file in record.files.values():
        data = (folder / file.key).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.size, file.sha256)
    assert len(list(folder.iterdir())) == len(record.files) + 1
    with rasterio.open(folder / record.files["mask"].key) as dataset:
        counts = np.bincount(dataset.read(1).ravel(), minlength=6)
        assert dataset.tags()["WEIGHTS_SHA256"] == "ab" * 32
        assert dataset.tags()["PRODUCT"] == NAME
    assert {int(value): count for value, count in record.pixels.items()} == dict(enumerate(counts))


def test_the_record_beside_the_mask_is_the_one_that_was_returned(
    product: Path, engine: Stripes, tmp_path: Path
) -> None:
    record = mask_product(product, tmp_path, engine.name)
    path = next(tmp_path.rglob("*.json"))
    assert MaskRecord.parse(path.read_bytes(), "r.json") == record
    assert record.source.uri == product.as_uri()
    assert set(record.timings_s) == {"infer", "thumbnail", "preview", "cog", "total"}


def test_what_is_done_is_not_done_again(product: Path, engine: Stripes, tmp_path: Path) -> None:
    masker = Masker(tmp_path, engine.name)
    first = masker.mask(product)
    assert masker.mask(product) == first
    assert engine.asked == 1


def test_asked_to_it_is_done_again(product: Path, engine: Stripes, tmp_path: Path) -> None:
    mask_product(product, tmp_path, engine.name)
    mask_product(product, tmp_path, engine.name, options=MaskOptions(overwrite=True))
    assert engine.asked == 2


def test_threads_share_the_models_of_one_masker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []
    plain = engines.load
    monkeypatch.setattr(engines, "load", lambda *told: loads.append(told[0]) or plain(*told))
    scenes = [Scene(NAME.replace("33UUU", tile), 240, 180) for tile in ("33UUU", "33UVU", "33UVV")]
    paths = [build(tmp_path, scene).path for scene in scenes]
    masker = Masker(tmp_path / "many", "ukis-csmask")
    with ThreadPoolExecutor(3) as pool:
        records = list(pool.map(masker.mask, paths))
    assert loads == ["ukis-csmask"]
    for path, record in zip(paths, records, strict=True):
        alone = mask_product(path, tmp_path / "alone", "ukis-csmask")
        assert record.files["mask"].sha256 == alone.files["mask"].sha256
        assert record.pixels == alone.pixels


def test_another_version_of_the_engine_makes_files_of_its_own(
    product: Path, engine: Stripes, tmp_path: Path
) -> None:
    masker = Masker(tmp_path, engine.name)
    first = masker.mask(product)
    engine.version = "2"
    second = masker.mask(product)
    assert engine.asked == 2
    assert first.files["mask"].key != second.files["mask"].key
    assert len(list(tmp_path.rglob("*-[12].tif"))) == 2


@pytest.mark.parametrize("damage", ["cut", "gone", "record"])
def test_a_mask_that_is_not_whole_is_made_again(
    product: Path, engine: Stripes, tmp_path: Path, damage: str
) -> None:
    masker = Masker(tmp_path, engine.name)
    record = masker.mask(product)
    path = folder_of(record, tmp_path) / record.files["mask"].key
    whole = path.read_bytes()
    if damage == "cut":
        path.write_bytes(whole[:-1])
    elif damage == "gone":
        path.unlink()
    else:
        path.with_suffix(".json").write_text("{")
    masker.mask(product)
    assert engine.asked == 2
    assert path.read_bytes() == whole


def test_a_preview_is_made_only_where_it_is_wanted_and_added_later(
    product: Path, engine: Stripes, tmp_path: Path
) -> None:
    without = mask_product(product, tmp_path, engine.name, options=MaskOptions(preview=False))
    assert "preview" not in without.files
    assert "preview" in mask_product(product, tmp_path, engine.name).files


class Full(Storage):
    """A store whose disk is full after a number of files."""

    room = 0

    def put(self, key: str, data: bytes) -> None:
        if len([path for path in self.folder.rglob("*") if path.is_file()]) >= Full.room:
            raise NoSpaceError(key)
        super().put(key, data)


@pytest.mark.parametrize("room", range(5))
def test_a_disk_that_fills_up_at_any_file_leaves_no_record(
    product: Path, engine: Stripes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    store = Storage.from_url(str(tmp_path))
    monkeypatch.setattr(Full, "room", room)
    with pytest.raises(NoSpaceError):
        Masker(Full(store.url, store.store, store.folder), engine.name).mask(product)
    assert not list(tmp_path.rglob("*.json"))
    assert not list(tmp_path.rglob("*.part"))
    assert Masker(store, engine.name).mask(product).files


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("only root mounts a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_really_full_is_told_and_left_clean(
    product: Path, engine: Stripes, tiny_disk: Path
) -> None:
    (tiny_disk / "ballast").write_bytes(bytes(24 * 1024))
    with pytest.raises(NoSpaceError, match="what is done already is kept"):
        mask_product(product, tiny_disk, engine.name)
    left = [path for path in tiny_disk.rglob("*") if path.is_file()]
    assert not [path for path in left if path.name.startswith(".") or path.suffix == ".json"]
    (tiny_disk / "ballast").unlink()


def test_a_file_that_may_not_grow_is_told_too(
    product: Path, engine: Stripes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    # Where a file lies on another host, its quota is told at the end.
    monkeypatch.setattr(os, "fsync", refused)
    with pytest.raises(NoSpaceError):
        mask_product(product, tmp_path, engine.name)


def test_a_product_without_a_band_is_told_and_nothing_is_stored(tmp_path: Path) -> None:
    path = build(tmp_path / "in", Scene(NAME, 120, 120)).path
    next(path.rglob("*_B12.jp2")).unlink()
    with pytest.raises(MissingBandError, match="B12"):
        mask_product(path, tmp_path / "out", "ukis-csmask")
    assert not [found for found in (tmp_path / "out").rglob("*") if found.is_file()]


def test_an_engine_that_nobody_knows_is_told_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UnknownEngineError):
        Masker(tmp_path, "fmask")


def test_a_zip_and_a_folder_of_one_product_give_the_same_mask(tmp_path: Path) -> None:
    scene = Scene(NAME, 300, 300, seed=2)
    digests = set()
    for archive in (False, True):
        path = build(tmp_path / "in", scene, archive=archive).path
        record = mask_product(path, tmp_path / f"out-{archive}", "ukis-csmask")
        digests.add(record.files["mask"].sha256)
        assert record.software["ukis-csmask"] == "1.0.0"
        assert PurePosixPath(record.source.uri).suffix == (".zip" if archive else ".SAFE")
    assert len(digests) == 1


def test_masking_needs_no_service(tmp_path: Path) -> None:
    path = build(tmp_path, Scene(NAME, 60, 60)).path
    # What import does where a package is not installed.
    code = (
        "import sys; sys.modules.update(dict.fromkeys("
        "['fastapi', 'arq', 'redis', 'psycopg', 'torch', 'titiler', 'stac_fastapi']));"
        f"from producer import mask_product; mask_product({str(path)!r}, {str(tmp_path / 'out')!r})"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
    assert list((tmp_path / "out").rglob("*.json"))
