"""Health, and searches while the database is away, unmigrated or slow."""

import os
from collections.abc import Iterator

import psycopg
import pypgstac
import pytest
from fastapi.testclient import TestClient

from tests import servers
from tests.catalog.conftest import COLLECTION, Shelf


@pytest.fixture
def away(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The application with a database that nobody answers for."""
    from catalog.app import create_app

    monkeypatch.setenv("PGPORT", str(servers.free_port()))
    with TestClient(create_app()) as client:
        yield client


def test_a_ready_catalogue_says_which_pgstac_it_found(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    answer = client.get("/healthz/ready")
    assert answer.status_code == 200
    assert answer.json()["ready"] is True
    assert answer.json()["pgstac"] == pypgstac.__version__
    assert client.get("/_mgmt/health").status_code == 200


def test_the_catalogue_starts_before_its_database(away: TestClient) -> None:
    assert away.get("/healthz").status_code == 200
    for path in ("/healthz/ready", "/_mgmt/health"):
        assert away.get(path).status_code == 503, path
    for path in ("/search", "/collections", f"/collections/{COLLECTION}/items/x/download/x.tif"):
        answer = away.get(path)
        assert answer.status_code == 503, path
        assert answer.json()["code"] == "DatabaseDownError"
        assert "database does not answer" in answer.json()["description"]
        assert answer.headers["retry-after"] == "5"
        assert answer.headers["cache-control"] == "no-store"


@pytest.fixture
def database(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database, named by PGDATABASE."""
    name = f"empty_{os.urandom(4).hex()}"
    with psycopg.connect(dbname="postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    monkeypatch.setenv("PGDATABASE", name)
    yield name
    with psycopg.connect(dbname="postgres", autocommit=True) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_an_unmigrated_database_is_refused_with_what_to_do(database: str) -> None:
    from catalog.app import create_app

    with TestClient(create_app()) as client:
        answer = client.get("/healthz/ready")
        assert answer.status_code == 503
        assert answer.json()["ready"] is False
        assert answer.json()["remedy"] == "nimbostac migrate"
        search = client.get("/search")
        assert search.status_code == 503
        assert "nimbostac migrate" in search.json()["description"]
        assert client.get("/_mgmt/health").status_code == 503


@pytest.mark.parametrize("version", ["0.9.12", "0.100.0", "1.0.0"])
def test_another_pgstac_is_not_ready(database: str, version: str) -> None:
    from catalog.app import create_app

    with psycopg.connect(autocommit=True) as empty:
        empty.execute("CREATE SCHEMA pgstac")
        empty.execute(
            "CREATE FUNCTION pgstac.get_version() RETURNS text LANGUAGE sql"
            f" AS $$ SELECT '{version}' $$"
        )
    with TestClient(create_app()) as client:
        answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert answer.json()["pgstac"] == version
    assert version in answer.json()["problem"]


def test_searches_go_on_when_the_database_is_back(shelf: Shelf, client: TestClient) -> None:
    """Connections cut and new ones refused, as while PostgreSQL restarts."""
    name = shelf.environment["PGDATABASE"]
    assert client.get("/search").status_code == 200
    port = shelf.environment["PGPORT"]
    admin = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
    with psycopg.connect(admin, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            assert client.get("/search").status_code == 503
            assert client.get("/healthz/ready").status_code == 503
            assert client.get("/healthz").status_code == 200
        finally:
            server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert client.get("/healthz/ready").status_code == 200
    assert client.get("/search").status_code == 200


def test_a_search_that_takes_too_long_is_given_up(environment: dict[str, str]) -> None:
    from catalog.app import create_app
    from catalog.settings import CatalogSettings

    with psycopg.connect(autocommit=True) as holder:
        settings = CatalogSettings(query_timeout_s=0.5)
        with TestClient(create_app(settings)) as client, holder.transaction():
            holder.execute("LOCK TABLE pgstac.collections IN ACCESS EXCLUSIVE MODE")
            answer = client.get("/collections")
    assert answer.status_code == 503
    assert answer.json()["code"] == "DatabaseDownError"


def test_a_lifespan_that_was_forgotten_is_said(environment: dict[str, str]) -> None:
    from catalog.app import create_app

    answer = TestClient(create_app()).get("/search")
    assert answer.status_code == 503
    assert "lifespan" in answer.json()["description"]
