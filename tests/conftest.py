"""Servers and storage that every folder of tests shares.

``pg_server`` and ``redis_server`` start once a session, when first asked for; ``pgstac`` is a
database a test, ``redis_url`` an empty Redis a test, ``store`` an empty folder a test.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis as redis_client

# titiler-pgstac keeps Items for 300 s by id, whatever the database; read when it is imported.
os.environ["TITILER_PGSTAC_CACHE_DISABLE"] = "TRUE"

from producer.storage import Storage
from tests import servers, stacks

# What a developer's shell says must not reach a test.
for _name in [name for name in os.environ if name.startswith(("PG", "NIMBOSTAC_"))]:
    if _name not in ("NIMBOSTAC_SHARED", "NIMBOSTAC_SCHEMAS"):
        del os.environ[_name]
# No test fetches weights from the internet.
os.environ["NIMBOSTAC_WEIGHTS_URL"] = ""


@pytest.fixture(scope="session")
def pg_server() -> Iterator[servers.Postgres]:
    """Run a throw-away PostgreSQL; its ``environment`` holds the PG* variables that reach it."""
    with servers.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def pgstac_template(pg_server: servers.Postgres) -> str:
    """Migrate once, into a database that every test copies; gives its name."""
    from ingest import ledger
    from ingest import pgstac as loading

    name = "pgstac_template"
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in pg_server.environment.items():
            patch.setenv(variable, value)
        patch.setenv("PGDATABASE", name)
        with psycopg.connect(dbname="postgres", autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
        loading.migrate()
        ledger.migrate()
    return name


@pytest.fixture
def pgstac(
    pg_server: servers.Postgres, pgstac_template: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Give the test an empty pgstac, named by the PG* variables and gone afterwards."""
    name = f"test_{os.urandom(4).hex()}"
    for variable, value in pg_server.environment.items():
        monkeypatch.setenv(variable, value)
    with psycopg.connect(dbname="postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {pgstac_template}")
    monkeypatch.setenv("PGDATABASE", name)
    yield f"postgresql://postgres@127.0.0.1:{pg_server.port}/{name}"
    with psycopg.connect(dbname="postgres", autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[servers.Redis]:
    """Run a throw-away Redis."""
    with servers.redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: servers.Redis, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the test an empty Redis, named by ``NIMBOSTAC_REDIS_URL`` too."""
    with redis_client.Redis.from_url(redis_server.url) as client:
        client.flushall()
    monkeypatch.setenv("NIMBOSTAC_REDIS_URL", redis_server.url)
    return redis_server.url


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """Give the test an empty storage, named by ``NIMBOSTAC_STORE_URL`` too."""
    storage = Storage.from_url(str(tmp_path / "store"))
    monkeypatch.setenv("NIMBOSTAC_STORE_URL", storage.url)
    # Two platforms that share a scratch folder remove each other's products.
    monkeypatch.setenv("NIMBOSTAC_SCRATCH", str(tmp_path / "scratch"))
    return storage


@pytest.fixture(scope="session")
def running_stack() -> Iterator[stacks.Stack]:
    """Run a whole stack."""
    with stacks.stack() as stack:
        stack.up()
        yield stack
