import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from producer.errors import NoSpaceError, StorageError
from producer.storage import Storage, StoredObject


@pytest.fixture
def folder(tmp_path: Path) -> Storage:
    """A local folder with a blank in its name, inside one whose rest must stay as it is."""
    return Storage.from_url(str(tmp_path / "my masks"))


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, folder: Storage) -> Iterator[Storage]:
    if request.param == "folder":
        yield folder
    else:
        yield Storage("s3://bucket/prefix", MemoryStore(), None)


def test_what_was_put_is_got_and_seen(storage: Storage) -> None:
    storage.put("a/b/mask.tif", b"pixels")
    assert storage.get("a/b/mask.tif") == b"pixels"
    seen = storage.head("a/b/mask.tif")
    assert seen is not None
    assert (seen.key, seen.size) == ("a/b/mask.tif", 6)
    assert list(storage.list()) == [seen]
    storage.put("a/b/mask.tif", b"other pixels")
    assert storage.get("a/b/mask.tif") == b"other pixels"


def test_what_is_not_there_is_none_to_see_and_an_error_to_get(storage: Storage) -> None:
    assert storage.head("a/b") is None
    assert list(storage.list("a")) == []
    with pytest.raises(StorageError, match=r"cannot read .*/a/b"):
        storage.get("a/b")


def test_what_was_removed_is_gone_and_removing_it_again_does_nothing(storage: Storage) -> None:
    storage.put("a/b", b"1")
    storage.delete("a/b")
    storage.delete("a/b")
    assert storage.head("a/b") is None


def test_a_listing_goes_by_whole_folders_and_by_endings(storage: Storage) -> None:
    for key in ("a/b/1.tif", "a/b/1.json", "a/bc/2.json", "a/b/d/3.json"):
        storage.put(key, key.encode())
    assert {found.key for found in storage.list("a/b", ".json")} == {"a/b/1.json", "a/b/d/3.json"}
    assert len(list(storage.list())) == 4


def test_an_address_and_its_key_lead_to_each_other(storage: Storage) -> None:
    href = storage.href("a/b/mask.tif")
    assert href == f"{storage.url}/a/b/mask.tif"
    assert storage.key(href) == "a/b/mask.tif"


def test_a_failure_leaves_what_was_there_before_and_nothing_else(storage: Storage) -> None:
    storage.put("a/mask.tif", b"good")

    def fail(part: Path) -> None:
        part.write_bytes(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), storage.staged("a/mask.tif") as part:
        fail(part)
    assert storage.get("a/mask.tif") == b"good"
    assert [found.key for found in storage.list()] == ["a/mask.tif"]


def test_nothing_is_seen_under_the_key_before_it_is_whole(storage: Storage) -> None:
    with storage.staged("a/mask.tif") as part:
        part.write_bytes(b"half")
        assert storage.head("a/mask.tif") is None
        assert list(storage.list()) == []
        part.write_bytes(b"whole")
    assert storage.get("a/mask.tif") == b"whole"


def test_a_block_that_writes_nothing_is_an_error(storage: Storage) -> None:
    with pytest.raises(StorageError), storage.staged("a/mask.tif"):
        pass
    assert storage.head("a/mask.tif") is None


def test_a_full_disk_is_told_apart_and_leaves_nothing(folder: Storage) -> None:
    def fill(part: Path) -> None:
        part.write_bytes(b"half")
        # A device that is always full: the error is the kernel's own.
        with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
            full.write(b"more")

    with pytest.raises(NoSpaceError, match="free some"), folder.staged("a/mask.tif") as part:
        fill(part)
    assert folder.folder is not None
    assert [path for path in folder.folder.rglob("*") if path.is_file()] == []


def test_threads_that_write_the_same_object_leave_one_of_theirs(folder: Storage) -> None:
    barrier = threading.Barrier(8)
    bodies = [bytes([number]) * 50_000 for number in range(8)]

    def write(body: bytes) -> None:
        with folder.staged("a/mask.tif") as part:
            part.write_bytes(body)
            barrier.wait()

    threads = [threading.Thread(target=write, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert folder.get("a/mask.tif") in bodies
    assert [found.key for found in folder.list()] == ["a/mask.tif"]


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}", "~/masks"])
def test_a_folder_may_be_named_in_any_usual_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    storage = Storage.from_url(form.format(tmp_path / "masks"))
    assert storage.folder == tmp_path / "masks"
    assert storage.url == f"file://{tmp_path}/masks"
    assert storage.folder.is_dir()


def test_a_blank_in_a_folder_survives_the_way_through_its_address(folder: Storage) -> None:
    folder.put("a", b"1")
    assert "my%20masks" in folder.url
    assert Storage.from_url(folder.url).get("a") == b"1"


def test_a_bucket_is_no_folder() -> None:
    storage = Storage.from_url("s3://bucket/some/prefix/")
    assert storage.url == "s3://bucket/some/prefix"
    assert storage.folder is storage.path("a") is None


@pytest.mark.parametrize(
    "url",
    ["", "ftp://host/folder", "http://host/folder", "s3://", "file://host/folder", "/dev/null/x"],
)
def test_an_address_of_no_known_kind_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(StorageError) as caught:
        Storage.from_url(url)
    assert "\n" not in str(caught.value)


OUTSIDE = [
    "../outside",
    "a/../../outside",
    "{outside}",
    "a//b",
    "a/",
    ".",
    "a/./b",
    "",
    "a\0b",
]


@pytest.mark.parametrize("key", OUTSIDE)
def test_a_key_never_leads_out_of_storage(folder: Storage, tmp_path: Path, key: str) -> None:
    # Absolute keys are tried on a file of the test's own: the fault that is guarded against
    # overwrites whatever it is given.
    outside = tmp_path / "outside"
    outside.write_bytes(b"untouched")
    key = key.format(outside=outside)
    for act in (folder.get, folder.head, folder.delete, folder.path, folder.href):
        with pytest.raises(StorageError, match="is no key"):
            act(key)
    with pytest.raises(StorageError, match="is no key"):
        folder.put(key, b"overwritten")
    with pytest.raises(StorageError):
        folder.key(f"{folder.url}/{key}")
    assert outside.read_bytes() == b"untouched"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my masks", "outside"]


def test_an_address_elsewhere_has_no_key(storage: Storage) -> None:
    for href in (f"{storage.url}2/a", "s3://other/a", storage.url, "a"):
        with pytest.raises(StorageError, match="lies outside"):
            storage.key(href)


def test_what_storage_says_of_an_object_can_be_compared(storage: Storage) -> None:
    storage.put("a", b"1")
    first = storage.head("a")
    storage.put("a", b"22")
    second = storage.head("a")
    assert isinstance(first, StoredObject)
    assert isinstance(second, StoredObject)
    assert first.etag != second.etag
