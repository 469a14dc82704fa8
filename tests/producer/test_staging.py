"""Products in a bucket, on a server that speaks S3, and zips on a web server."""

import hashlib
import shutil
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import GenericError
from obstore.store import ObjectStore, from_url

from producer import download, staging
from producer.errors import (
    ChecksumError,
    NoSpaceError,
    StagingError,
    StagingRefusedError,
)
from producer.safe import open_product
from producer.staging import fetch, is_remote
from tests import buckets
from tests.products import NEW_L2A, OLD_L1C, edit, flat_product

ADDRESS = f"s3://products/deep/folder/{OLD_L1C}.SAFE"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with buckets.bucket("products") as address:
        yield address


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a product with what ESA's have besides: pictures, pages, auxiliary files."""
    path = flat_product(tmp_path_factory.mktemp("safe"), OLD_L1C)
    granule = next(path.glob("GRANULE/*"))
    extra = [
        granule / "IMG_DATA" / "T35VLF_20200509T094041_TCI.jp2",
        granule / "AUX_DATA" / "AUX_ECMWFT",
        granule / "QI_DATA" / "MSK_CLOUDS_B00.gml",
        path / "HTML" / "UserProduct_index.html",
    ]
    streams = []
    for file in extra:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"not needed")
        place = f'<fileLocation href="./{file.relative_to(path)}"/>'
        streams.append(f'<dataObject><byteStream size="10">{place}</byteStream></dataObject>')
    edit(path, "manifest.safe", "</dataObjectSection>", f"{''.join(streams)}</dataObjectSection>")
    return path


@pytest.fixture
def remote(bucket: str, safe: Path) -> Iterator[ObjectStore]:
    """Put the product into the bucket; whatever a test does to it is undone."""
    store = from_url(ADDRESS)
    for file in safe.rglob("*"):
        if file.is_file():
            obstore.put(store, file.relative_to(safe).as_posix(), file)
    yield store
    obstore.delete(store, [meta["path"] for page in obstore.list(store) for meta in page])


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_what_lies_elsewhere_is_told_from_what_lies_here() -> None:
    for source in (ADDRESS, "gs://b/x.SAFE", "az://b/x.zip", "https://host/x.zip", "http://h/x"):
        assert is_remote(source)
    for source in ("/data/x.SAFE", "x.zip", "file:///data/x.SAFE", "C:/x", "@list.txt"):
        assert not is_remote(source)


def test_a_product_comes_whole_but_for_what_masking_never_reads(
    remote: ObjectStore, safe: Path, tmp_path: Path
) -> None:
    told: list[tuple[str, int, int]] = []
    path = fetch(ADDRESS, tmp_path / "scratch", lambda *news: told.append(news))
    assert path == tmp_path / "scratch" / f"{OLD_L1C}.SAFE"
    needless = ("TCI", "AUX_", "MSK_", "HTML")
    wanted = {
        name: digest
        for name, digest in digests(safe).items()
        if not any(part in name for part in needless)
    }
    assert len(wanted) == 13 + 3
    assert digests(path) == wanted
    assert open_product(path).bands.keys() == open_product(safe).bands.keys()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    total = sum((path / name).stat().st_size for name in wanted if name != "manifest.safe")
    assert (told[0], told[-1]) == (("fetch", 0, total), ("fetch", total, total))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_of_level_2a_each_band_comes_once(bucket: str, tmp_path: Path) -> None:
    safe = flat_product(tmp_path, NEW_L2A)
    coarse = next(safe.glob("GRANULE/*/IMG_DATA/R20m")) / "T35VLF_20230509T094041_B02_20m.jp2"
    coarse.write_bytes(b"twice as coarse")
    place = f'<fileLocation href="./{coarse.relative_to(safe)}"/></byteStream></dataObject>'
    edit(
        safe,
        "manifest.safe",
        "</dataObjectSection>",
        f"<dataObject><byteStream>{place}</dataObjectSection>",
    )
    address = f"{bucket}/{safe.name}"
    store = from_url(address)
    for file in safe.rglob("*"):
        if file.is_file():
            obstore.put(store, file.relative_to(safe).as_posix(), file)
    path = fetch(address, tmp_path / "scratch")
    assert not (path / coarse.relative_to(safe)).exists()
    assert {band.resolution_m for band in open_product(path).bands.values()} == {10, 20, 60}
    assert open_product(path).bands["B02"].resolution_m == 10


def test_a_product_that_is_there_is_not_fetched_again(
    remote: ObjectStore, tmp_path: Path, requests: list[str]
) -> None:
    path = fetch(ADDRESS, tmp_path)
    seen = len(requests)
    assert seen > 13
    assert fetch(ADDRESS, tmp_path) == path
    assert len(requests) == seen


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what is asked of the bucket, and fail from the moment that ``"break"`` is in there."""
    seen: list[str] = []
    plain = obstore.get

    def noted(store: ObjectStore, key: str, **named: Any) -> Any:
        first, last = named.get("options", {}).get("range", (0, 0))
        if last > 1 and "break" in seen:
            raise GenericError("503 Slow Down")
        seen.append(f"{key} {first} {last}")
        return plain(store, key, **named)

    monkeypatch.setattr(obstore, "get", noted)
    return seen


def test_what_broke_off_goes_on_and_what_is_whole_is_not_fetched_again(
    remote: ObjectStore,
    safe: Path,
    tmp_path: Path,
    requests: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(download, "CHUNK_BYTES", 100)
    monkeypatch.setattr(staging, "_AT_ONCE", 1)

    def breaking(_step: str, done: int, total: int) -> None:
        if done > total // 2:
            requests.append("break")

    with pytest.raises(StagingError, match="Slow Down") as failed:
        fetch(ADDRESS, tmp_path, breaking)
    assert failed.value.passing
    assert not list(tmp_path.glob("S2*"))
    requests.clear()
    told: list[int] = []
    path = fetch(ADDRESS, tmp_path, lambda _, done, total: told.append(total - done))
    whole = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    asked = [tuple(map(int, request.split()[1:])) for request in requests]
    came = sum(last - first for first, last in asked if last > 1)
    manifest = (path / "manifest.safe").stat().st_size
    assert came - manifest <= (whole - manifest) // 2 + 200
    assert told[-1] == 0
    assert digests(path).items() <= digests(safe).items()


def test_a_part_is_never_taken_for_a_whole(remote: ObjectStore, safe: Path, tmp_path: Path) -> None:
    """A file that some other program left short, under the name of the whole."""
    work = tmp_path / f".{OLD_L1C}.SAFE.staging" / f"{OLD_L1C}.SAFE"
    band = next(safe.rglob("*_B02.jp2"))
    short = work / band.relative_to(safe)
    short.parent.mkdir(parents=True)
    short.write_bytes(band.read_bytes()[:-1])
    path = fetch(ADDRESS, tmp_path)
    assert digests(path).items() <= digests(safe).items()


def test_what_is_of_the_right_size_but_damaged_is_fetched_once_more(
    remote: ObjectStore, safe: Path, tmp_path: Path
) -> None:
    work = tmp_path / f".{OLD_L1C}.SAFE.staging" / f"{OLD_L1C}.SAFE"
    band = next(safe.rglob("*_B02.jp2"))
    damaged = work / band.relative_to(safe)
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(bytes(band.stat().st_size))
    path = fetch(ADDRESS, tmp_path)
    assert digests(path).items() <= digests(safe).items()


def test_a_band_that_is_damaged_in_the_bucket_is_told_by_name(
    remote: ObjectStore, safe: Path, tmp_path: Path
) -> None:
    band = next(safe.rglob("*_B11.jp2"))
    key = band.relative_to(safe).as_posix()
    data = bytearray(band.read_bytes())
    data[len(data) // 2] ^= 1
    obstore.put(remote, key, bytes(data))
    with pytest.raises(ChecksumError, match=r"^s3://.*B11\.jp2 has SHA3-256 .*wanted") as failed:
        fetch(ADDRESS, tmp_path)
    assert not failed.value.passing
    assert list(failed.value.wrong) == [key]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("gone", ["all", "manifest.safe", "B03"])
def test_what_is_not_there_will_not_be_there_later(
    remote: ObjectStore, tmp_path: Path, gone: str
) -> None:
    keys = [meta["path"] for page in obstore.list(remote) for meta in page]
    obstore.delete(remote, [key for key in keys if gone == "all" or gone in key])
    with pytest.raises(StagingRefusedError, match=f"{OLD_L1C}.SAFE cannot be fetched") as failed:
        fetch(ADDRESS, tmp_path)
    assert not failed.value.passing
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_too_small_is_told_before_anything_comes(
    remote: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=5000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(NoSpaceError, match="free some"):
        fetch(ADDRESS, tmp_path)
    assert not list(tmp_path.iterdir())


def test_two_that_want_the_same_product_fetch_it_once(
    remote: ObjectStore, tmp_path: Path, requests: list[str]
) -> None:
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(fetch(ADDRESS, tmp_path))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 3
    assert len(requests) == len(set(requests))


def test_a_zip_in_a_bucket_comes_as_it_is(bucket: str, tmp_path: Path) -> None:
    archive = flat_product(tmp_path / "in", OLD_L1C, archive=True)
    obstore.put(from_url(bucket), f"zips/{archive.name}", archive)
    path = fetch(f"{bucket}/zips/{archive.name}", tmp_path / "out")
    assert path.name == archive.name
    assert path.read_bytes() == archive.read_bytes()
    with pytest.raises(StagingRefusedError, match="not found"):
        fetch(f"{bucket}/zips/{archive.name}x.zip", tmp_path / "out")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Serve ``tmp_path / "site"`` as the simplest of web servers does: without ranges."""
    folder = tmp_path / "site"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_zip_comes_from_the_simplest_web_server_whatever_its_name(
    site: str, tmp_path: Path
) -> None:
    archive = flat_product(tmp_path / "in", OLD_L1C, archive=True)
    (tmp_path / "site" / "download").write_bytes(archive.read_bytes())
    path = fetch(f"{site}/download?token=a/b%20c", tmp_path / "out")
    assert path.suffix == ".zip"
    assert path.read_bytes() == archive.read_bytes()
    other = fetch(f"{site}/download?token=other", tmp_path / "out")
    assert other != path


def test_a_page_instead_of_a_product_is_refused_and_not_kept(site: str, tmp_path: Path) -> None:
    (tmp_path / "site" / "x.zip").write_text("<html>log in first</html>")
    with pytest.raises(StagingRefusedError, match="no product: the zip is broken") as failed:
        fetch(f"{site}/x.zip", tmp_path / "out")
    assert "x.zip cannot be fetched" in str(failed.value)
    assert not list((tmp_path / "out").iterdir())


def test_a_damaged_zip_is_told(site: str, tmp_path: Path) -> None:
    archive = flat_product(tmp_path / "in", OLD_L1C, archive=True)
    with zipfile.ZipFile(archive) as members:
        band = next(info for info in members.infolist() if "_B05" in info.filename)
    data = bytearray(archive.read_bytes())
    data[band.header_offset + len(band.filename) + 60] ^= 1
    (tmp_path / "site" / archive.name).write_bytes(data)
    with pytest.raises(StagingRefusedError, match=r"broken at .*_B05\.jp2.*CRC"):
        fetch(f"{site}/{archive.name}", tmp_path / "out")


def test_a_server_that_does_not_answer_may_answer_later(tmp_path: Path) -> None:
    with pytest.raises(StagingError, match=r"127\.0\.0\.1:1") as failed:
        fetch("http://127.0.0.1:1/x.zip", tmp_path)
    assert failed.value.passing


@pytest.mark.parametrize("source", ["s3://", "s3://bucket", "ftp://host/x.zip", "x.SAFE"])
def test_what_is_no_address_of_a_product_is_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(StagingRefusedError, match="wanted s3://bucket"):
        fetch(source, tmp_path)
