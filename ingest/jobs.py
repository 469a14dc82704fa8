"""The job: one product masked, stored and published, however often it is started."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from arq import Retry
from arq.constants import in_progress_key_prefix
from redis.exceptions import RedisError

from ingest import items, pgstac, publishing
from ingest.errors import IngestError
from ingest.queue import progress_key
from producer.errors import ProducerError
from producer.layout import METADATA, file_key, stem_key
from producer.product import ProductName
from producer.record import MaskRecord
from producer.storage import Storage

if TYPE_CHECKING:
    from arq import ArqRedis

    from ingest.settings import IngestSettings
    from producer.engines import Progress

logger = logging.getLogger(__name__)

T = TypeVar("T")

_LONGEST_WAIT_S = 900
_PROGRESS_KEPT_S = 7 * 86400


class Masker(Protocol):
    """What a job needs of the producer; the worker brings the real one, a test a fake."""

    def mask(self, source: str, progress: "Progress") -> MaskRecord:
        """Mask one product and store the mask, or read the record of one that is there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended."""

    product: str
    state: Literal["published", "unchanged", "failed"]
    seconds: float
    collection: str | None = None
    cloud_cover: float | None = None
    """Per cent; ``None`` where nothing is known of the sky."""
    kind: str | None = None
    """Class of the error."""
    reason: str | None = None
    """What the error says."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker holds from one job to the next."""

    store: Storage
    load_masker: Callable[[str], Masker]
    """Gives the masker of an engine by name; called once an engine."""
    maskers: dict[str, Masker] = field(default_factory=dict)

    def run(self, source: str, engine: str, progress: "Progress") -> Outcome:
        """Mask, store and publish one product.

        Raises:
            ProducerError: The mask cannot be made or stored.
            IngestError: It cannot be published.
        """
        began = time.monotonic()
        if engine not in self.maskers:
            self.maskers[engine] = self.load_masker(engine)
        record = self.maskers[engine].mask(source, progress)
        progress("publish", 0, 1)
        key = stem_key(ProductName.parse(record.product), record.engine.name, record.engine.version)
        found = publishing.Found(file_key(key, METADATA), record)
        with pgstac.opened() as database:
            changed = publishing.publish(self.store, [found], database, only_changed=True)
        progress("publish", 1, 1)
        return Outcome(
            product=record.product,
            state="published" if changed else "unchanged",
            seconds=round(time.monotonic() - began, 1),
            collection=found.collection,
            cloud_cover=items.cloud_cover(record),
        )


async def mask_product(ctx: dict[str, Any], source: str, engine: str) -> dict[str, Any]:
    """Bring one product to the catalogue; doing it again does nothing.

    Args:
        ctx: What arq and the worker hold: ``work``, ``settings``, ``redis``, ``job_id``,
            ``job_try``.
        source: Where the product lies, as the worker sees it.
        engine: Name in the registry of engines.

    Returns:
        The fields of an ``Outcome``.

    Raises:
        Retry: It did not work, and trying later may help.
    """
    settings: IngestSettings = ctx["settings"]
    work: Work = ctx["work"]
    attempt: int = ctx["job_try"]
    product = ctx["job_id"].rpartition(":")[2]
    began = time.monotonic()
    async with _reported(ctx["redis"], ctx["job_id"], settings.lease_s) as report:
        try:
            outcome = await _in_thread(lambda: work.run(source, engine, report.tell))
        except (ProducerError, IngestError) as error:
            if error.passing and attempt < settings.tries:
                wait_s = min(settings.retry_s * 3 ** (attempt - 1), _LONGEST_WAIT_S)
                logger.warning("%s: %s; once more in %.0f s", product, error, wait_s)
                report.error = str(error)
                raise Retry(defer=wait_s) from error
            outcome = Outcome(
                product=product,
                state="failed",
                seconds=round(time.monotonic() - began, 1),
                kind=type(error).__name__,
                reason=str(error),
            )
    if outcome.state == "failed":
        logger.error("%s: failed: %s", product, outcome.reason)
    else:
        logger.info("%s: %s after %.1f s", product, outcome.state, outcome.seconds)
    return asdict(outcome)


class _Report:
    """The last that was said of a job's progress."""

    def __init__(self) -> None:
        self.latest = ("start", 0, 1)
        self.error = ""

    def tell(self, step: str, done: int, total: int) -> None:
        """Take note; called from the thread that masks, as often as it likes."""
        self.latest = (step, done, total)

    async def send(self, redis: "ArqRedis", job: str) -> None:
        """Write it where who follows the job reads it."""
        step, done, total = self.latest
        fields = {"step": step, "done": done, "total": total, "error": self.error}
        async with redis.pipeline() as pipe:
            pipe.hset(progress_key(job), mapping=fields)
            pipe.expire(progress_key(job), _PROGRESS_KEPT_S)
            await pipe.execute()


@asynccontextmanager
async def _reported(redis: "ArqRedis", job: str, lease_s: float) -> AsyncIterator[_Report]:
    """Report progress and hold the job while the block runs.

    arq hides a job that is being worked on for its longest timeout, hours after a worker was
    killed. Here the job is held by a short lease that is renewed while its worker lives.
    """
    report = _Report()

    async def beat() -> None:
        while True:
            # A Redis that is gone ends the worker elsewhere; what is masked now is not lost.
            with suppress(RedisError, OSError):
                await redis.pexpire(in_progress_key_prefix + job, int(lease_s * 1000))
                await report.send(redis, job)
            await asyncio.sleep(min(0.5, lease_s / 4))

    beating = asyncio.create_task(beat())
    try:
        yield report
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        with suppress(RedisError, OSError):
            await report.send(redis, job)


async def _in_thread(work: Callable[[], T]) -> T:
    """Run work in a thread of its own, so that the worker goes on saying that it lives.

    The thread is a daemon: a worker that has to stop does not wait for it, because nothing is
    lost by ending it anywhere.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            failure = error
        # The loop may be closed already: then nobody waits for what came out.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="mask", daemon=True).start()
    return await future
