"""One server of the stack: how it is started, known to be ready, and stopped."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import PartError
from deploy.stack.accounts import Account

_LOG_LIMIT_BYTES = 20 * 2**20


@dataclass(frozen=True, slots=True)
class Part:
    """A server process that is kept running."""

    name: str
    title: str
    """What people call it."""
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    """Where it runs."""
    log: Path
    ready: Callable[[], Awaitable[bool]]
    """Asks whether it does its work; called again and again."""
    before: Callable[[], Awaitable[None]] | None = None
    """What has to be done before every start."""
    port: int | None = None
    listener: socket.socket | None = None
    """Socket that it listens on: handed down, and open while the part is started again."""
    account: Account | None = None
    """User that it runs as; ``None`` for the one who starts the stack."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 30.0
    start_timeout_s: float = 120.0

    async def spawn(self) -> asyncio.subprocess.Process:
        """Start the process, in a session of its own so that ctrl-C is left to the supervisor.

        Raises:
            PartError: The program cannot be run.
        """
        if self.before is not None:
            await self.before()
        return await _spawn(self, self.account, self.listener)


@dataclass(frozen=True, slots=True)
class Task:
    """A step of the start that ends by itself, such as a migration."""

    title: str
    work: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Errand:
    """A command that ends by itself."""

    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path

    async def run(self) -> None:
        """Run the command to its end; cancelled, it is killed.

        Raises:
            PartError: It failed.
        """
        process = await _spawn(self)
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if code != 0:
            raise PartError(self.title, f"failed ({ending(code)})", self.log)


def ending(code: int) -> str:
    """Say how a process ended, by its return code."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


async def _spawn(
    what: Part | Errand, account: Account | None = None, listener: socket.socket | None = None
) -> asyncio.subprocess.Process:
    if what.log.exists() and what.log.stat().st_size > _LOG_LIMIT_BYTES:
        what.log.replace(what.log.with_suffix(".log.1"))
    with what.log.open("ab") as log:
        try:
            return await asyncio.create_subprocess_exec(
                *what.command,
                cwd=what.folder,
                env=dict(what.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[listener.fileno()] if listener else [],
                **(account.spawn if account else {}),
            )
        except OSError as error:
            raise PartError(what.title, f"cannot be started: {error.strerror}", what.log) from error
