"""Throw-away PostgreSQL and Redis servers for the tests: real, private, fast, gone afterwards."""

import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# What is committed outlives the server, but need not outlive the machine: nothing waits for a disk.
_FAST = "-c fsync=off -c full_page_writes=off -c jit=off"
_SMALL = "-c max_connections=60 -c max_locks_per_transaction=256"
_SHARED_MIB = 64
_START_TIMEOUT_S = 60.0


_PORTS = range(15_000, 32_000)
"""Below those that Linux gives to connections: they stay free while a server is down."""


def free_port() -> int:
    """Find a TCP port that nobody listens on."""
    # Not by a generator that is seeded: who tests beside us would find the same.
    chance = random.SystemRandom()
    while True:
        port = chance.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def postgres_bin() -> Path:
    """Find the newest PostgreSQL of the system.

    Raises:
        RuntimeError: None is installed.
    """
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found:
        on_path = shutil.which("initdb")
        if on_path is None:
            raise RuntimeError("the tests need PostgreSQL with PostGIS: run deploy/test.sh")
        found = [Path(on_path).resolve().parent]
    return max(found, key=lambda path: int("0" + "".join(filter(str.isdigit, path.parent.name))))


def _as_postgres(*command: str | Path) -> None:
    # PostgreSQL refuses to run as root, which CI is.
    switch = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    # Not captured: the server inherits the pipe and would keep it open for ever.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [*switch, *command], check=False, cwd="/", stdout=output, stderr=subprocess.STDOUT
        )
        if done.returncode:
            output.seek(0)
            raise RuntimeError(f"{command[0]} failed: {output.read().decode()}")


class Postgres:
    """One PostgreSQL server with a data folder of its own."""

    def __init__(self, home: Path, port: int, shared_mib: int = _SHARED_MIB) -> None:
        self.port = port
        self._home = home
        shared = f"-c shared_buffers={shared_mib}MB"
        self._options = f"-p {port} -h 127.0.0.1 -k {home} {_FAST} {_SMALL} {shared}"
        self._control = [postgres_bin() / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log"]

    @property
    def environment(self) -> dict[str, str]:
        """The ``PG*`` variables that reach it."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGPASSWORD": "unused",
        }

    def create(self) -> None:
        """Make its data folder."""
        binary = postgres_bin() / "initdb"
        options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        _as_postgres(binary, "-D", self._home / "data", *options)

    def start(self) -> None:
        """Start it and wait until it answers."""
        _as_postgres(*self._control, "-o", self._options, "start")

    def stop(self) -> None:
        """Stop it at once, as a crash would."""
        _as_postgres(*self._control, "-m", "immediate", "stop")


@contextmanager
def postgres(shared_mib: int = _SHARED_MIB) -> Iterator[Postgres]:
    """Run a PostgreSQL server while the block runs.

    Args:
        shared_mib: Memory that its processes share, MiB.
    """
    # A short path: a socket's name must fit in 107 bytes, which pytest's folders do not.
    home = Path(tempfile.mkdtemp(prefix="nimbostac-pg-", dir="/tmp"))
    server = Postgres(home, free_port(), shared_mib)
    try:
        if os.getuid() == 0:
            shutil.chown(home, "postgres")
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


class Redis:
    """One Redis server that keeps nothing on disk."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of its database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        quiet = ["--save", "", "--appendonly", "no", "--loglevel", "warning"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["redis-server", *options, *quiet], stdout=log, stderr=subprocess.STDOUT
            )
        wait_for_port(self.port)

    def stop(self) -> None:
        """Kill it; what it held is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def redis() -> Iterator[Redis]:
    """Run a Redis server while the block runs."""
    with tempfile.TemporaryDirectory(prefix="nimbostac-redis-") as folder:
        server = Redis(Path(folder), free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()


def wait_for_port(port: int) -> None:
    """Wait until a local TCP port takes connections.

    Raises:
        TimeoutError: It did not for a minute.
    """
    end = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise TimeoutError(f"nothing listens on 127.0.0.1:{port}")
