import asyncio

import psycopg
import pytest

from ingest import backfill, queue, worker
from ingest.errors import QueueUnreachableError
from ingest.jobs import Outcome, Work
from ingest.settings import IngestSettings
from producer.errors import BandReadError, NoSpaceError
from producer.storage import Storage
from tests import servers
from tests.ingest.fakes import PRODUCT, SOURCE, Fake, settings

WANTED = [backfill.Wanted(PRODUCT, SOURCE)]

# arq ends its connections by a method that redis-py has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")


def run(told: IngestSettings, masker: Fake) -> list[Outcome]:
    """Queue the product, work until the queue is empty, and look what came of it."""

    async def go() -> list[Outcome]:
        async with queue.opened(told) as redis:
            jobs = await backfill.enqueue(redis, WANTED, "ukis-csmask")
            works = worker.build(told, Work(masker.store, lambda _: masker), burst=True)
            try:
                await works.async_run()
            finally:
                await works.close()
            return [
                outcome
                async for status in backfill.follow(redis, jobs)
                for outcome in status.outcomes
            ]

    return asyncio.run(go())


def catalogue() -> list[tuple[str, str]]:
    with psycopg.connect() as connection:
        return connection.execute(
            "SELECT id, content->'assets'->'mask'->>'href' FROM pgstac.items"
        ).fetchall()


def state(store: Storage) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
    """All that a job leaves behind: the files of storage and the rows of the database."""
    return {found.key: store.get(found.key) for found in store.list()}, catalogue()


def test_a_job_masks_stores_and_publishes(pgstac: str, redis_url: str, store: Storage) -> None:
    [outcome] = run(settings(), Fake(store))
    assert (outcome.product, outcome.state, outcome.collection, outcome.cloud_cover) == (
        PRODUCT,
        "published",
        "ukis-csmask-l1c",
        50.0,
    )
    [(item, href)] = catalogue()
    assert item == PRODUCT
    assert store.head(store.key(href)) is not None
    assert len([*store.list("", ".item.json")]) == 1
    assert store.head("ukis-csmask-l1c/collection.json") is not None


def test_a_second_run_does_nothing(pgstac: str, redis_url: str, store: Storage) -> None:
    masker = Fake(store)
    run(settings(), masker)
    before = state(store)
    with psycopg.connect() as connection:
        rows = connection.execute("SELECT ctid, xmin FROM pgstac.items").fetchall()
    [outcome] = run(settings(), masker)
    assert outcome.state == "unchanged"
    assert masker.made == 1
    assert state(store) == before
    with psycopg.connect() as connection:
        assert connection.execute("SELECT ctid, xmin FROM pgstac.items").fetchall() == rows


def test_what_may_pass_is_tried_again_until_it_has_passed(
    pgstac: str, redis_url: str, store: Storage
) -> None:
    masker = Fake(store, fails=[NoSpaceError("/masks"), NoSpaceError("/masks")])
    [outcome] = run(settings(), masker)
    assert outcome.state == "published"
    assert masker.made == 1


def test_what_does_not_pass_in_time_fails_with_its_reason(
    pgstac: str, redis_url: str, store: Storage
) -> None:
    masker = Fake(store, fails=[NoSpaceError("/masks") for _ in range(9)])
    [outcome] = run(settings(tries=3), masker)
    assert (outcome.state, outcome.kind) == ("failed", "NoSpaceError")
    assert "no space left" in str(outcome.reason)
    assert len(masker.fails) == 6
    assert state(store) == ({}, [])


def test_a_corrupt_product_is_tried_once_and_fails_with_its_reason(
    pgstac: str, redis_url: str, store: Storage
) -> None:
    masker = Fake(store, fails=[BandReadError(SOURCE, "B04", "is cut short")])
    [outcome] = run(settings(), masker)
    assert (outcome.state, outcome.kind) == ("failed", "BandReadError")
    assert outcome.reason == f"{SOURCE}: band B04 is cut short"
    # Asked for again once it is mended, it is tried again.
    assert run(settings(), masker)[0].state == "published"


def test_an_error_that_nobody_foresaw_is_an_outcome_too(
    pgstac: str, redis_url: str, store: Storage
) -> None:
    [outcome] = run(settings(), Fake(store, fails=[ZeroDivisionError("by zero")]))
    assert (outcome.state, outcome.kind, outcome.reason) == (
        "failed",
        "ZeroDivisionError",
        "by zero",
    )


def test_a_database_that_is_gone_leaves_no_half_published_item(
    pgstac: str, redis_url: str, store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    masker = Fake(store)
    with monkeypatch.context() as patch:
        patch.setenv("PGPORT", str(servers.free_port()))
        [outcome] = run(settings(tries=2), masker)
    assert (outcome.state, outcome.kind) == ("failed", "DatabaseUnreachableError")
    assert catalogue() == []
    [outcome] = run(settings(), masker)
    assert outcome.state == "published"
    assert masker.made == 1
    assert len(catalogue()) == 1


def test_a_redis_that_is_not_there_is_an_error_that_says_where_it_was_looked_for(
    store: Storage,
) -> None:
    port = servers.free_port()
    told = settings(redis_url=f"redis://127.0.0.1:{port}/0")
    with pytest.raises(QueueUnreachableError, match=rf"127\.0\.0\.1:{port}.*NIMBOSTAC_REDIS_URL"):
        run(told, Fake(store))


def test_a_redis_that_forgets_a_job_is_told_to_who_follows_it(redis_url: str) -> None:
    async def go() -> Outcome:
        async with queue.opened(settings()) as redis:
            jobs = await backfill.enqueue(redis, WANTED, "ukis-csmask")
            await redis.flushall()
            async for status in backfill.follow(redis, jobs):
                return status.outcomes[0]
            raise AssertionError

    outcome = asyncio.run(go())
    assert (outcome.state, outcome.kind) == ("failed", "LostJob")


def test_a_product_that_is_queued_already_shares_its_job(redis_url: str) -> None:
    async def go() -> int:
        async with queue.opened(settings()) as redis:
            for _ in range(2):
                await backfill.enqueue(redis, WANTED, "ukis-csmask")
            waiting: int = await redis.zcard(queue.QUEUE)
            return waiting

    assert asyncio.run(go()) == 1
