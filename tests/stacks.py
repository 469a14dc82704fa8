"""Embedded stacks for the tests: real, whole, in folders of their own, gone afterwards."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.stack import run
from deploy.stack.home import Home

_TIMEOUT_S = 120.0


class Stack:
    """A stack in one data folder, driven by the command line as a person would."""

    def __init__(self, home: Path, environment: dict[str, str] | None = None) -> None:
        self.home = home
        self.environment = {
            **os.environ,
            "NIMBOSTAC_HOME": str(home),
            "COLUMNS": "200",
            **(environment or {}),
        }

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            self._command(arguments),
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command and leave it running."""
        return subprocess.Popen(
            self._command(arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )

    def up(self) -> None:
        """Start the stack in the background."""
        done = self.run("up", "--detach")
        assert done.returncode == 0, done.stderr

    def down(self) -> None:
        """Stop the stack."""
        done = self.run("down")
        assert done.returncode == 0, done.stderr

    def status(self) -> dict[str, Any]:
        """Ask how it is; the same as ``nimbostac status --json``, in no time."""
        return run.current(Home(self.home)).facts()

    @property
    def servers(self) -> dict[str, str]:
        """The variables that reach its servers, with their passwords."""
        found: dict[str, str] = json.loads((self.home / "environment.json").read_text())
        return found

    def part(self, name: str) -> dict[str, Any]:
        """Ask how one part is."""
        found: dict[str, Any] = next(
            part for part in self.status()["parts"] if part["name"] == name
        )
        return found

    def log(self, name: str) -> str:
        """Read a log."""
        return (self.home / "logs" / f"{name}.log").read_text()

    def processes(self) -> set[int]:
        """Find every process that works in the data folder."""
        found = set()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                place = (entry / "cwd").readlink()
            except OSError:
                continue
            if place.is_relative_to(self.home):
                found.add(int(entry.name))
        return found

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-P", "-m", "deploy.cli", *arguments]


@contextmanager
def stack(environment: dict[str, str] | None = None) -> Iterator[Stack]:
    """Give a stack that is not started; what runs of it at the end is ended."""
    # Not pytest's folder, which nobody but its owner may enter: servers run as other users.
    folder = Path(tempfile.mkdtemp(prefix="nimbostac stack "))
    folder.chmod(0o755)
    made = Stack(folder / "home", environment)
    try:
        yield made
    finally:
        if made.home.exists():
            made.run("down")
        for pid in made.processes():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(true: Any, timeout_s: float = _TIMEOUT_S) -> None:
    """Wait until a question is answered with yes.

    Raises:
        TimeoutError: It never was.
    """
    end = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not come")
        time.sleep(0.1)
