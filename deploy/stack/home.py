"""The data folder of a stack: what lies where, who holds it, and what reaches its servers."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import HomeError, StackRunsError
from deploy.stack.state import StackState

_PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder of one stack."""

    path: Path

    @property
    def postgres(self) -> Path:
        """The database."""
        return self.path / "postgres"

    @property
    def redis(self) -> Path:
        """The queue."""
        return self.path / "redis"

    @property
    def masks(self) -> Path:
        """Masks, where no other storage is named."""
        return self.path / "masks"

    @property
    def scratch(self) -> Path:
        """Remote products until they are masked, where no other folder is named."""
        return self.path / "scratch"

    @property
    def logs(self) -> Path:
        """One log a part."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Working folder of the dispatcher, the worker and the API; empty."""
        return self.path / "run"

    @property
    def ports_file(self) -> Path:
        """Ports by part."""
        return self.path / "ports.json"

    @property
    def state_file(self) -> Path:
        """What the supervisor says of the stack."""
        return self.path / "state.json"

    @property
    def environment_file(self) -> Path:
        """Variables that reach the servers, for commands run beside the stack."""
        return self.path / "environment.json"

    def log(self, name: str) -> Path:
        """Log of one part, or of the supervisor: ``stack``."""
        return self.logs / f"{name}.log"

    def state(self) -> StackState | None:
        """What the supervisor last said; it may be gone since."""
        return StackState.read(self.state_file)

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            HomeError: They cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if os.geteuid() == 0:
                # Whatever root's umask: the servers' own users must get through to theirs.
                self.path.chmod(0o755)
            for folder in (self.logs, self.run, self.masks):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise HomeError(self.path, f"cannot be made: {error.strerror}") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder, as one supervisor at a time may.

        Raises:
            StackRunsError: Another one holds it.
        """
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                state = self.state()
                supervisor = state.supervisor if state else None
                url = state.url if state and supervisor else None
                pid = supervisor.pid if supervisor else None
                raise StackRunsError(self.path, pid, url) from error
            yield

    def secret(self, name: str) -> str:
        """Give a password of this stack, made when it is first asked for."""
        folder = self.path / "secrets"
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / name
        if not file.exists():
            write_private(file, secrets.token_urlsafe(24))
        return file.read_text()

    def join(self) -> None:
        """Name the servers of a running stack in the environment, where it names none itself."""
        state = self.state()
        if state is None or state.supervisor is None:
            return
        try:
            found: dict[str, str] = json.loads(self.environment_file.read_bytes())
        except (OSError, ValueError):
            return
        if "PGHOST" in os.environ:
            found = {name: value for name, value in found.items() if not name.startswith("PG")}
        for name, value in found.items():
            os.environ.setdefault(name, value)

    def publish(self, environment: Mapping[str, str]) -> None:
        """Keep the variables that :meth:`join` reads, for the owner's eyes only."""
        write_private(self.environment_file, json.dumps(dict(environment)))


def write_private(file: Path, text: str) -> None:
    """Write a file that nobody else may read, whole or not at all."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE), "w") as new:
        new.write(text)
    part.replace(file)
