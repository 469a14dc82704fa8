"""Backfills: many products put into the queue, and followed until the last one is done."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from itertools import islice
from typing import Any, Literal

from arq import ArqRedis
from arq.constants import job_key_prefix, result_key_prefix
from arq.jobs import deserialize_result

from ingest.jobs import Outcome
from ingest.queue import MASK, QUEUE, job_id, load, progress_key

_EXPIRES = timedelta(days=90)
"""arq forgets a job that waited for a day; a backfill may take weeks."""
_POLL_S = 0.5
_CHUNK = 1000
"""Jobs that one round trip asks after."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A product to be masked."""

    product: str
    """Its name, or what its folder is called."""
    source: str
    """Where it lies, as the worker sees it."""


@dataclass(frozen=True, slots=True)
class Running:
    """How far a job is."""

    product: str
    step: str
    done: int
    total: int
    error: str
    """Why the last try did not work, if it is to be tried again."""


@dataclass(frozen=True, slots=True)
class Status:
    """One look at the jobs that are not done yet."""

    outcomes: tuple[Outcome, ...]
    """What ended since the last look."""
    running: tuple[Running, ...]
    """What has said something so far, up to a handful."""
    left: int
    """Jobs that are not done."""
    worker: Literal["lives", "missing"]
    """Whether any worker has said lately that it lives."""


async def enqueue(queue: ArqRedis, wanted: Iterable[Wanted], engine: str) -> dict[str, Wanted]:
    """Queue a job for each product; one that is queued or running already stays as it is.

    What a job of the same product came to before is forgotten: asking again means trying again,
    which does nothing where the mask is there.

    Returns:
        What was asked for, by the id of its job.

    Raises:
        RedisError: Redis does not answer.
    """
    jobs = {job_id(engine, one.product): one for one in wanted}
    for chunk in _chunks(jobs):
        await queue.delete(
            *(result_key_prefix + job for job in chunk), *(progress_key(job) for job in chunk)
        )
        for job in chunk:
            await queue.enqueue_job(
                MASK,
                jobs[job].source,
                engine,
                _job_id=job,
                _queue_name=QUEUE,
                _expires=_EXPIRES,
            )
    return jobs


async def follow(queue: ArqRedis, jobs: dict[str, Wanted]) -> AsyncIterator[Status]:
    """Look after jobs until all are done.

    Args:
        queue: Where they are.
        jobs: What ``enqueue`` gave.

    Raises:
        RedisError: Redis does not answer; the jobs go on where there is a worker.
    """
    left = list(jobs)
    while left:
        outcomes: list[Outcome] = []
        still: list[str] = []
        for chunk in _chunks(left):
            for job, outcome in await _outcomes(queue, chunk, jobs):
                if outcome is None:
                    still.append(job)
                else:
                    outcomes.append(outcome)
        left = still
        running = await _running(queue, left, jobs)
        lives = await queue.exists(f"{QUEUE}:health-check")
        yield Status(tuple(outcomes), running, len(left), "lives" if lives else "missing")
        if left:
            await asyncio.sleep(_POLL_S)


async def _outcomes(
    queue: ArqRedis, chunk: Sequence[str], jobs: dict[str, Wanted]
) -> list[tuple[str, Outcome | None]]:
    async with queue.pipeline() as pipe:
        for job in chunk:
            pipe.get(result_key_prefix + job)
            pipe.exists(job_key_prefix + job)
        answers = await pipe.execute()
    found: list[tuple[str, Outcome | None]] = []
    for job, result, waits in zip(chunk, answers[::2], answers[1::2], strict=True):
        product = jobs[job].product
        if result is not None:
            found.append((job, _read(product, result)))
        elif not waits:
            reason = "Redis has forgotten the job; run the same command again"
            found.append((job, _failed(product, "LostJob", reason)))
        else:
            found.append((job, None))
    return found


def _read(product: str, data: bytes) -> Outcome:
    result = deserialize_result(data, deserializer=load)
    if not result.success:
        # An error that nobody foresaw, or a worker that died over this product each time.
        kind, _, reason = str(result.result).partition(": ")
        return _failed(product, kind, reason or kind)
    known = {one.name for one in fields(Outcome)}
    return Outcome(**{key: value for key, value in result.result.items() if key in known})


def _failed(product: str, kind: str, reason: str) -> Outcome:
    return Outcome(product=product, state="failed", seconds=0.0, kind=kind, reason=reason)


async def _running(
    queue: ArqRedis, left: Sequence[str], jobs: dict[str, Wanted]
) -> tuple[Running, ...]:
    # Jobs run in the order they were queued in, so the first hundred tell enough.
    first = left[:100]
    if not first:
        return ()
    async with queue.pipeline() as pipe:
        for job in first:
            pipe.hgetall(progress_key(job))
        answers: list[dict[bytes, bytes]] = await pipe.execute()
    found = [
        _progress(jobs[job].product, {key.decode(): value.decode() for key, value in told.items()})
        for job, told in zip(first, answers, strict=True)
        if told
    ]
    return tuple(found[:4])


def _progress(product: str, told: dict[str, Any]) -> Running:
    return Running(product, told["step"], int(told["done"]), int(told["total"]), told["error"])


def _chunks(jobs: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(jobs)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
