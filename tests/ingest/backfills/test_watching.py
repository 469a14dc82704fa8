import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingest import ledger
from ingest.backfills import watching
from ingest.backfills.spec import BackfillSpec
from ingest.errors import SourceUnreachableError
from ingest.ledger import BackfillState, Lane, Ledger
from ingest.sources import tree
from producer.product import ProductName
from tests import servers
from tests.ingest.backfills.conftest import States
from tests.ingest.sources.listings import lay_out
from tests.stacks import wait_until

NOW = datetime.now(UTC).replace(microsecond=0)


def taken(days_ago: int, tile: str = "33UUU", baseline: str = "0511") -> str:
    sensed = NOW - timedelta(days=days_ago)
    return str(ProductName("S2B", "L1C", sensed, baseline, 36, tile, f"{sensed:%Y%m%dT%H%M%S}"))


@pytest.fixture
def spec(tmp_path: Path) -> BackfillSpec:
    lay_out(tmp_path / "eodata", *(taken(day) for day in (1, 5, 40)))
    return wanted(tmp_path / "eodata")


def wanted(root: Path, **filters: Any) -> BackfillSpec:
    source = {"kind": "folder", "address": str(root)}
    told = {"kind": "watch", "source": source, "filters": filters, "engine": "ukis-csmask"}
    return BackfillSpec.read({**told, "priority": 0})


def look(book: Ledger, watch: str) -> watching.Seen:
    return watching.look(book, book.backfill_get(watch))


def test_what_is_new_is_live_and_what_is_known_is_left_as_it_is(
    book: Ledger, spec: BackfillSpec, states: States, tmp_path: Path
) -> None:
    watch = watching.begin(book, spec, "test")
    assert watch.state is BackfillState.RUNNING
    assert look(book, watch.id) == watching.Seen(new=2, known=0)
    assert states() == {taken(1): "due", taken(5): "due"}
    tasks = book.claim(Lane.MASK, 10)
    assert {task.priority for task in tasks} == {0}
    for task in tasks:
        assert book.start(task.id, task.turn, "host:1:mask")
        assert book.fail(task.id, task.turn, "ArchiveError", "broken", retry_in_s=None)
    lay_out(tmp_path / "eodata", taken(0))
    assert look(book, watch.id) == watching.Seen(new=1, known=2)
    assert states() == {taken(0): "due", taken(1): "failed", taken(5): "failed"}
    assert book.backfill_get(watch.id).found == 3
    book.settle()
    assert book.backfill_get(watch.id).state is BackfillState.RUNNING


def test_after_days_of_silence_it_goes_on_where_it_was(
    book: Ledger, spec: BackfillSpec, states: States, tmp_path: Path
) -> None:
    watch = watching.begin(book, spec, "test")
    look(book, watch.id)
    with psycopg.connect(autocommit=True) as connection:
        long_ago = (NOW - timedelta(days=100)).isoformat()
        connection.execute("UPDATE ledger.backfills SET cursor = %s", (long_ago,))
    lay_out(tmp_path / "eodata", taken(90), taken(113), taken(130))
    assert watching.begin(book, spec, "test").id == watch.id
    look(book, watch.id)
    assert set(states()) == {taken(day) for day in (1, 5, 40, 90, 113)}
    lay_out(tmp_path / "eodata", taken(60))
    assert look(book, watch.id) == watching.Seen(new=0, known=2)


def test_the_first_look_goes_as_far_back_as_was_asked(
    book: Ledger, states: States, tmp_path: Path
) -> None:
    lay_out(tmp_path / "eodata", *(taken(day) for day in (1, 40, 300)))
    start = (NOW - timedelta(days=50)).date()
    watch = watching.begin(book, wanted(tmp_path / "eodata", start=start), "test")
    look(book, watch.id)
    assert set(states()) == {taken(1), taken(40)}


def test_a_look_that_is_broken_off_is_made_again(
    book: Ledger,
    spec: BackfillSpec,
    states: States,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tree, "PAGE", 2)
    watch = watching.begin(book, spec, "test")
    plain = Ledger.want
    calls = []

    def dies(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise SourceUnreachableError("/eodata", "gone")
        return plain(*arguments, **named)

    monkeypatch.setattr(Ledger, "want", dies)
    with pytest.raises(SourceUnreachableError):
        look(book, watch.id)
    assert len(states()) == 1
    assert book.backfill_get(watch.id).cursor is None
    look(book, watch.id)
    assert len(states()) == 2


def test_others_begin_the_same_watch_and_another_question_is_another_one(
    book: Ledger, spec: BackfillSpec, tmp_path: Path
) -> None:
    async def begun() -> set[str]:
        def begin() -> str:
            with ledger.opened() as own:
                return watching.begin(own, spec, "test").id

        return set(await asyncio.gather(*(asyncio.to_thread(begin) for _ in range(4))))

    (first,) = asyncio.run(begun())
    other = watching.begin(book, wanted(tmp_path / "eodata", tiles=["33UUU"]), "test")
    assert other.id != first
    book.abort(first)
    assert watching.begin(book, spec, "test").id != first


def test_what_is_paused_is_not_looked_at(book: Ledger, spec: BackfillSpec, states: States) -> None:
    watch = watching.begin(book, spec, "test")
    book.pause(watch.id)
    assert watching.look_if_on(watch.id) is BackfillState.PAUSED
    assert states() == {}
    assert book.resume(watch.id).state is BackfillState.RUNNING
    assert watching.look_if_on(watch.id) is BackfillState.RUNNING
    assert len(states()) == 2


def test_a_source_that_does_not_answer_is_noted_and_looked_at_next_time(
    book: Ledger, spec: BackfillSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watching.begin(book, spec, "test")

    def silent(*_: object) -> None:
        raise SourceUnreachableError("/eodata", "does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(watching, "pick", silent)
        assert watching.look_if_on(watch.id) is BackfillState.RUNNING
    assert "does not answer" in str(book.backfill_get(watch.id).error)
    watching.look_if_on(watch.id)
    assert book.backfill_get(watch.id).error is None


@pytest.mark.usefixtures("redis_url")
def test_watchers_beside_each_other_survive_redis_and_end_when_the_watch_is_aborted(
    redis_server: servers.Redis, spec: BackfillSpec, book: Ledger, states: States, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "deploy.cli", "watch", "--every", "1"]
    options = ["--source", spec.source.address or "", "--engine", "ukis-csmask"]
    log = tmp_path / "log"
    with log.open("wb") as output:
        watchers = [
            subprocess.Popen([*command, *options], stderr=output, env=dict(os.environ))
            for _ in range(2)
        ]
    try:
        wait_until(lambda: len(states()) == 2)
        redis_server.stop()
        redis_server.start()
        lay_out(tmp_path / "eodata", taken(0))
        wait_until(lambda: len(states()) == 3)
        (watch,) = book.backfill_list()
        watchers[0].send_signal(signal.SIGTERM)
        assert watchers[0].wait(60) == 0
        book.abort(watch.id)
        assert watchers[1].wait(60) == 0
    finally:
        for watcher in watchers:
            watcher.kill()
            watcher.wait()
    told = log.read_text()
    assert "Traceback" not in told, told
    assert book.backfill_get(watch.id).found == 3


@pytest.mark.parametrize(
    ("every_s", "looks"), [(20, 3 * 60 * 24), (60, 60 * 24), (600, 6 * 24), (7200, 12), (86400, 1)]
)
def test_a_watch_looks_as_often_as_was_asked(every_s: int, looks: int) -> None:
    job = watching._cron(watching._Over("any", asyncio.Event()), every_s)
    moment = datetime(2026, 1, 1)  # noqa: DTZ001 - arq's cron has no zones
    end, count = moment + timedelta(days=1), 0
    job.calculate_next(moment)
    while job.next_run is not None and job.next_run < end:
        count += 1
        job.calculate_next(job.next_run)
    assert abs(count - looks) <= 1
