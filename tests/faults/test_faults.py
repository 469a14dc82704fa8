"""Nothing lost, nothing twice: a platform of real processes, struck at random moments.

Each test plays rounds of the same products with chosen faults and a fixed seed, and compares
storage, pgstac, the ledger and scratch with an undisturbed run. ``python -m tests.bench.faults``
plays many.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.faults import faults, rounds
from tests.faults.faults import Fault
from tests.faults.rounds import Undisturbed
from tests.faults.site import Plan, Site, site


@dataclass(frozen=True)
class Struck:
    """A site, and what it comes to when nothing goes wrong."""

    site: Site
    calm: Undisturbed

    def play(self, seed: int, *kinds: type[Fault]) -> None:
        for kind in kinds:
            why = faults.missing(kind, self.site)
            if why is not None:
                pytest.skip(why)
        found = rounds.play(self.site, self.calm, seed, kinds)
        assert not found.difference, f"{found}\n{self.site.told()}"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Struck]:
    """Masks in a bucket, and a Redis that forgets."""
    with site(Plan("bucket", redis_keeps=False)) as made:
        yield Struck(made, rounds.undisturbed(made))


@pytest.fixture(scope="module")
def folder() -> Iterator[Struck]:
    """Masks in a folder, and a Redis that keeps."""
    with site(Plan("folder", redis_keeps=True)) as made:
        yield Struck(made, rounds.undisturbed(made))


def test_processes_that_are_killed_lose_nothing_and_double_nothing(bucket: Struck) -> None:
    bucket.play(1, faults.KillMasker, faults.KillPublisher, faults.KillDispatcher)


def test_a_redis_that_forgets_everything_loses_nothing(bucket: Struck) -> None:
    bucket.play(2, faults.RestartRedis, faults.WipeRedis, faults.SecondBackfill)


def test_an_object_store_and_a_scratch_disk_that_come_back_lose_nothing(bucket: Struck) -> None:
    bucket.play(3, faults.CutStore, faults.FillScratch)


def test_a_database_that_is_killed_loses_nothing(folder: Struck) -> None:
    folder.play(4, faults.KillPostgres, faults.RestartRedis)


def test_a_cut_of_power_loses_nothing(folder: Struck) -> None:
    folder.play(5, faults.KillAll, faults.RestartPostgres, faults.CutStore)


def test_clocks_that_jump_change_nothing(folder: Struck) -> None:
    folder.play(6, faults.JumpClock, faults.KillPublisher, faults.SecondBackfill)
