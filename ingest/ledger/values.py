"""What the ledger is told and tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Lane(StrEnum):
    """A kind of work; a product goes through them in this order."""

    STAGE = "stage"
    """Fetch a remote product to where it can be masked."""
    MASK = "mask"
    PUBLISH = "publish"


class State(StrEnum):
    """Where a product is."""

    HELD = "held"
    """Every backfill that wants it is paused."""
    DUE = "due"
    """Waits for its lane, or for the time of its next attempt."""
    QUEUED = "queued"
    """In the queue of its lane."""
    RUNNING = "running"
    """A worker has it, for as long as its lease runs."""
    DONE = "done"
    FAILED = "failed"
    """Given up; its error says why."""
    ABORTED = "aborted"


class BackfillState(StrEnum):
    """Where a backfill is."""

    LISTING = "listing"
    """Its products are still being looked for; what is found is worked on already."""
    RUNNING = "running"
    PAUSED = "paused"
    ABORTED = "aborted"
    DONE = "done"
    """None of its products has anything to do; some may have failed."""
    FAILED = "failed"
    """Its products could not be listed."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A product that is to be masked."""

    product: str
    """Its name without ``.SAFE``."""
    source: str
    """Where it lies, as a worker sees it."""
    bytes: int | None = None
    """Its size, where known."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What became of wishes."""

    new: int
    """Products that nobody had wanted before."""
    known: int
    """Products on their way already, or tried once more from now on."""
    done: int
    """Products that are masked by this version of the engine."""


@dataclass(frozen=True, slots=True)
class Task:
    """A product and what is to be done with it."""

    id: int
    turn: int
    """Raised each time it is queued: who holds an older turn has no say any more."""
    lane: Lane
    engine: str
    product: str
    source: str
    priority: int
    """0, live, to 9."""
    attempts: int
    """Tries that failed since it was last wanted or came to its lane."""
    staged: str | None
    """Where it was fetched to."""
    record: str | None
    """Key of the record of its mask in storage."""


@dataclass(frozen=True, slots=True)
class Brake:
    """An engine that fails on everything in a lane, or may be about to."""

    engine: str
    failures_in_a_row: int
    stopped: datetime | None
    """Since when nothing of it is taken but one product now and then; ``None`` if it runs."""
    reason: str | None
    """What the last failure said."""


@dataclass(frozen=True, slots=True)
class LaneState:
    """How much there is to do in a lane."""

    lane: Lane
    due: int
    """What waits, delayed ones included."""
    delayed: int
    """Those of ``due`` that wait for the time of their next attempt; counted to 1000."""
    queued: int
    running: int
    failed: int
    held: int
    brakes: tuple[Brake, ...]


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What a worker says of itself."""

    name: str
    """``host:pid:lane``."""
    lane: Lane
    host: str
    pid: int
    device: str | None = None
    product: str | None = None
    """What it is at."""
    step: str | None = None
    done: int | None = None
    total: int | None = None
    scratch_free: int | None = None
    """Bytes that are free where it fetches to."""
    scratch_room: int | None = None
    """Products that it would still fetch."""
    since: datetime | None = None
    """When it started, by the clock of the database."""
    seen: datetime | None = None
    """When it last said that it lives."""
    alive: bool = True


@dataclass(frozen=True, slots=True)
class Backfill:
    """Products that were asked for together."""

    id: str
    name: str
    engine: str
    spec: dict[str, Any]
    """What was asked for."""
    state: BackfillState
    listed: bool
    """Whether all its products are known."""
    priority: int
    cursor: str | None
    """Where listing goes on; ``None`` at its beginning."""
    found: int
    """Products that listing has found so far."""
    skipped: dict[str, int]
    """How many listing left out, by reason."""
    created_by: str
    created: datetime
    updated: datetime
    error: str | None
    """Why listing failed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill is."""

    counts: Mapping[State, int]
    """Products by state; every state is there."""
    rate_per_hour: float
    """Products done, over the last quarter of an hour."""
    eta_s: float | None
    """Seconds until nothing is left to do; ``None`` where nothing moves."""

    @property
    def total(self) -> int:
        """All of its products that are known so far."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Those that have something to do."""
        rest = (State.HELD, State.DUE, State.QUEUED, State.RUNNING)
        return sum(self.counts[state] for state in rest)


@dataclass(frozen=True, slots=True)
class Failure:
    """A product that was given up."""

    id: int
    product: str
    engine: str
    lane: Lane
    source: str
    kind: str
    """Class of the error."""
    error: str
    attempts: int
    updated: datetime


@dataclass(frozen=True, slots=True)
class Covered:
    """What the ledger knows of one product of a tile."""

    product: str
    engine: str
    state: State
    sensed: datetime
    engine_version: str | None
    """Version that made the mask that is there; ``None`` where there is none."""
    detail: str | None
    """Its last error."""
