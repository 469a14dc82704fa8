from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from ingest import ledger
from ingest.errors import DatabaseRefusedError, DatabaseUnreachableError, NotMigratedError
from ingest.ledger import schema
from tests import servers
from tests.ingest.ledger import books


@pytest.fixture
def bare(pg_server: servers.Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the test a database with nothing in it."""
    for name, value in pg_server.environment.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(dbname="postgres", autocommit=True) as server:
        server.execute("CREATE DATABASE bare")
    monkeypatch.setenv("PGDATABASE", "bare")
    yield f"postgresql://postgres@127.0.0.1:{pg_server.port}/bare"
    with psycopg.connect(dbname="postgres", autocommit=True) as server:
        server.execute("DROP DATABASE bare WITH (FORCE)")


def applied(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT version FROM ledger.migrations ORDER BY version")
        return [version for (version,) in rows]


def test_a_database_without_a_ledger_is_refused_with_what_to_do(bare: str) -> None:
    with (
        pytest.raises(
            NotMigratedError, match=r"has no ledger, wanted \d+; run `nimbostac migrate`"
        ),
        ledger.opened(),
    ):
        pass


def test_migrating_from_many_places_at_once_applies_everything_once(bare: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        versions = [run.result() for run in [pool.submit(ledger.migrate) for _ in range(8)]]
    assert set(versions) == {len(applied(bare))}
    assert applied(bare) == list(range(1, versions[0] + 1))


def test_migrating_again_changes_nothing_and_keeps_what_is_there(pgstac: str) -> None:
    with ledger.opened() as book:
        books.want(book, 3)
        assert ledger.migrate() == ledger.migrate()
        assert books.states(pgstac) == {"due": 3}


def test_a_ledger_of_another_version_is_refused_and_stays_as_it_is(pgstac: str) -> None:
    with psycopg.connect(pgstac) as connection:
        connection.execute("INSERT INTO ledger.migrations VALUES (999)")
    with pytest.raises(NotMigratedError, match="has ledger 999, wanted"), ledger.opened():
        pass
    assert ledger.migrate() == 999


def test_a_migration_that_breaks_leaves_nothing_behind(
    bare: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = schema._migrations()[1]
    broken = good + b"; SELECT 1 / 0"
    with monkeypatch.context() as patch:
        patch.setattr(schema, "_migrations", lambda: {1: broken})
        with pytest.raises(DatabaseRefusedError, match="division by zero"):
            ledger.migrate()
    ledger.migrate()
    with ledger.opened() as book:
        assert book.claim(ledger.Lane.MASK, 1) == []


def test_a_connection_that_breaks_is_an_error_that_may_pass(pgstac: str) -> None:
    with ledger.opened() as book:
        with psycopg.connect(pgstac, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'nimbostac'"
            )
        with pytest.raises(DatabaseUnreachableError):
            books.want(book, 1)
