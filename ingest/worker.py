"""The worker: takes jobs from the queue, one product at a time."""

import logging

from arq import func
from arq.worker import Worker

from ingest import jobs
from ingest.jobs import Work
from ingest.queue import MASK, QUEUE, dump, load, redis_settings, translated
from ingest.settings import IngestSettings
from producer.storage import Storage

logger = logging.getLogger(__name__)

_HEALTH_S = 5
_RESULT_KEPT_S = 7 * 86400


def build(settings: IngestSettings, work: Work, *, burst: bool = False) -> Worker:
    """Build a worker that is not running yet; call it where its event loop is to be.

    Args:
        settings: Where Redis is, and how patient to be.
        work: What its jobs do.
        burst: Whether to end once the queue is empty.
    """
    return Worker(
        functions=[func(jobs.mask_product, name=MASK, max_tries=settings.tries)],
        queue_name=QUEUE,
        redis_settings=redis_settings(settings),
        job_serializer=dump,
        job_deserializer=load,
        ctx={"settings": settings, "work": work},
        max_jobs=1,
        job_timeout=settings.job_timeout_s,
        job_completion_wait=settings.stop_wait_s,
        keep_result=_RESULT_KEPT_S,
        health_check_interval=_HEALTH_S,
        burst=burst,
    )


def run(settings: IngestSettings) -> None:
    """Work until told to stop by SIGTERM or SIGINT.

    Raises:
        StorageError: The store cannot be opened.
        QueueUnreachableError: Redis does not answer, or stopped answering.
    """
    from producer.masking import Masker  # noqa: PLC0415 - engines are for workers only

    store = Storage.from_url(settings.store_url)
    work = Work(store, lambda engine: Masker(store, engine))
    logger.info("masks go to %s", store.url)
    with translated(settings):
        build(settings, work).run()
    logger.info("stopped")
