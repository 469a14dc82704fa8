"""Following a backfill, whatever happens meanwhile."""

import io
import threading
from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.progress import Progress

from deploy.backfills import following
from deploy.backfills.following import Follower, _lacking
from ingest import ledger
from ingest.backfills.creating import create
from ingest.backfills.listing import step
from ingest.backfills.spec import BackfillSpec
from ingest.lanes import lock
from ingest.ledger import Backfill, BackfillState, Lane, Ledger, WorkerState
from tests import servers
from tests.ingest.backfills.test_listing import mask
from tests.ingest.sources.listings import name
from tests.stacks import wait_until

NAMES = [name(day) for day in range(3)]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Have the bars written where a test can read them."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=200)
    monkeypatch.setattr(
        following, "_bars", lambda: Progress(console=console, refresh_per_second=20)
    )
    return out


@pytest.fixture
def listed(pgstac: str) -> Iterator[Backfill]:
    names = [f"/data/{one}.SAFE" for one in NAMES]
    spec = {"source": {"kind": "names", "names": names}, "engine": "ukis-csmask"}
    with ledger.opened() as book:
        made = create(book, BackfillSpec.read(spec), "test")
        while step(book, book.backfill_get(made.id)):
            continue
        yield made


def finish(book: Ledger) -> None:
    for task in book.claim(Lane.MASK, 10):
        assert book.start(task.id, task.turn, "host:1:mask")
        assert book.fail(task.id, task.turn, "ArchiveError", "broken", retry_in_s=None)


def test_a_database_that_restarts_meanwhile_is_waited_for(
    listed: Backfill,
    pg_server: servers.Postgres,
    said: io.StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:
    follower = Follower(listed.id, as_json=True, products=True)
    ends: list[Backfill] = []
    thread = threading.Thread(target=lambda: ends.append(follower.follow()), daemon=True)
    thread.start()
    wait_until(lambda: "no dispatcher" in said.getvalue())
    pg_server.stop()
    wait_until(lambda: "waiting for the database" in said.getvalue())
    pg_server.start()
    with ledger.opened() as book:
        finish(book)
    thread.join(60)
    assert [one.state for one in ends] == [BackfillState.RUNNING]
    assert len(follower.failed) == len(NAMES)
    assert capsys.readouterr().out.count('"state": "failed"') == len(NAMES)


def test_a_product_that_was_masked_before_is_told_as_unchanged(
    pgstac: str, said: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    with ledger.opened() as book:
        mask(book, NAMES[0], "1.0.0")
        told = {"kind": "names", "names": [f"/data/{NAMES[0]}.SAFE"]}
        spec = BackfillSpec.read({"source": told, "engine": "ukis-csmask"})
        made = create(book, spec, "test")
        assert not step(book, book.backfill_get(made.id)) or not step(
            book, book.backfill_get(made.id)
        )
    Follower(made.id, as_json=True, products=True).follow()
    assert '"state": "unchanged"' in capsys.readouterr().out


def test_what_is_missing_for_it_to_go_on_is_said(pgstac: str) -> None:
    with ledger.opened() as book:
        assert "dispatcher" in _lacking(book)
        with lock.opened() as held:
            assert held.held()
            assert "worker" in _lacking(book)
            book.beat(WorkerState("host:1:mask", Lane.MASK, "host", 1))
            assert _lacking(book) == ""
        wait_until(lambda: "dispatcher" in _lacking(book))
