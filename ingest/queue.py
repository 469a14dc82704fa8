"""The queue: how jobs are named, written and carried by Redis."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from arq import ArqRedis, create_pool
from arq.connections import RedisSettings
from redis.exceptions import RedisError

from ingest.errors import QueueUnreachableError
from ingest.settings import IngestSettings

QUEUE = "nimbostac"
"""Name of the arq queue."""
MASK = "mask_product"
"""Name of the job that masks and publishes one product."""

_CONNECT_TIMEOUT_S = 5


def job_id(engine: str, product: str) -> str:
    """Name the job of one product and engine; whoever asks for the same shares the job."""
    return f"mask:{engine}:{product}"


def progress_key(job: str) -> str:
    """Redis hash that says how far a job is: ``step``, ``done``, ``total``, ``error``."""
    return f"nimbostac:progress:{job}"


def dump(data: dict[str, Any]) -> bytes:
    """Write a job or its result.

    JSON, where arq would pickle: whoever can write to Redis must not have code run by reading,
    and an error of any class can be read by a process that does not know the class.
    """
    return json.dumps(data, default=_text).encode()


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
        queue = await create_pool(
            redis_settings(settings),
            job_serializer=dump,
            job_deserializer=load,
            default_queue_name=QUEUE,
        )
        try:
            yield queue
        finally:
            await queue.aclose(close_connection_pool=True)


@contextmanager
def translated(settings: IngestSettings) -> Iterator[None]:
    """Say where Redis was looked for when it does not answer."""
    try:
        yield
    except (RedisError, OSError) as error:
        url = settings.redis_url
        place = f"{url.host}:{url.port or 6379}"
        raise QueueUnreachableError(place, str(error) or type(error).__name__) from error


def _text(value: object) -> str:
    return f"{type(value).__name__}: {value}"
