"""Many small objects at once: whole, only where something changes, kept before they are told of."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from obstore.store import MemoryStore

from ingest import writing
from ingest.lanes.publish import Publisher
from ingest.writing import together
from producer.errors import StorageError
from producer.storage import Storage
from tests import records

KEY = "a/b/thing.item.json"


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return Storage.from_url(str(tmp_path / "masks"))
    return Storage("memory://masks", MemoryStore(), None)


@contextmanager
def files_no_longer_than(most: int) -> Iterator[None]:
    """Have the system refuse to write further than this, as a disk does that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_objects_are_there_and_replaced_where_they_differ(place: Storage) -> None:
    place.put(KEY, b"old")
    with together(place) as writer:
        writer.put(KEY, b"new")
        writer.put(f"{KEY}.more", b"more")
    assert (place.get(KEY), place.get(f"{KEY}.more")) == (b"new", b"more")


def test_what_is_there_as_it_should_be_is_not_written_again(place: Storage) -> None:
    place.put(KEY, b"the same")
    before = place.head(KEY)
    with together(place) as writer:
        writer.put(KEY, b"the same")
    assert place.head(KEY) == before


def test_an_object_that_cannot_be_written_whole_leaves_what_was_there(tmp_path: Path) -> None:
    store = Storage.from_url(str(tmp_path))
    store.put(KEY, b"old")
    with together(store) as writer:
        with files_no_longer_than(1000), pytest.raises(StorageError, match="cannot write"):
            writer.put(KEY, b"x" * 2000)
        writer.put(f"{KEY}.more", b"more")
    assert store.get(KEY) == b"old"
    assert sorted(path.name for path in (tmp_path / "a/b").iterdir()) == [
        "thing.item.json",
        "thing.item.json.more",
    ]


def test_nothing_has_its_name_before_it_is_kept(tmp_path: Path) -> None:
    store = Storage.from_url(str(tmp_path))
    store.put(KEY, b"old")
    with together(store) as writer:
        writer.put(KEY, b"new")
        assert store.get(KEY) == b"old"
    assert store.get(KEY) == b"new"


def test_what_is_broken_off_leaves_nothing(tmp_path: Path) -> None:
    store = Storage.from_url(str(tmp_path))
    store.put(KEY, b"old")

    def break_off() -> None:
        with together(store) as writer:
            writer.put(KEY, b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert store.get(KEY) == b"old"
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["thing.item.json"]


def test_a_storage_that_goes_away_meanwhile_is_told_as_such(tmp_path: Path) -> None:
    folder = tmp_path / "masks"
    store = Storage.from_url(str(folder))
    store.put(KEY, b"old")

    def lose() -> None:
        with together(store) as writer:
            writer.put(KEY, b"new")
            folder.rename(tmp_path / "away")
            folder.touch()

    with pytest.raises(StorageError, match="Not a directory"):
        lose()


@pytest.mark.usefixtures("pgstac")
def test_items_that_are_not_kept_for_good_are_told_to_nobody(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = records.stored_mask(store)
    publisher = Publisher(store)

    def items() -> int:
        with psycopg.connect(autocommit=True) as connection:
            return len(connection.execute("SELECT FROM pgstac.items").fetchall())

    def refuse(folder: Path) -> None:
        raise OSError(5, "Input/output error", str(folder))

    with monkeypatch.context() as patch:
        patch.setattr(writing, "_keep", refuse)
        with pytest.raises(StorageError, match="Input/output error"):
            publisher.publish([mask.record_key])
    assert items() == 0
    assert publisher.publish([mask.record_key]) == {}
    assert items() == 1
    publisher.close()
