"""What ingest can be told by the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, RedisDsn

from producer.settings import ProducerSettings


class IngestSettings(ProducerSettings):
    """Queues, workers and the dispatcher; the database is named by ``PG*`` variables."""

    redis_url: RedisDsn = RedisDsn("redis://127.0.0.1:6379/0")
    """Redis that carries the jobs."""
    scratch: Path = Path("~/.cache/nimbostac/scratch")
    """Folder for remote products until they are masked. The workers of the lanes ``stage`` and
    ``mask`` must see the same one; what lies there and is not wanted is removed."""
    scratch_free_gib: Annotated[float, Field(ge=0)] = 10
    """GiB that must be left free in scratch before another product is fetched."""
    scratch_products: Annotated[int, Field(ge=1)] = 100
    """Products that may lie in scratch before another one is fetched."""
    stage_jobs: Annotated[int, Field(ge=1)] = 4
    """Products that a worker fetches at once."""
    queue_high: Annotated[int, Field(ge=1)] = 100
    """Jobs that the dispatcher fills the queue of a lane up to."""
    queue_low: Annotated[int, Field(ge=0)] = 50
    """Jobs in a queue at which the dispatcher fills it up again."""
    publish_batch: Annotated[int, Field(ge=1)] = 1000
    """Items that are published by one job, where there are as many."""
    tries: Annotated[int, Field(ge=1)] = 7
    """How often a product is tried where trying again may help, the first time included."""
    retry_s: Annotated[float, Field(gt=0)] = 10
    """Seconds before the second try; the wait triples each time, up to a quarter of an hour."""
    probe_s: Annotated[float, Field(gt=0)] = 60
    """Seconds between two tries of an engine that failed on everything."""
    lease_s: Annotated[float, Field(ge=1)] = 60
    """Seconds until the product of a worker that died is given to another one."""
    patience_s: Annotated[float, Field(ge=0)] = 30
    """Seconds that a worker with a result waits for a database that does not answer."""
    poll_s: Annotated[float, Field(gt=0)] = 0.1
    """Seconds between two looks at a queue."""
    job_timeout_s: Annotated[float, Field(gt=0)] = 6 * 3600
    """Seconds that one product may take in one lane."""
    stop_wait_s: Annotated[int, Field(ge=1)] = 20
    """Seconds that a worker asked to stop goes on with its product before it gives it back."""
