"""The arq queues of the lanes: how jobs are named, ordered, written and carried by Redis.

A queue holds only what is due next; the ledger knows everything. So a Redis that forgets costs
seconds: the dispatcher compares both.
"""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from arq import ArqRedis, create_pool
from arq.connections import RedisSettings
from arq.constants import health_check_key_suffix, job_key_prefix
from arq.jobs import deserialize_job_raw
from redis.exceptions import RedisError

from ingest.errors import QueueUnreachableError
from ingest.ledger import Lane, Task
from ingest.settings import IngestSettings

Pair = tuple[int, int]
"""Id of a product in the ledger, and the turn that it was queued for."""

_CONNECT_TIMEOUT_S = 5
_EXPIRES = timedelta(days=30)
"""arq forgets a job that waited for a day; a slow engine's queue may take longer."""
_MOST_IDS = 10**10
DISPATCHER = "nimbostac:dispatcher"
"""Redis key that is there while a dispatcher lives, acting or standing by."""


def name(lane: Lane) -> str:
    """Name the arq queue of a lane."""
    return f"nimbostac:{lane}"


def health_key(lane: Lane) -> str:
    """Redis key that is there while a worker of the lane lives."""
    return name(lane) + health_check_key_suffix


def dump(data: dict[str, Any]) -> bytes:
    """Write a job.

    JSON, where arq would pickle: whoever can write to Redis must not have code run by reading.
    """
    return json.dumps(data, default=str).encode()


def load(data: bytes) -> dict[str, Any]:
    """Read what ``dump`` wrote."""
    read: dict[str, Any] = json.loads(data)
    return read


def redis_settings(settings: IngestSettings) -> RedisSettings:
    """Say to arq where Redis is."""
    told = RedisSettings.from_dsn(str(settings.redis_url))
    told.conn_timeout = _CONNECT_TIMEOUT_S
    told.conn_retries = 0
    return told


@asynccontextmanager
async def opened(settings: IngestSettings) -> AsyncIterator[ArqRedis]:
    """Connect while the block runs.

    Raises:
        QueueUnreachableError: Redis does not answer, or stops answering inside the block.
    """
    with translated(settings):
        redis = await create_pool(
            redis_settings(settings), job_serializer=dump, job_deserializer=load
        )
        try:
            yield redis
        finally:
            await redis.aclose(close_connection_pool=True)


@contextmanager
def translated(settings: IngestSettings) -> Iterator[None]:
    """Say where Redis was looked for when it does not answer."""
    try:
        yield
    except (RedisError, OSError) as error:
        url = settings.redis_url
        place = f"{url.host}:{url.port or 6379}"
        raise QueueUnreachableError(place, str(error) or type(error).__name__) from error


async def put(redis: ArqRedis, lane: Lane, tasks: Sequence[Task]) -> None:
    """Queue one job for tasks that were claimed together.

    Raises:
        RedisError: Redis does not answer.
    """
    first = tasks[0]
    await redis.enqueue_job(
        str(lane),
        [(task.id, task.turn) for task in tasks],
        _job_id=_job_id(lane, first, len(tasks)),
        _queue_name=name(lane),
        _defer_until=_place(first),
        _expires=_EXPIRES,
    )


async def held(redis: ArqRedis, lane: Lane) -> set[Pair]:
    """Tell what a queue holds, what is being worked on included.

    Raises:
        RedisError: Redis does not answer.
    """
    jobs = [job.decode() for job in await redis.zrange(name(lane), 0, -1)]
    found, batches = set(), []
    for job in jobs:
        _, number, turn, *count = job.split(":")
        if count:
            batches.append(job_key_prefix + job)
        else:
            found.add((int(number), int(turn)))
    if batches:
        found.update(_pairs(await redis.mget(batches)))
    return found


async def depth(redis: ArqRedis, lane: Lane) -> int:
    """Count the jobs of a queue, those that are being worked on included."""
    return int(await redis.zcard(name(lane)))


def _job_id(lane: Lane, first: Task, count: int) -> str:
    own = f"{lane}:{first.id}:{first.turn}"
    return own if count == 1 else f"{own}:{count}"


def _place(task: Task) -> datetime:
    """Say when arq may start a job: long ago, the least priority and the oldest task first.

    Never by a host's clock, which may jump: the order is the same on every host, and no job
    lies in anybody's future.
    """
    place_ms = task.priority * _MOST_IDS + task.id % _MOST_IDS
    return datetime.fromtimestamp(place_ms / 1000, UTC)


def _pairs(jobs: Iterable[bytes | None]) -> Iterator[Pair]:
    for job in jobs:
        if job is not None:
            _, args, *_ = deserialize_job_raw(job, deserializer=load)
            yield from ((number, turn) for number, turn in args[0])
