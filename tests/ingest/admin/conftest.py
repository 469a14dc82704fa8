"""The administration on a real ledger: a client that carries a token, and something to ask for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ingest import ledger
from ingest.admin.app import create_app
from ingest.ledger import Role

PRODUCTS = tuple(
    f"S2A_MSIL1C_2017021{day}T102101_N0204_R065_T33UUU_2017021{day}T102204" for day in range(3)
)


@pytest.fixture
def migrated(pgstac: str) -> str:
    """A database with an empty ledger."""
    ledger.migrate()
    return pgstac


@pytest.fixture
def secret(migrated: str) -> Callable[[str], str]:
    """Make a token of a role; gives its secret."""

    def make(role: str) -> str:
        with ledger.opened() as book:
            return book.token_create(f"a {role} token", Role(role))

    return make


@pytest.fixture
def client(migrated: str) -> Iterator[TestClient]:
    """The administration, without a token."""
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def reading(client: TestClient, secret: Callable[[str], str]) -> TestClient:
    client.headers["authorization"] = f"Bearer {secret('read')}"
    return client


@pytest.fixture
def operating(client: TestClient, secret: Callable[[str], str]) -> TestClient:
    client.headers["authorization"] = f"Bearer {secret('operate')}"
    return client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folders named like products; nobody looks into them before a worker does."""
    for product in PRODUCTS:
        (tmp_path / f"{product}.SAFE").mkdir()
    return tmp_path
