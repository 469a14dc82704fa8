import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest import ledger
from ingest.ledger import Lane, WorkerState
from tests.servers import free_port, wait_for_port

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0


@pytest.fixture
def server(migrated: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The administration in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "ingest.admin.app:create_app"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--log-level", "warning"], cwd=ROOT, env=os.environ
    )
    try:
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


def events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Read server-sent events as the standard has them."""
    name = data = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            data += value
        elif not line and data:
            yield name, json.loads(data)
            name = data = ""


def listening(base: str, secret: str) -> Any:
    headers = {"authorization": f"Bearer {secret}"}
    return httpx.stream(
        "GET", f"{base}/events", headers=headers, timeout=PATIENCE_S, trust_env=False
    )


def beat(done: int) -> None:
    with ledger.opened() as book:
        book.beat(WorkerState("host:1:mask", Lane.MASK, "host", 1, step="infer", done=done))


def test_every_listener_is_told_of_a_change(
    server: tuple[str, "subprocess.Popen[bytes]"], secret: Callable[[str], str]
) -> None:
    base, _ = server
    good = secret("read")
    with listening(base, good) as one, listening(base, good) as other:
        assert one.headers["content-type"].startswith("text/event-stream")
        told, also = events(one.iter_lines()), events(other.iter_lines())
        name, first = next(told)
        assert (name, first["workers"], first["backfills"]) == ("state", [], [])
        assert [lane["lane"] for lane in first["lanes"]] == ["stage", "mask", "publish"]
        next(also)
        beat(1)
        for stream in (told, also):
            (worker,) = next(stream)[1]["workers"]
            assert (worker["step"], worker["done"]) == ("infer", 1)


def test_a_stream_ends_with_its_token(
    server: tuple[str, "subprocess.Popen[bytes]"], secret: Callable[[str], str]
) -> None:
    base, _ = server
    with listening(base, secret("read")) as stream:
        told = events(stream.iter_lines())
        next(told)
        with ledger.opened() as book:
            book.token_revoke("a read token")
        assert list(told) == []


def test_a_server_that_is_asked_to_stop_does_not_wait_for_listeners(
    server: tuple[str, "subprocess.Popen[bytes]"], secret: Callable[[str], str]
) -> None:
    base, process = server
    with listening(base, secret("read")) as stream:
        told = events(stream.iter_lines())
        next(told)
        process.send_signal(signal.SIGTERM)
        assert list(told) == []
    # As a process that a signal ended, which is how uvicorn goes.
    assert process.wait(PATIENCE_S) in (0, -signal.SIGTERM)


def test_a_ledger_that_is_away_is_told_as_a_problem(
    server: tuple[str, "subprocess.Popen[bytes]"], secret: Callable[[str], str]
) -> None:
    base, _ = server
    with listening(base, secret("read")) as stream:
        told = events(stream.iter_lines())
        next(told)
        with ledger.opened() as book:
            book._run("ALTER TABLE ledger.workers RENAME TO gone")
        name, problem = next(told)
        assert name == "problem"
        assert "ledger.workers" in problem["detail"]
        with ledger.opened() as book:
            book._run("ALTER TABLE ledger.gone RENAME TO workers")
        assert next(told)[0] == "state"
