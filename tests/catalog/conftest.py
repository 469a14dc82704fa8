"""A catalogue with masks in it, and a real server in front."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import psycopg
import pytest
from fastapi.testclient import TestClient

from producer.classes import MaskClass
from producer.storage import Storage
from tests import records, servers

COLLECTION = "ukis-csmask-l1c"
FIRST_DAY = datetime(2020, 5, 1, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A catalogue that tests read and none writes to."""

    environment: dict[str, str]
    store: Storage
    masks: list[records.Stored]


@pytest.fixture(scope="session")
def shelf(
    pg_server: servers.Postgres, pgstac_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Shelf:
    """Five masks of one tile, a day apart, 0, 25, 50, 75 and 100 % of them cloud."""
    store = Storage.from_url(str(tmp_path_factory.mktemp("store")))
    environment = {
        **pg_server.environment,
        "PGDATABASE": "catalog_shelf",
        "NIMBOSTAC_STORE_URL": store.url,
    }
    stored = []
    for day in range(5):
        mask = np.full((records.EDGE_PX, records.EDGE_PX), MaskClass.CLEAR, np.uint8)
        mask[: records.EDGE_PX * day // 4] = MaskClass.CLOUD
        sensed = FIRST_DAY + timedelta(days=day)
        stored.append(records.stored_mask(store, "33UUU", sensed, mask))
    with pytest.MonkeyPatch.context() as patch:
        _set(patch, environment)
        with psycopg.connect(dbname="postgres", autocommit=True) as server:
            server.execute(f"CREATE DATABASE catalog_shelf TEMPLATE {pgstac_template}")
        records.catalogued(store, *stored)
    return Shelf(environment, store, stored)


def _set(patch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        patch.setenv(name, value)


@pytest.fixture
def environment(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Have the variables of this test name the shelf."""
    _set(monkeypatch, shelf.environment)
    return shelf.environment


@pytest.fixture
def masks(shelf: Shelf) -> list[records.Stored]:
    return shelf.masks


@pytest.fixture(scope="module")
def client(shelf: Shelf) -> Iterator[TestClient]:
    """The application, called in this process."""
    from catalog.app import create_app

    with pytest.MonkeyPatch.context() as patch:
        _set(patch, shelf.environment)
        with TestClient(create_app()) as client:
            yield client


@dataclass(frozen=True, slots=True)
class Server:
    """A uvicorn in a process of its own: GDAL, called in this one, would not let it answer."""

    address: str
    log: Path

    def requests(self) -> list[str]:
        """List what was asked for, in the words of the access log."""
        return [line for line in self.log.read_text().splitlines() if "HTTP/1.1" in line]


@contextmanager
def served(log: Path, application: str = "catalog.app:create_app") -> Iterator[Server]:
    """Serve an application with the variables of this process."""
    port = servers.free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", application, "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{address}/healthz")
                break
            except httpx.TransportError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(log.read_text()) from None
                time.sleep(0.1)
        yield Server(address, log)
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def server(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The application behind a real server."""
    with pytest.MonkeyPatch.context() as patch:
        _set(patch, shelf.environment)
        with served(tmp_path_factory.mktemp("uvicorn") / "log") as server:
            yield server
