"""The faults: each strikes a site at some moment, and is over at a later one."""

from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from random import Random
from typing import ClassVar

import redis as redis_client

from tests.faults.parts import FAKETIME, Part
from tests.faults.site import Site


class Fault(ABC):
    """Something that goes wrong."""

    kind: ClassVar[str]

    def __init__(self, site: Site, chance: Random) -> None:
        self.site = site
        self.chance = Random(chance.random())

    @abstractmethod
    def strike(self) -> None:
        """Do it."""

    @abstractmethod
    def heal(self) -> None:
        """Let what was struck go on."""

    def end(self) -> None:  # noqa: B027 - most have nothing to wait for
        """Wait for what could not be done while another fault lasted."""


class _Kill(Fault):
    """Kill processes, and start them again later."""

    @abstractmethod
    def victims(self) -> list[Part]:
        """Choose them."""

    def strike(self) -> None:
        for part in self.victims():
            part.kill()

    def heal(self) -> None:
        # Whoever killed them: a second fault of the same round heals for both.
        for part in self.site.processes:
            if not part.lives():
                part.start()


class KillMasker(_Kill):
    kind = "kill -9 a mask worker"

    def victims(self) -> list[Part]:
        return [self.chance.choice(self.site.maskers)]


class KillPublisher(_Kill):
    kind = "kill -9 a publisher"

    def victims(self) -> list[Part]:
        return [self.chance.choice(self.site.publishers)]


class KillDispatcher(_Kill):
    kind = "kill -9 the dispatchers"

    def victims(self) -> list[Part]:
        # Either may be the one that acts.
        return self.chance.sample(self.site.dispatchers, self.chance.choice([1, 2]))


class KillAll(_Kill):
    kind = "kill -9 every process"

    def victims(self) -> list[Part]:
        return self.site.processes


class RestartRedis(Fault):
    """Redis is killed; what it finds when it starts depends on the site."""

    kind = "kill -9 and restart Redis"

    def strike(self) -> None:
        self.site.redis.stop()

    def heal(self) -> None:
        self.site.redis.start()


class WipeRedis(Fault):
    """All that Redis holds is deleted."""

    kind = "wipe Redis"

    def strike(self) -> None:
        with (
            suppress(redis_client.ConnectionError),
            redis_client.Redis.from_url(self.site.redis.url) as client,
        ):
            client.flushall()

    def heal(self) -> None:
        self.strike()


class RestartPostgres(Fault):
    """PostgreSQL is stopped without taking leave of anybody."""

    kind = "restart PostgreSQL (immediate)"

    def strike(self) -> None:
        if self.site.postgres.answers():
            self.site.postgres.stop()

    def heal(self) -> None:
        # Another fault of the round may have started it again.
        if not self.site.postgres.answers():
            self.site.postgres.start()


class KillPostgres(RestartPostgres):
    """PostgreSQL's first process is killed."""

    kind = "kill -9 PostgreSQL"

    def strike(self) -> None:
        if self.site.postgres.answers():
            self.site.postgres.kill()


class FillScratch(Fault):
    """The scratch disk is full."""

    kind = "fill the scratch disk"

    def strike(self) -> None:
        self.site.scratch.fill()

    def heal(self) -> None:
        self.site.scratch.clear()


class CutStore(Fault):
    """The object store, or the folder of masks, cannot be reached."""

    kind = "cut the object store"

    def strike(self) -> None:
        if self.site.plan.store == "bucket":
            self.site.wire.kill()
            return
        masks = self.site.home / "masks"
        masks.rename(masks.with_name("away"))
        # A file in its place: a user without limits could write into any folder.
        masks.touch()

    def heal(self) -> None:
        if self.site.plan.store == "bucket":
            self.site.wire.start()
            return
        masks = self.site.home / "masks"
        masks.unlink()
        masks.with_name("away").rename(masks)


class SecondBackfill(Fault):
    """Another backfill, more urgent, over the same products."""

    kind = "two backfills over the same products"

    def __init__(self, site: Site, chance: Random) -> None:
        super().__init__(site, chance)
        # Beside the other faults, for one of them may have to be over first.
        self._beside = ThreadPoolExecutor(1)
        self._asked: list[Future[None]] = []

    def strike(self) -> None:
        self._asked.append(self._beside.submit(self.site.want, self.chance.choice([0, 5, 9])))

    def heal(self) -> None:
        self.strike()

    def end(self) -> None:
        self._beside.shutdown()
        for one in self._asked:
            one.result()


class JumpClock(Fault):
    """The clocks of some hosts go wrong, by days or years, and right again."""

    kind = "clock jumps"

    def strike(self) -> None:
        for part in self.chance.sample(self.site.processes, 3):
            part.set_clock(self.chance.choice([-4000, -30, -1, 1, 30, 4000]))

    def heal(self) -> None:
        for part in self.site.processes:
            part.set_clock(0)


KINDS: tuple[type[Fault], ...] = (
    KillMasker,
    KillPublisher,
    KillDispatcher,
    KillAll,
    RestartRedis,
    WipeRedis,
    RestartPostgres,
    KillPostgres,
    FillScratch,
    CutStore,
    SecondBackfill,
    JumpClock,
)


def missing(kind: type[Fault], site: Site) -> str | None:
    """Say why a fault cannot be had here; ``None`` where it can."""
    if kind is FillScratch and not site.scratch.mounted:
        return "a disk that may be filled has to be mounted, which only root may do"
    if kind is JumpClock and FAKETIME is None:
        return "libfaketime is not installed"
    return None
