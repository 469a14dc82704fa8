"""Parts of the platform as processes that are watched, for benches of the lanes."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

MODULE = "tests.ingest.lanes.process"
ROOT = Path(__file__).parents[2]
_TIMEOUT_S = 3600.0
_LOOK_S = 1.0


@dataclass
class Watched:
    """A process, and what it took."""

    name: str
    process: "subprocess.Popen[bytes]"
    rss_mib: list[float] = field(default_factory=list)
    """Resident memory, in the order of time."""

    def look(self) -> None:
        """Take down what it has now."""
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended")
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                self.rss_mib.append(int(line.split()[1]) / 1024)

    @property
    def growth_mib(self) -> float:
        """Median of the last quarter less that of the second; in the first it warms up."""
        quarter = max(1, len(self.rss_mib) // 4)
        early = self.rss_mib[quarter : 2 * quarter] or self.rss_mib
        return statistics.median(self.rss_mib[-quarter:]) - statistics.median(early)

    @property
    def cpu_s(self) -> float:
        """Processor seconds of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def processes(folder: Path, wanted: Sequence[tuple[str, ...]]) -> Iterator[list[Watched]]:
    """Run dispatchers and workers while the block runs; stop them in order."""
    started: list[Watched] = []
    try:
        for arguments in wanted:
            name = arguments[-1].removeprefix("--")
            with (folder / f"{name}-{len(started)}.log").open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", MODULE, *arguments], cwd=ROOT, stdout=log, stderr=log
                )
            started.append(Watched(name, process))
        yield started
    finally:
        for one in started:
            one.process.terminate()
        for one in started:
            one.process.wait(60)


def seconds_until_done(
    wanted: int, running: Sequence[Watched], tell: Callable[[str], None], before: int = 0
) -> float:
    """Wait until so many products are done; gives the seconds that all of them would take.

    Counted from the first that is done, so that the start of the processes is left out.

    Args:
        wanted: How many.
        running: What is watched meanwhile.
        tell: Told how far it is.
        before: How many were done before.
    """
    began, looked = time.monotonic(), 0.0
    first: tuple[float, int] | None = None
    with psycopg.connect(autocommit=True) as connection:
        while (count := done(connection)) < wanted:
            now = time.monotonic()
            if now - began > _TIMEOUT_S:
                raise TimeoutError(f"{count} of {wanted} after an hour")
            if first is None and count > before:
                first = now, count
            if now - looked > _LOOK_S:
                looked = now
                tell(f"{count} of {wanted}")
                for one in running:
                    one.look()
            time.sleep(0.25)
    start, had = first or (began, before)
    return (time.monotonic() - start) * (wanted - before) / max(1, wanted - had)


def done(connection: psycopg.Connection) -> int:
    """Count the products that are done, as the ledger does: to look at each would slow it down."""
    row = connection.execute(
        "SELECT coalesce(sum(n), 0) FROM ("
        " SELECT n FROM ledger.tallies WHERE backfill = '' AND state = 'done'"
        " UNION ALL SELECT n FROM ledger.changes WHERE backfill = '' AND state = 'done'"
        ") counted"
    ).fetchone()
    return int(row[0]) if row else 0
