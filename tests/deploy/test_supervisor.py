import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.errors import PartError
from deploy.stack.part import Part, Task
from deploy.stack.processes import ProcessId
from deploy.stack.state import StackState
from deploy.stack.supervisor import Stage, Supervisor


def part(folder: Path, name: str, script: str, **changed: object) -> Part:
    """A part that is ready when it has written a file of its name."""

    async def ready() -> bool:
        return (folder / name).exists()

    facts = {
        "name": name,
        "title": name.title(),
        "command": ("/bin/sh", "-c", script),
        "environment": {"PATH": "/usr/bin:/bin"},
        "folder": folder,
        "log": folder / f"{name}.log",
        "ready": ready,
        **changed,
    }
    return Part(**facts)  # type: ignore[arg-type]


def server(folder: Path, name: str) -> Part:
    """A part that runs until it is stopped, and writes down that it was."""
    return part(
        folder,
        name,
        f"trap 'echo {name} >>order; exit' TERM; : >{name}; while :; do sleep 0.05; done",
    )


class Watched:
    """A supervisor, the states that it told, and a way to wait for one."""

    def __init__(self, *stages: Stage) -> None:
        self.states: list[StackState] = []
        self.stop = asyncio.Event()
        self.supervisor = Supervisor(stages, StackState(state="starting"), self._take)
        self._changed = asyncio.Event()

    async def until(self, wanted: Callable[[StackState], bool]) -> None:
        while not self.states or not wanted(self.states[-1]):
            self._changed.clear()
            await self._changed.wait()

    def _take(self, state: StackState) -> None:
        self.states.append(state)
        self._changed.set()


def is_ready(state: StackState) -> bool:
    return state.state == "ready"


def test_parts_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    async def scenario() -> None:
        watched = Watched(
            (server(tmp_path, "first"),), (server(tmp_path, "second"), server(tmp_path, "third"))
        )
        running = asyncio.create_task(watched.supervisor.run(watched.stop))
        await watched.until(is_ready)
        watched.stop.set()
        await running
        assert (tmp_path / "order").read_text().split() == ["third", "second", "first"]
        began = [
            next(
                index
                for index, state in enumerate(watched.states)
                if {part.name: part.state for part in state.parts}[name] == "running"
            )
            for name in ("first", "second", "third")
        ]
        assert began[0] < min(began[1:])
        assert {part.state for part in watched.states[-1].parts} == {"stopped"}

    asyncio.run(scenario())


def test_a_part_that_dies_again_and_again_is_started_again_after_longer_and_longer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        watched = Watched((part(tmp_path, "weak", ": >weak; sleep 0.05; exit 3"),))
        running = asyncio.create_task(watched.supervisor.run(watched.stop))
        await watched.until(lambda state: state.parts[0].restarts == 3)
        watched.stop.set()
        await running

    asyncio.run(scenario())
    died = [record.getMessage() for record in caplog.records if "died" in record.getMessage()]
    assert [message.rpartition(" in ")[2] for message in died] == ["0.5 s", "1.0 s", "2.0 s"]
    assert all("exit code 3" in message for message in died)


def test_a_part_that_does_not_start_stops_all_and_its_last_words_are_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        watched = Watched(
            (server(tmp_path, "sound"),),
            (part(tmp_path, "broken", "echo no such key >&2; exit 7"),),
        )
        with pytest.raises(
            PartError, match=r"Broken ended while it started \(exit code 7\)"
        ) as told:
            await watched.supervisor.run(watched.stop)
        assert "no such key" in str(told.value)
        assert (tmp_path / "order").read_text().split() == ["sound"]

    asyncio.run(scenario())


def test_a_part_that_never_gets_ready_is_ended(tmp_path: Path) -> None:
    async def scenario() -> None:
        stuck = part(tmp_path, "stuck", "echo $$ >pid; exec sleep 600", start_timeout_s=0.5)
        watched = Watched((stuck,))
        with pytest.raises(PartError, match="was not ready after"):
            await watched.supervisor.run(watched.stop)
        assert ProcessId.of(int((tmp_path / "pid").read_text())) is None

    asyncio.run(scenario())


def test_who_calls_while_a_part_is_started_again_is_answered_by_the_next(tmp_path: Path) -> None:
    script = (
        "import socket, sys; from pathlib import Path; Path('open').touch();"
        " client, _ = socket.socket(fileno=int(sys.argv[1])).accept(); client.sendall(b'here')"
    )

    async def scenario() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        one_call = part(
            tmp_path,
            "open",
            "",
            command=(sys.executable, "-c", script, str(listener.fileno())),
            listener=listener,
        )
        watched = Watched((one_call,))
        running = asyncio.create_task(watched.supervisor.run(watched.stop))
        await watched.until(is_ready)
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b"here"
            writer.close()
        watched.stop.set()
        await running
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(scenario())


def test_a_part_that_dies_is_not_waited_for(tmp_path: Path) -> None:
    async def never() -> bool:
        await asyncio.sleep(600)
        return True

    async def scenario() -> None:
        watched = Watched((part(tmp_path, "brief", "exit 3", ready=never),))
        with pytest.raises(PartError, match="ended while it started"):
            await asyncio.wait_for(watched.supervisor.run(watched.stop), 60)

    asyncio.run(scenario())


def test_a_part_that_does_not_stop_is_killed_with_what_it_started(tmp_path: Path) -> None:
    async def scenario() -> None:
        deaf = part(
            tmp_path,
            "deaf",
            "trap '' TERM; sleep 600 & echo $! >child; : >deaf; while :; do sleep 0.05; done",
            stop_timeout_s=0.3,
        )
        watched = Watched((deaf,))
        running = asyncio.create_task(watched.supervisor.run(watched.stop))
        await watched.until(is_ready)
        watched.stop.set()
        await running
        child = ProcessId.of(int((tmp_path / "child").read_text()))
        assert child is None or child.wait(10)

    asyncio.run(scenario())


def test_a_stop_during_the_start_ends_a_task_that_runs(tmp_path: Path) -> None:
    async def scenario() -> None:
        ended = asyncio.Event()

        async def work() -> None:
            try:
                await asyncio.sleep(600)
            finally:
                ended.set()

        watched = Watched((server(tmp_path, "early"),), (Task("Long", work),))
        running = asyncio.create_task(watched.supervisor.run(watched.stop))
        await watched.until(lambda state: state.message == "Long")
        watched.stop.set()
        await running
        assert ended.is_set()
        assert (tmp_path / "order").read_text().split() == ["early"]

    asyncio.run(scenario())


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        absent = part(tmp_path, "absent", "", command=("/nonexistent/server",))
        with pytest.raises(PartError, match="cannot be started: No such file"):
            await Watched((absent,)).supervisor.run(asyncio.Event())

    asyncio.run(scenario())


def test_a_process_number_that_was_given_away_again_is_another_process() -> None:
    own = ProcessId.of(os.getpid())
    assert own is not None
    assert own.alive()
    earlier = ProcessId(own.pid, own.started_ticks - 1)
    assert not earlier.alive()
    # Would end the tests if it reached anyone.
    earlier.send(signal.SIGKILL)
