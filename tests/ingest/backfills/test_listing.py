import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingest import ledger
from ingest.backfills import listing
from ingest.backfills.creating import create
from ingest.backfills.listing import step
from ingest.backfills.spec import BackfillSpec
from ingest.errors import SourceUnreachableError
from ingest.filters import Reason
from ingest.ledger import BackfillState, Lane, Ledger, State, Wish
from ingest.sources import tree
from tests.ingest.backfills.conftest import States
from tests.ingest.sources.listings import lay_out, name
from tests.stacks import wait_until

Ask = Callable[..., BackfillSpec]
NAMES = [name(day, tile) for day in range(4) for tile in ("33UUU", "33UVU", "34UCD")]


class Killed(BaseException):
    """What no handler of errors catches, as no handler catches SIGKILL."""


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "PAGE", 3)


def run(book: Ledger, backfill: str) -> None:
    while step(book, book.backfill_get(backfill)):
        pass


def test_everything_that_is_wanted_comes_into_the_ledger(
    book: Ledger, asked: Ask, states: States
) -> None:
    spec = asked(*NAMES, filters={"tiles": ["33UUU", "T34UCD"], "start": "2020-05-02"})
    made = create(book, spec, "test")
    assert made.state is BackfillState.LISTING
    run(book, made.id)
    wanted = [one for one in NAMES[3:] if "T33UVU" not in one]
    assert states() == dict.fromkeys(wanted, "due")
    after = book.backfill_get(made.id)
    assert (after.state, after.listed, after.found) == (BackfillState.RUNNING, True, 6)
    assert after.skipped == {Reason.TILE: 3, Reason.DATES: 3}
    assert book.progress(made.id).counts[State.DUE] == 6
    task = book.claim(Lane.MASK, 1)[0]
    assert Path(task.source).is_dir()
    assert task.priority == 5


def test_killed_anywhere_listing_repeats_nothing_and_loses_nothing(
    book: Ledger, asked: Ask, states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(book, asked(*NAMES), "test")
    deaths, more = 0, True
    places = [
        (listing, "pick"),
        (Ledger, "want"),
        (Ledger, "backfill_note"),
        (Ledger, "backfill_listed"),
    ]
    while more:
        for owner, function in places:
            before = book.backfill_get(made.id)
            if before.listed:
                break
            with ledger.opened() as other, monkeypatch.context() as patch:
                patch.setattr(owner, function, _deadly(getattr(owner, function)))
                try:
                    more = step(other, before)
                except Killed:
                    deaths += 1
                    assert book.backfill_get(made.id) == before
        more = more and step(book, book.backfill_get(made.id))
    assert deaths > 8
    after = book.backfill_get(made.id)
    assert (after.listed, after.found) == (True, len(NAMES))
    assert states() == dict.fromkeys(NAMES, "due")
    assert book.progress(made.id).total == len(NAMES)


def _deadly(plain: Callable[..., Any]) -> Callable[..., Any]:
    """Have the process killed right after a function."""

    def killed(*arguments: Any, **named: Any) -> None:
        plain(*arguments, **named)
        raise Killed

    return killed


def test_two_that_list_the_same_page_count_it_once(book: Ledger, asked: Ask) -> None:
    made = create(book, asked(*NAMES), "test")
    stale = book.backfill_get(made.id)
    assert step(book, stale)
    assert step(book, stale)
    found = book.backfill_get(made.id).found
    run(book, made.id)
    assert found <= 3
    assert book.backfill_get(made.id).found == len(NAMES)


def test_two_backfills_over_the_same_products_share_them(
    book: Ledger, asked: Ask, states: States
) -> None:
    first = create(book, asked(*NAMES[:8]), "test")
    again = create(book, asked(*NAMES[8:]), "test")
    problems: list[BaseException] = []

    def listed(backfill: str) -> None:
        try:
            with ledger.opened() as own:
                run(own, backfill)
        except BaseException as error:  # noqa: BLE001 - told by the test
            problems.append(error)

    threads = [threading.Thread(target=listed, args=(one.id,)) for one in (first, again)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert states() == dict.fromkeys(NAMES, "due")
    assert [book.progress(one.id).total for one in (first, again)] == [len(NAMES)] * 2
    book.abort(first.id)
    assert set(states().values()) == {"due"}
    book.abort(again.id)
    assert set(states().values()) == {"aborted"}


def test_the_newest_baseline_wins_across_pages_and_backfills(
    book: Ledger, asked: Ask, states: States
) -> None:
    old, new, newest = (name(baseline=each) for each in ("0205", "0500", "0511"))
    made = create(book, asked(old, *NAMES[3:], new), "test")
    run(book, made.id)
    assert {one: state for one, state in states().items() if one[38:44] == "T33UUU"} | {
        old: "-"
    } == {old: "-", new: "due", NAMES[3]: "due", NAMES[6]: "due", NAMES[9]: "due"}
    # On other pages: what waits leaves, what is newer already there is not gone back on.
    later = create(book, asked(newest, root="L1C_N0511"), "test")
    run(book, later.id)
    # The first backfill asked for the older one by itself.
    assert states()[new] == "due"
    assert states()[newest] == "due"
    again = create(book, asked(name(baseline="0209"), root="older"), "test")
    run(book, again.id)
    assert name(baseline="0209") not in states()
    assert book.backfill_get(again.id).skipped == {Reason.OLDER: 1}


def test_an_older_baseline_of_an_earlier_page_leaves_and_is_not_retried(
    book: Ledger, tmp_path: Path, states: States
) -> None:
    old, new = name(baseline="0205"), name(baseline="0511")
    lines = [f"/data/{each}.SAFE" for each in (old, *NAMES[3:], new)]
    place = tmp_path / "names.txt"
    place.write_text("\n".join(lines))
    spec = BackfillSpec.read(
        {"source": {"kind": "names", "address": str(place)}, "engine": "ukis-csmask"}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.sources.names.PAGE", 4)
        made = create(book, spec, "test")
        run(book, made.id)
    assert states()[old] == "aborted"
    assert states()[new] == "due"
    after = book.backfill_get(made.id)
    assert (after.found, after.skipped) == (len(NAMES[3:]) + 1, {Reason.OLDER: 1})
    assert book.retry(made.id) == 0
    assert states()[old] == "aborted"


def test_what_is_masked_at_this_version_is_left_alone(
    book: Ledger, asked: Ask, states: States
) -> None:
    spec = asked(*NAMES[:2])
    for product, version in ((NAMES[0], "1.0.0"), (NAMES[1], "0.9")):
        mask(book, product, version)
    made = create(book, spec, "test")
    assert made.spec["versions"] == {"L1C": "1.0.0", "L2A": "1.0.0"}
    run(book, made.id)
    assert states() == {NAMES[0]: "done", NAMES[1]: "due"}
    assert book.progress(made.id).counts[State.DONE] == 1


def mask(book: Ledger, product: str, version: str) -> None:
    book.want([Wish(product, f"/data/{product}.SAFE")], "ukis-csmask", priority=5, version=version)
    task = next(one for one in book.claim(Lane.MASK, 10) if one.product == product)
    assert book.start(task.id, task.turn, "host:1:mask")
    assert book.advance(
        task.id, task.turn, Lane.PUBLISH, record="r.json", version=version, timings={"total": 8.0}
    )
    (task,) = book.claim(Lane.PUBLISH, 10)
    assert book.start(task.id, task.turn, "host:1:publish")
    assert book.finish([(task.id, task.turn)]) == {task.id}


def test_a_source_that_is_not_there_fails_the_backfill_and_says_why(
    book: Ledger, asked: Ask, tmp_path: Path
) -> None:
    made = create(book, asked(*NAMES), "test")
    shutil.move(tmp_path / "eodata", tmp_path / "away")
    assert not step(book, book.backfill_get(made.id))
    failed = book.backfill_get(made.id)
    assert failed.state is BackfillState.FAILED
    assert failed.error is not None
    assert str(tmp_path / "eodata") in failed.error
    shutil.move(tmp_path / "away", tmp_path / "eodata")
    book.retry(made.id)
    run(book, made.id)
    assert book.backfill_get(made.id).found == len(NAMES)


def test_a_source_that_is_away_for_now_is_waited_for_where_listing_was(
    book: Ledger, asked: Ask, tmp_path: Path
) -> None:
    made = create(book, asked(*NAMES), "test")
    assert step(book, made)
    (tmp_path / "eodata/Sentinel-2").rename(tmp_path / "away")
    with pytest.raises(SourceUnreachableError):
        step(book, book.backfill_get(made.id))
    waiting = book.backfill_get(made.id)
    assert waiting.state is BackfillState.LISTING
    assert "still mounted" in str(waiting.error)
    (tmp_path / "away").rename(tmp_path / "eodata/Sentinel-2")
    run(book, made.id)
    over = book.backfill_get(made.id)
    assert (over.found, over.error) == (len(NAMES), None)


def test_what_is_paused_is_not_listed_until_it_is_resumed(book: Ledger, asked: Ask) -> None:
    made = create(book, asked(*NAMES), "test")
    step(book, made)
    stale = book.backfill_get(made.id)
    book.pause(made.id)
    assert step(book, stale)
    assert book.backfill_get(made.id).found == stale.found
    assert book.listings() == []
    book.resume(made.id)
    run(book, made.id)
    assert book.backfill_get(made.id).found == len(NAMES)


def test_the_thread_of_a_dispatcher_lists_all_and_survives_a_source_of_nonsense(
    book: Ledger, asked: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_IDLE_S", 0.05)
    monkeypatch.setattr(listing, "_FIRST_DELAY_S", 0.05)
    made = [create(book, asked(*NAMES[n::2], root=str(n)), "test") for n in range(2)]
    lay_out(tmp_path / "2", NAMES[0])
    away = create(book, asked(NAMES[1], root="2"), "test")
    assert step(book, away) in (True, False)
    broken = create(book, asked(name(9), root="3"), "test")
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(
            'UPDATE ledger.backfills SET spec = spec || \'{"filters": {"bbox": [1]}}\''
            " WHERE id = %s",
            (broken.id,),
        )
    stop = threading.Event()
    thread = threading.Thread(target=listing.work, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: not book.listings(), 30)
    finally:
        stop.set()
        thread.join()
    assert [book.backfill_get(one.id).found for one in made] == [6, 6]
    told = book.backfill_get(broken.id)
    assert told.state is BackfillState.FAILED
    assert "bbox" in str(told.error)
