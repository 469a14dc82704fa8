"""What is known of a running stack: a file that the supervisor writes and everyone reads."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deploy.stack.processes import ProcessId


class PartState(BaseModel):
    """One part of the stack as it is now."""

    model_config = ConfigDict(frozen=True)

    name: str
    """``postgres``, ``redis``, ``dispatcher``, ``worker`` or ``api``."""
    title: str
    """What people call it."""
    state: str
    """``waiting``, ``starting``, ``running``, ``restarting``, ``external`` or ``stopped``."""
    pid: int | None = None
    started_ticks: int | None = None
    port: int | None = None
    restarts: int = 0
    since: datetime | None = None
    """When it last became what it is, UTC."""

    @property
    def process(self) -> ProcessId | None:
        """Its process, where it has one."""
        if self.pid is None or self.started_ticks is None:
            return None
        return ProcessId(self.pid, self.started_ticks)


class StackState(BaseModel):
    """The stack as it is now."""

    model_config = ConfigDict(frozen=True)

    state: str
    """``starting``, ``ready``, ``restarting``, ``stopping``, ``stopped`` or ``failed``."""
    message: str = ""
    """The step it is at, or why it failed."""
    done: int = 0
    """Steps of the start that are done."""
    steps: int = 0
    """Steps of the start."""
    pid: int | None = None
    """Process of the supervisor."""
    started_ticks: int | None = None
    url: str | None = None
    """Address of the API, without a closing slash."""
    addresses: dict[str, str] = Field(default_factory=dict)
    """Where to find what; holds no password."""
    parts: tuple[PartState, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read the file; ``None`` if there is none that can be read."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(self.model_dump_json(indent=1))
        part.replace(path)

    @property
    def supervisor(self) -> ProcessId | None:
        """The process that looks after the parts, if it still runs."""
        if self.pid is None or self.started_ticks is None:
            return None
        process = ProcessId(self.pid, self.started_ticks)
        return process if process.alive() else None

    def facts(self) -> dict[str, Any]:
        """Say all of it as JSON, addresses first."""
        return {
            "state": self.state,
            "message": self.message,
            "url": self.url,
            **self.addresses,
            "pid": self.pid,
            "parts": [
                part.model_dump(mode="json", exclude={"started_ticks"}) for part in self.parts
            ],
        }


def now() -> datetime:
    """Say what time it is, UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
