"""What the administration is told and tells, as JSON."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from ingest import ledger
from ingest.ledger import BackfillState, Lane, Role, State


class Told(BaseModel):
    """What is told: made of what the ledger gives."""

    model_config = ConfigDict(from_attributes=True)


class Session(Told):
    """Whose token it is."""

    name: str
    role: Role
    expires: datetime | None


class Backfill(Told):
    """A backfill and how far it is."""

    id: str
    name: str
    engine: str
    state: BackfillState
    priority: int
    created: datetime
    created_by: str
    spec: dict[str, Any]
    found: int
    """Products that listing has found so far."""
    skipped: dict[str, int]
    """How many listing left out, by reason."""
    counts: dict[State, int]
    total: int
    done_share: float
    """Share of its products that are masked, 0 to 1."""
    rate_per_hour: float
    eta_s: float | None
    """Seconds until nothing is left to do; null where nobody can tell."""
    error: str | None
    """Why its products could not be listed."""


class Estimate(Told):
    """What a backfill would come to."""

    engine: str
    engine_reason: str
    """Why it was taken, where `auto` was asked for."""
    found: int
    already_masked: int
    to_do: int
    bytes: int
    bytes_unknown: int
    """Products whose size the source does not tell."""
    expected_s: float | None
    basis: str | None
    """What `expected_s` goes by."""
    skipped: dict[str, int]


class Failure(Told):
    """A product that was given up."""

    id: int
    product: str
    engine: str
    lane: Lane
    source: str
    kind: str
    error: str
    attempts: int
    updated: datetime


class Brake(Told):
    """An engine that fails on everything in a lane, or may be about to."""

    engine: str
    failures_in_a_row: int
    stopped: datetime | None
    reason: str | None


class LaneState(Told):
    """How much there is to do in a lane."""

    lane: Lane
    due: int
    delayed: int
    queued: int
    running: int
    failed: int
    held: int
    brakes: list[Brake]


class Worker(Told):
    """A worker and what it is at."""

    name: str
    lane: Lane
    host: str
    pid: int
    device: str | None
    product: str | None
    step: str | None
    done: int | None
    total: int | None
    scratch_free: int | None
    since: datetime | None
    alive: bool


class Coverage(StrEnum):
    """What there is of a product."""

    MASKED = "masked"
    RUNNING = "running"
    """In a queue, or with a worker."""
    WAITING = "waiting"
    FAILED = "failed"
    MISSING = "missing"
    """Known, without a mask, and nobody is at it."""


_COVERAGE: Mapping[State, Coverage] = {
    State.DONE: Coverage.MASKED,
    State.RUNNING: Coverage.RUNNING,
    State.QUEUED: Coverage.RUNNING,
    State.DUE: Coverage.WAITING,
    State.HELD: Coverage.WAITING,
    State.FAILED: Coverage.FAILED,
    State.ABORTED: Coverage.MISSING,
}


class CoveredProduct(BaseModel):
    """What the ledger knows of one product of a tile."""

    product: str
    engine: str
    state: Coverage
    version: str | None
    """Version of the engine that made the mask that is there."""
    detail: str | None
    """Its last error."""


class CoveredDay(BaseModel):
    """A day on which a tile was sensed."""

    date: date
    products: list[CoveredProduct]


class CoveredTile(BaseModel):
    """Days of a tile."""

    tile: str
    days: list[CoveredDay]

    @classmethod
    def of(cls, tile: str, covered: list[ledger.Covered]) -> Self:
        """Gather products, which come by time, to days."""
        days: dict[date, list[CoveredProduct]] = {}
        for one in covered:
            days.setdefault(one.sensed.date(), []).append(
                CoveredProduct(
                    product=one.product,
                    engine=one.engine,
                    state=_COVERAGE[one.state],
                    version=one.engine_version,
                    detail=one.detail,
                )
            )
        return cls(
            tile=tile,
            days=[CoveredDay(date=day, products=products) for day, products in days.items()],
        )


class Entry(Told):
    """One line of the audit trail."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: dict[str, Any]


class Engine(BaseModel):
    """An engine that backfills may name."""

    name: str
    title: str
    levels: list[str]
    versions: dict[str, str]
    """By level: this server's, or the one that masked last."""


class Everything(BaseModel):
    """What a listener is told."""

    backfills: list[Backfill]
    lanes: list[LaneState]
    workers: list[Worker]


class Release(BaseModel):
    """An engine that is to be taken again."""

    model_config = ConfigDict(extra="forbid")

    engine: str


class Redo(BaseModel):
    """An engine whose masks are to be made again where another version made them."""

    model_config = ConfigDict(extra="forbid")

    engine: str
    version: Annotated[str, Field(min_length=1)]
    """The version that is wanted."""
    priority: Annotated[int, Field(ge=0, le=9)] = 9


class Changed(BaseModel):
    """How many products something was about."""

    products: int


class Problem(BaseModel):
    """Why something was not done."""

    detail: str
