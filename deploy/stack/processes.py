"""Processes of this machine, told apart for certain, and ended."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process by number and start, so that a number given away again is no mistake."""

    pid: int
    started_ticks: int
    """Clock ticks after boot, as the kernel has it."""

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Look at a process; ``None`` if it is gone or only waits to be read."""
        try:
            # The name, in brackets, may hold anything; what follows it does not.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, started_ticks = fields[0], int(fields[19])
        return None if state in "ZX" else cls(pid, started_ticks)

    def alive(self) -> bool:
        """Tell whether this very process still runs."""
        return ProcessId.of(self.pid) == self

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; tells whether it came in time."""
        end = time.monotonic() + timeout_s
        while self.alive():
            if time.monotonic() > end:
                return False
            time.sleep(_POLL_S)
        return True

    def end(self, number: signal.Signals, timeout_s: float) -> None:
        """Ask it to end, and kill it with its whole group if it does not."""
        self.send(number)
        if not self.wait(timeout_s) and self.alive():
            kill_group(self.pid)
            self.wait(timeout_s)


def kill_group(pid: int) -> None:
    """Kill a process that leads a session, and everything that it started."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
