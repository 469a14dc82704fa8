"""The private PostgreSQL: found, laid out, tuned to the machine, made ready for pgstac."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.errors import PartError
from deploy.stack.accounts import Account
from deploy.stack.home import Home, write_private
from deploy.stack.part import Part
from deploy.stack.processes import ProcessId

USER = "nimbostac"
DATABASE = "nimbostac"
STOP_SIGNAL = signal.SIGINT
"""What PostgreSQL calls a fast shutdown: no waiting for clients, nothing to recover."""
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL cluster in the data folder of the stack."""

    home: Home
    programs: Path
    """Folder of ``initdb`` and ``postgres``."""
    port: int
    account: Account | None

    @property
    def environment(self) -> dict[str, str]:
        """The ``PG*`` variables that reach it."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": USER,
            "PGPASSWORD": self.home.secret("postgres"),
            "PGDATABASE": DATABASE,
        }

    def create(self) -> None:
        """Lay out the cluster, unless there is one.

        Raises:
            HomeError: The folder cannot be used.
            PartError: ``initdb`` failed.
        """
        folder, scratch = self.home.postgres, self.home.path / "postgres.new"
        if (folder / "PG_VERSION").exists():
            return
        # Laid out beside its place: what a killed initdb leaves is no cluster.
        shutil.rmtree(scratch, ignore_errors=True)
        _make_folder(scratch, self.account)
        password = scratch.parent / ".postgres-password"
        write_private(password, self.home.secret("postgres"))
        if self.account:
            os.chown(password, self.account.uid, self.account.gid)
        log = self.home.log("postgres")
        try:
            with log.open("ab") as output:
                done = subprocess.run(  # noqa: S603 - the program that was found, our own folder
                    [
                        self.programs / "initdb",
                        f"--pgdata={scratch}",
                        f"--username={USER}",
                        f"--pwfile={password}",
                        "--auth=scram-sha-256",
                        "--encoding=UTF8",
                        "--locale=C.UTF-8",
                        "--data-checksums",
                        "--no-instructions",
                    ],
                    check=False,
                    cwd=scratch,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    **(self.account.spawn if self.account else {}),
                )
        finally:
            password.unlink()
        if done.returncode != 0:
            raise PartError("PostgreSQL", "could not lay out its data folder", log)
        scratch.replace(folder)

    def part(self, environment: Mapping[str, str]) -> Part:
        """Describe the server to the supervisor."""
        return Part(
            name="postgres",
            title="PostgreSQL",
            command=(
                str(self.programs / "postgres"),
                *("-D", str(self.home.postgres)),
                *(word for setting in self._tuned() for word in ("-c", setting)),
            ),
            environment={**environment, "PGTZ": "UTC"},
            folder=self.home.postgres,
            log=self.home.log("postgres"),
            ready=self._answers,
            port=self.port,
            account=self.account,
            stop_signal=STOP_SIGNAL,
            stop_timeout_s=60,
        )

    async def create_database(self) -> None:
        """Make the database that pgstac is migrated into, unless it is there."""
        async with await self._connect() as server:
            found = await server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if await found.fetchone() is None:
                await server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    async def _answers(self) -> bool:
        try:
            async with await self._connect() as server:
                await server.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=self.home.secret("postgres"),
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def _tuned(self) -> tuple[str, ...]:
        memory_mib = machine_memory_bytes() // _MIB
        return (
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            # A socket's name must fit in 107 bytes, which a data folder need not.
            "unix_socket_directories=",
            # pgstac's queries are short: compiling them costs more than it saves.
            "jit=off",
            f"shared_buffers={shared_buffers_mib()}MB",
            f"effective_cache_size={memory_mib // 2}MB",
            f"work_mem={_clamped(memory_mib // 512, 4, 64)}MB",
            f"maintenance_work_mem={_clamped(memory_mib // 32, 64, 1024)}MB",
            "max_connections=120",
            "random_page_cost=1.1",
            "max_wal_size=2GB",
            "wal_compression=on",
            "timezone=UTC",
            "log_timezone=UTC",
        )


def shared_buffers_mib() -> int:
    """Tell how much memory the server shares among its processes: an eighth of the machine's."""
    return _clamped(machine_memory_bytes() // _MIB // 8, 128, 4096)


def leftover(folder: Path) -> ProcessId | None:
    """Find a server that still runs on a cluster whose supervisor is gone."""
    try:
        process = ProcessId.of(int((folder / "postmaster.pid").read_text().splitlines()[0]))
        # The number may have been given to anyone since; only a server sits in the folder.
        own = process is not None and Path(f"/proc/{process.pid}/cwd").samefile(folder)
    except (OSError, ValueError, IndexError):
        return None
    return process if own else None


def machine_memory_bytes() -> int:
    """Say how much memory there is, or how much of it this container may use."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return memory
    return min(memory, int(limit)) if limit.isdigit() else memory


def _make_folder(folder: Path, account: Account | None) -> None:
    if account:
        account.own(folder)
    else:
        folder.mkdir(mode=0o700, exist_ok=True)


def _clamped(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))
