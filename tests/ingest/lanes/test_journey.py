import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingest import ledger
from ingest.items import ITEM_SUFFIX
from ingest.ledger import Lane
from producer.engines import Progress
from producer.layout import METADATA, SUFFIXES
from producer.record import MaskRecord
from producer.storage import Storage
from tests.ingest.lanes import engine
from tests.ingest.lanes.platform import (
    ENGINE,
    Platform,
    all_in,
    catalogue,
    name,
    rows,
    settings,
    states,
    want,
    wish,
)


def test_products_are_masked_stored_and_published(tmp_path: Path, store: Storage) -> None:
    want(wish(tmp_path, number) for number in range(12))
    Platform(settings()).until(all_in("done"))
    names = sorted(name(number) for number in range(12))
    assert catalogue() == names
    for product, row in rows().items():
        assert row["engine_version"] == "1.0.0"
        assert product in row["record"]
        assert store.head(row["record"]) is not None
        assert set(row["timings"]) >= {"infer", "publish"}
    assert len(list(store.list("", ".item.json"))) == 12


def test_items_lie_ready_before_publishers_look_at_them(tmp_path: Path, store: Storage) -> None:
    want(wish(tmp_path, number) for number in range(3))

    def files() -> dict[Path, tuple[int, bytes]]:
        # A file that is written anew is another one, with a number of its own.
        found = sorted(Path(store.folder or "").rglob("*.item.json"))
        return {path: (path.stat().st_ino, path.read_bytes()) for path in found}

    def masked() -> bool:
        return all(row["record"] for row in rows().values())

    Platform(settings(), lanes=(Lane.MASK,)).until(masked)
    written = files()
    assert len(written) == 3
    Platform(settings(), lanes=(Lane.PUBLISH,)).until(all_in("done"))
    assert files() == written


def test_a_live_product_overtakes_what_waits_in_the_queue(tmp_path: Path) -> None:
    want(wish(tmp_path, number, "slow-0.2-") for number in range(6))

    def overtake() -> bool:
        # Only once the others are queued, and the queue is as full as it may be.
        if "queued" not in states().values():
            return False
        want([wish(tmp_path, 99)], priority=0)
        return True

    told = settings(queue_high=6, queue_low=1)
    Platform(told).until(overtake)
    Platform(told).until(all_in("done"))
    finished = sorted(rows().values(), key=lambda row: row["updated"])
    assert name(99) in [row["product"] for row in finished[:4]]


@pytest.mark.parametrize(("device", "at_once"), [("cpu", 1), ("cuda:0", 2)])
def test_a_gpu_has_its_next_product_begun_beside_the_first_and_a_cpu_has_not(
    tmp_path: Path, store: Storage, device: str, at_once: int
) -> None:
    want(wish(tmp_path, number, "slow-0.3-") for number in range(5))
    inside: list[int] = []
    counted: list[int] = []

    class Counting(engine.Masker):
        def mask(self, source: str, progress: Progress, *, origin: str | None = None) -> MaskRecord:
            inside.append(1)
            counted.append(len(inside))
            try:
                return super().mask(source, progress, origin=origin)
            finally:
                inside.pop()

    def load(name: str) -> Counting:
        return Counting(store, name)

    Platform(settings(), load_masker=load, device=device).until(all_in("done"))
    assert max(counted) == at_once
    assert len(catalogue()) == 5


def test_what_may_pass_is_tried_again_until_it_has_passed(tmp_path: Path) -> None:
    want([wish(tmp_path, 1, "away-3-")])
    Platform(settings()).until(all_in("done"))
    assert catalogue() == [name(1)]
    assert (tmp_path / f"away-3-{name(1)}.SAFE.tries").read_text() == "3"


def test_what_does_not_pass_in_time_fails_with_its_reason(tmp_path: Path) -> None:
    want([wish(tmp_path, 1, "away-9-")])
    Platform(settings(tries=3)).until(all_in("failed"))
    row = rows()[name(1)]
    assert (row["error_kind"], row["attempts"]) == ("NoSpaceError", 3)
    assert "no space left" in row["error"]


@pytest.mark.parametrize(
    ("manner", "kind"), [("corrupt-", "BandReadError"), ("bug-", "ZeroDivisionError")]
)
def test_what_cannot_pass_is_tried_once_and_the_others_go_on(
    manner: str, kind: str, tmp_path: Path
) -> None:
    want([wish(tmp_path, 1, manner), wish(tmp_path, 2)])
    Platform(settings()).until(all_in("done", "failed"))
    row = rows()[name(1)]
    assert (row["state"], row["error_kind"], row["attempts"]) == ("failed", kind, 1)
    assert catalogue() == [name(2)]


def test_a_product_that_is_not_where_it_was_is_waited_for(tmp_path: Path) -> None:
    gone = wish(tmp_path, 1)
    Path(gone.source).unlink()
    want([gone])

    def mounted() -> bool:
        if rows()[name(1)]["error_kind"] != "SourceGoneError":
            return False
        Path(gone.source).touch()
        return True

    told = settings(tries=100, retry_s=0.001)
    Platform(told).until(mounted)
    Platform(told).until(all_in("done"))


def test_one_record_that_will_not_do_fails_alone(tmp_path: Path, store: Storage) -> None:
    want(wish(tmp_path, number) for number in range(8))
    Platform(settings(), lanes=[Lane.STAGE, Lane.MASK]).until(
        lambda: all(row["record"] for row in rows().values())
    )
    store.put(rows()[name(3)]["record"], b"{}")
    Platform(settings(), lanes=[Lane.PUBLISH]).until(all_in("done", "failed"))
    assert states() == {name(n): "failed" if n == 3 else "done" for n in range(8)}
    assert rows()[name(3)]["error_kind"] == "RecordError"
    assert catalogue() == sorted(name(n) for n in range(8) if n != 3)


# No text of PostgreSQL may hold a zero byte; a ring of two points bounds nothing.
@pytest.mark.parametrize(
    "broken",
    [
        {"datatake": "\0"},
        {"footprint": {"type": "Polygon", "coordinates": [[[12.0, 52.0], [13.0, 53.0]]]}},
    ],
)
def test_an_item_that_the_database_refuses_fails_alone(
    tmp_path: Path, store: Storage, broken: dict[str, Any]
) -> None:
    want(wish(tmp_path, number) for number in range(8))
    Platform(settings(), lanes=[Lane.STAGE, Lane.MASK]).until(
        lambda: all(row["record"] for row in rows().values())
    )
    key = rows()[name(3)]["record"]
    record = json.loads(store.get(key))
    record["source"] |= broken
    store.put(key, json.dumps(record).encode())
    # Built anew: an Item that lies beside its record is taken as it is.
    store.delete(key.removesuffix(SUFFIXES[METADATA]) + ITEM_SUFFIX)
    Platform(settings(), lanes=[Lane.PUBLISH]).until(all_in("done", "failed"))
    assert states()[name(3)] == "failed"
    assert catalogue() == sorted(name(n) for n in range(8) if n != 3)


def test_an_old_mask_is_found_until_the_new_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    want(wish(tmp_path, number) for number in range(6))
    Platform(settings()).until(all_in("done"))
    monkeypatch.setattr(engine, "VERSION", "2.0.0")
    with ledger.opened() as book:
        assert book.redo(ENGINE, "2.0.0") == 6
    seen: list[dict[str, str]] = []
    over = threading.Event()

    def watch() -> None:
        with psycopg.connect(autocommit=True) as connection:
            while not over.is_set():
                rows = connection.execute(
                    "SELECT id, content->'properties'->>'version' FROM pgstac.items"
                ).fetchall()
                # As a list first: an Item that is there twice would count for one in a dict.
                assert len(rows) == len(dict(rows))
                seen.append(dict(rows))

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            Platform(settings()).until(all_in("done"))
        finally:
            over.set()
        watching.result()
    assert {len(found) for found in seen} == {6}
    assert set(seen[0].values()) == {"1.0.0"}
    assert set(seen[-1].values()) == {"2.0.0"}


def test_a_mask_that_vanished_before_it_was_published_is_made_again(
    tmp_path: Path, store: Storage
) -> None:
    want([wish(tmp_path, 1), wish(tmp_path, 2)])
    Platform(settings(), lanes=[Lane.MASK]).until(
        lambda: all(row["record"] for row in rows().values())
    )
    store.delete(rows()[name(1)]["record"])
    Platform(settings()).until(all_in("done"))
    assert catalogue() == sorted([name(1), name(2)])
