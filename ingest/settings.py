"""What ingest can be told by the environment."""

from typing import Annotated

from pydantic import Field, RedisDsn

from producer.settings import ProducerSettings


class IngestSettings(ProducerSettings):
    """The queue, and how patient its workers are; the database is named by ``PG*`` variables."""

    redis_url: RedisDsn = RedisDsn("redis://127.0.0.1:6379/0")
    """Redis that carries the jobs."""
    tries: Annotated[int, Field(ge=1)] = 7
    """How often a product is tried where trying again may help, the first time included."""
    retry_s: Annotated[float, Field(gt=0)] = 10
    """Seconds before the second try; the wait triples each time, up to a quarter of an hour."""
    lease_s: Annotated[float, Field(ge=1)] = 60
    """Seconds until the product of a worker that died is given to another one."""
    job_timeout_s: Annotated[float, Field(gt=0)] = 6 * 3600
    """Seconds that one product may take."""
    stop_wait_s: Annotated[int, Field(ge=1)] = 20
    """Seconds that a worker asked to stop goes on with its product before it gives it back."""
