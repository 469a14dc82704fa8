"""The parts of a site: processes and servers that can be killed and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests import servers

ROOT = Path(__file__).parents[2]
FAKETIME = next(
    iter(
        path
        for folder in ("/usr/lib", "/usr/local/lib")
        for path in sorted(Path(folder).glob("**/faketime/libfaketimeMT.so.1"))
    ),
    None,
)
"""The library that gives a process a clock of its own, where it is installed."""
_START_TIMEOUT_S = 60.0
_DEATH_TIMEOUT_S = 2.0


@dataclass
class Part:
    """A Python process of the site."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        self.set_clock(0)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                cwd=ROOT,
                env={**os.environ, **self.environment, **self._clock()},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> int:
        """Ask it to end; gives its exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self.kill()

    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def set_clock(self, days: int) -> None:
        """Have its clock say another day; it notices within a second."""
        self._clock_file.write_text(f"{days:+d}d\n")

    @property
    def _clock_file(self) -> Path:
        return self.folder / f"{self.name}.clock"

    def _clock(self) -> dict[str, str]:
        if FAKETIME is None:
            return {}
        return {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock_file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


class Postgres(servers.Postgres):
    """A server that has written what it said it has, as far as its process goes."""

    def start(self) -> None:
        durable = "-c full_page_writes=on"
        end = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                servers._as_postgres(*self._control, "-o", f"{self._options} {durable}", "start")
            except RuntimeError:
                # Processes of a server that was killed may still be on their way out.
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        """Stop it at once, unless it has gone by itself."""
        with suppress(RuntimeError):
            super().stop()

    def answers(self) -> bool:
        """Tell whether it serves, or will without anybody's help."""
        address = f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres password=unused"
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            return "the database system is starting up" in str(error)
        return True

    def kill(self) -> None:
        """Kill its first process, which its other ones notice by and by."""
        pid = int((self._home / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        # Who comes to start it again must not find one that is dying.
        end = time.monotonic() + _DEATH_TIMEOUT_S
        while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
            time.sleep(0.01)


class Redis(servers.Redis):
    """A server that either writes each change to disk, or nothing ever."""

    def __init__(self, folder: Path, port: int, *, keeps: bool) -> None:
        super().__init__(folder, port)
        self._keeps = keeps

    def start(self) -> None:
        keep = ["--appendonly", "yes", "--appendfsync", "always"] if self._keeps else []
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["redis-server", *options, "--save", "", "--loglevel", "warning", *keep],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        servers.wait_for_port(self.port)


class Disk:
    """A folder with a disk of its own, small enough to be filled."""

    SIZE_MIB = 24

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mounted = False

    def mount(self) -> None:
        """Make the disk, where this user may; otherwise it is a folder that cannot be filled."""
        self.folder.mkdir()
        if os.getuid() == 0:
            size = f"size={self.SIZE_MIB}m"
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", size, "tmpfs", self.folder],
                check=False,
                capture_output=True,
            )
            self.mounted = done.returncode == 0

    def unmount(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder], check=True, capture_output=True)

    def fill(self) -> None:
        """Leave not a byte."""
        with suppress(OSError), (self.folder / "filling").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(65536))

    def clear(self) -> None:
        (self.folder / "filling").unlink(missing_ok=True)
