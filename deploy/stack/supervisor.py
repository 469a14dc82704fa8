"""The supervisor: starts the parts in order, starts again what dies, stops all in reverse."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploy.errors import PartError
from deploy.stack.part import Part, Task, ending
from deploy.stack.processes import ProcessId, kill_group
from deploy.stack.state import PartState, StackState, now

logger = logging.getLogger(__name__)

Stage = tuple[Part | Task, ...]
"""What may start at the same time."""
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_STEADY_S = 60.0
_POLL_S = 0.1


@dataclass(slots=True)
class _Kept:
    """A part and the process that it has just now."""

    part: Part
    state: str = "waiting"
    process: asyncio.subprocess.Process | None = None
    id: ProcessId | None = None
    restarts: int = 0
    since: datetime | None = None

    def told(self) -> PartState:
        return PartState(
            name=self.part.name,
            title=self.part.title,
            state=self.state,
            pid=self.id.pid if self.id else None,
            started_ticks=self.id.started_ticks if self.id else None,
            port=self.part.port,
            restarts=self.restarts,
            since=self.since,
        )


class Supervisor:
    """Runs the stages of a stack until it is told to stop."""

    def __init__(
        self,
        stages: tuple[Stage, ...],
        outline: StackState,
        tell: Callable[[StackState], None],
    ) -> None:
        """Prepare; nothing starts yet.

        Args:
            stages: Parts and tasks, in the order of the start.
            outline: Supervisor, addresses and external parts, as every state repeats them.
            tell: Called with the new state after every change.
        """
        self._stages = stages
        self._kept = {
            item.name: _Kept(item) for stage in stages for item in stage if isinstance(item, Part)
        }
        self._outline = outline
        self._tell = tell
        self._phase = "starting"
        self._message = ""
        self._done = 0
        self._keepers: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Start everything, keep it running, and stop it when the event is set.

        Raises:
            PartError: A part did not start at all; everything else is stopped again.
        """
        stopping = asyncio.create_task(stop.wait())
        starting = asyncio.create_task(self._start())
        try:
            await asyncio.wait({stopping, starting}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                while not stopping.done():
                    await self._watch(stopping)
        finally:
            await _cancelled({starting, stopping, *self._keepers})
            await self._stop()

    async def _watch(self, stopping: "asyncio.Task[bool]") -> None:
        # A keeper only ends by an error that nobody foresaw; it must not pass unread.
        done, _ = await asyncio.wait(
            {stopping, *self._keepers}, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done - {stopping}:
            task.result()

    async def _start(self) -> None:
        for stage in self._stages:
            self._say(" and ".join(item.title for item in stage))
            await _together([self._begin(item) for item in stage])
        self._phase = "ready"
        self._say("")

    async def _begin(self, item: Part | Task) -> None:
        if isinstance(item, Task):
            await item.work()
        else:
            kept = self._kept[item.name]
            await self._launch(kept, "starting")
            self._keepers.add(asyncio.create_task(self._keep(kept)))
        self._done += 1
        self._say(self._message)

    async def _launch(self, kept: _Kept, state: str) -> None:
        part = kept.part
        self._become(kept, state)
        kept.process = await part.spawn()
        kept.id = ProcessId.of(kept.process.pid)
        self._become(kept, state)
        end = time.monotonic() + part.start_timeout_s
        while not await _is_ready(part, kept.process):
            if kept.process.returncode is not None:
                problem = f"ended while it started ({ending(kept.process.returncode)})"
                raise PartError(part.title, problem, part.log)
            if time.monotonic() > end:
                await _end(kept)
                problem = f"was not ready after {part.start_timeout_s:.0f} s"
                raise PartError(part.title, problem, part.log)
            await asyncio.sleep(_POLL_S)
        self._become(kept, "running")

    async def _keep(self, kept: _Kept) -> None:
        delay_s = _FIRST_DELAY_S
        while True:
            began = time.monotonic()
            process = kept.process
            if process is None:
                return
            code = await process.wait()
            # What a dead leader leaves behind would hold its port and its files.
            kill_group(process.pid)
            if time.monotonic() - began > _STEADY_S:
                delay_s = _FIRST_DELAY_S
            logger.warning(
                "%s (process %d) died: %s; it is started again in %.1f s",
                kept.part.title,
                process.pid,
                ending(code),
                delay_s,
            )
            kept.id = None
            kept.restarts += 1
            self._become(kept, "restarting")
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)
            try:
                await self._launch(kept, "restarting")
            except PartError as error:
                logger.warning("%s", error)
            else:
                logger.warning("%s runs again", kept.part.title)

    async def _stop(self) -> None:
        self._phase = "stopping"
        for kept in reversed(self._kept.values()):
            if kept.process is not None and kept.process.returncode is None:
                self._say(kept.part.title)
                await _end(kept)
            if kept.part.listener is not None:
                kept.part.listener.close()
            kept.id = None
            self._become(kept, "stopped")

    def _become(self, kept: _Kept, state: str) -> None:
        kept.state = state
        kept.since = now()
        self._say(self._message)

    def _say(self, message: str) -> None:
        self._message = message
        waiting = any(kept.state == "restarting" for kept in self._kept.values())
        own = tuple(kept.told() for kept in self._kept.values())
        self._tell(
            self._outline.model_copy(
                update={
                    "state": "restarting" if waiting and self._phase == "ready" else self._phase,
                    "message": message,
                    "done": self._done,
                    "steps": sum(len(stage) for stage in self._stages),
                    "parts": (*self._outline.parts, *own),
                }
            )
        )


async def _is_ready(part: Part, process: asyncio.subprocess.Process) -> bool:
    """Ask a part whether it is ready, and no longer than it lives."""
    asked, ended = asyncio.ensure_future(part.ready()), asyncio.create_task(process.wait())
    try:
        await asyncio.wait({asked, ended}, return_when=asyncio.FIRST_COMPLETED)
        return asked.done() and asked.result()
    finally:
        await _cancelled({asked, ended})


async def _end(kept: _Kept) -> None:
    process, part = kept.process, kept.part
    if process is None:
        return
    try:
        process.send_signal(part.stop_signal)
        await asyncio.wait_for(process.wait(), part.stop_timeout_s)
    except ProcessLookupError:
        pass
    except TimeoutError:
        logger.warning("%s did not stop in %.0f s and is killed", part.title, part.stop_timeout_s)
    kill_group(process.pid)
    await process.wait()


async def _together(starts: list[Coroutine[Any, Any, None]]) -> None:
    tasks = {asyncio.create_task(start) for start in starts}
    try:
        for task in asyncio.as_completed(tasks):
            await task
    finally:
        await _cancelled(tasks)


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    # What they raised on the way is told already, or is the cancelling itself.
    await asyncio.gather(*tasks, return_exceptions=True)
