"""A site: everything of a platform on one machine, as real processes that faults can strike."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.request import Request, urlopen

import psycopg
import redis as redis_client

from ingest import ledger, pgstac
from ingest.backfills import creating
from ingest.backfills.spec import BackfillSpec
from ingest.errors import DatabaseUnreachableError
from ingest.lanes import queues
from producer.storage import Storage
from tests import products, records, servers
from tests.faults.parts import Disk, Part, Postgres, Redis

ENGINE = "ukis-csmask"
LOCAL = 8
"""Products that lie on the disk."""
REMOTE = 2
"""Products that must be fetched from a bucket first."""
PATIENCE_S = 300.0

_LANES = 6
"""Lanes that two maskers and two publishers work in."""

_QUICK = {
    "RETRY_S": "0.2",
    "PROBE_S": "0.5",
    "LEASE_S": "8",
    "POLL_S": "0.2",
    "STOP_WAIT_S": "2",
    "QUEUE_HIGH": "8",
    "QUEUE_LOW": "4",
    "PUBLISH_BATCH": "4",
    "SCRATCH_FREE_GIB": "0",
    "STAGE_JOBS": "1",
    "TRIES": "30",
}


@dataclass(frozen=True)
class Plan:
    """What a site is made of."""

    store: Literal["bucket", "folder"] = "bucket"
    redis_keeps: bool = False
    """Whether Redis finds on its disk what it had when it was killed."""


class Site:
    """A running platform; the environment of this process names its servers."""

    def __init__(self, plan: Plan, home: Path) -> None:
        self.plan = plan
        self.home = home
        self.postgres = Postgres(home, servers.free_port())
        self.redis = Redis(_made(home / "redis"), servers.free_port(), keeps=plan.redis_keeps)
        self.scratch = Disk(home / "scratch")
        bucket, wire = servers.free_port(), servers.free_port()
        endpoint = f"http://127.0.0.1:{wire}"
        self.environment = {
            **self.postgres.environment,
            **{f"NIMBOSTAC_{name}": value for name, value in _QUICK.items()},
            "PGDATABASE": "postgres",
            "NIMBOSTAC_REDIS_URL": self.redis.url,
            "NIMBOSTAC_STORE_URL": "s3://masks" if plan.store == "bucket" else str(home / "masks"),
            "NIMBOSTAC_SCRATCH": str(self.scratch.folder),
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": "eu-central-1",
            "AWS_ALLOW_HTTP": "true",
        }
        logs = _made(home / "logs")
        self._bucket_port, self._wire_port = bucket, wire
        self.bucket = Part("bucket", ["moto.server", "-p", str(bucket)], {}, logs)
        self.wire = Part("wire", ["tests.faults.wire", str(wire), str(bucket)], {}, logs)
        self.dispatchers = self._parts("dispatcher", ["--dispatcher"])
        self.maskers = self._parts("masker", ["--lane", "stage", "--lane", "mask"])
        self.publishers = self._parts("publisher", ["--lane", "publish"])
        self.sources: list[str] = []
        """Paths and addresses of its products."""

    @property
    def processes(self) -> list[Part]:
        """All dispatchers and workers."""
        return [*self.dispatchers, *self.maskers, *self.publishers]

    @property
    def store(self) -> Storage:
        """Where masks go, for this process to look at."""
        return Storage.from_url(self.environment["NIMBOSTAC_STORE_URL"])

    def want(self, priority: int = 5) -> None:
        """Ask for all products of the site in a backfill of their own."""
        source = {"kind": "names", "names": self.sources}
        told = {"source": source, "engine": ENGINE, "priority": priority}
        spec = BackfillSpec.read(told)

        def created() -> bool:
            try:
                with ledger.opened() as book:
                    creating.create(book, spec, "test")
            except DatabaseUnreachableError:
                return False
            return True

        self.wait(created, "a backfill")

    def forget(self) -> None:
        """Have storage, pgstac, the ledger and Redis as they were in the beginning."""
        tables = "products, backfills, backfill_products, tallies, changes, pace, brakes"
        with psycopg.connect(autocommit=True) as connection:
            names = ", ".join(f"ledger.{table}" for table in tables.split(", "))
            connection.execute(f"TRUNCATE {names}".encode())
            connection.execute("DELETE FROM pgstac.items")
        with redis_client.Redis.from_url(self.redis.url) as client:
            client.flushall()
        for one in list(self.store.list()):
            self.store.delete(one.key)

    def done(self) -> bool:
        """Tell whether nothing is left to do."""
        try:
            with psycopg.connect(autocommit=True, connect_timeout=5) as connection:
                rows = connection.execute(
                    "SELECT state::text FROM ledger.products UNION ALL"
                    " SELECT state FROM ledger.backfills"
                ).fetchall()
        except psycopg.OperationalError:
            return False
        return {state for (state,) in rows} <= {"done", "failed", "aborted"}

    def ready(self) -> bool:
        """Tell whether every process has been heard of."""
        with ledger.opened() as book, redis_client.Redis.from_url(self.redis.url) as client:
            return len(book.workers()) == _LANES and bool(client.exists(queues.DISPATCHER))

    def wait(self, happened: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until something has happened.

        Raises:
            TimeoutError: It did not; says what the ledger and the processes tell.
        """
        end = time.monotonic() + patience_s
        while not happened():
            if time.monotonic() > end:
                raise TimeoutError(f"{what} has not happened\n{self.told()}")
            time.sleep(0.05)

    def told(self) -> str:
        """Put together what may explain a failure."""
        with psycopg.connect(autocommit=True) as connection:
            rows = connection.execute(
                "SELECT id, turn, lane, state, attempts, due - clock_timestamp(),"
                " lease - clock_timestamp(), error FROM ledger.products WHERE state <> 'done'"
            ).fetchall()
        lines = [str(row) for row in rows]
        for part in self.processes:
            lines += [f"--- {part.name} {'lives' if part.lives() else 'is dead'}"]
            lines += part.log.read_text(errors="replace").splitlines()[-40:]
        return "\n".join(lines)

    def _parts(self, name: str, arguments: Sequence[str]) -> list[Part]:
        command = ["tests.faults.process", *arguments]
        logs = self.home / "logs"
        return [Part(f"{name}-{n}", command, self.environment, logs) for n in (1, 2)]

    def _serve(self, stack: ExitStack) -> None:
        if os.getuid() == 0:
            shutil.chown(self.home, "postgres")
        self.postgres.create()
        self.postgres.start()
        stack.callback(self.postgres.stop)
        self.redis.start()
        stack.callback(self.redis.stop)
        self.scratch.mount()
        stack.callback(self.scratch.unmount)
        for part in (self.bucket, self.wire):
            part.start()
            stack.callback(part.kill)
        servers.wait_for_port(self._bucket_port)
        servers.wait_for_port(self._wire_port)

    def _provide(self) -> None:
        for name in ("masks", "products"):
            self._create_bucket(name)
        pgstac.migrate()
        ledger.migrate()
        local, bucket = _made(self.home / "products"), Storage.from_url("s3://products")
        for number in range(LOCAL + REMOTE):
            # Over three months and partitions, and two tiles.
            sensed = records.SENSED + timedelta(days=8 * number)
            name = str(records.product_name(("33UUU", "35VLF")[number % 2], sensed))
            if number < LOCAL:
                (local / f"{name}.SAFE").touch()
                self.sources.append(f"{local}/{name}.SAFE")
                continue
            safe = products.flat_product(_made(self.home / "made"), name, 12)
            for file in sorted(safe.rglob("*")):
                if file.is_file():
                    bucket.put(str(file.relative_to(safe.parent)), file.read_bytes())
            self.sources.append(f"s3://products/{safe.name}")

    def _create_bucket(self, name: str) -> None:
        location = (
            "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint>"
            "</CreateBucketConfiguration>"
        )
        address = f"http://127.0.0.1:{self._bucket_port}/{name}"
        urlopen(Request(address, location.encode(), method="PUT")).close()


@contextmanager
def site(plan: Plan) -> Iterator[Site]:
    """Run a site while the block runs."""
    # A short path: a socket's name must fit in 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="nimbostac-site-", dir="/tmp"))
    made = Site(plan, home)
    before = {name: os.environ.get(name) for name in made.environment}
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        stack.callback(_restore, before)
        os.environ.update(made.environment)
        made._serve(stack)
        made._provide()
        for part in made.processes:
            part.start()
            stack.callback(part.kill)
        made.wait(made.ready, "the start of all processes")
        yield made


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
