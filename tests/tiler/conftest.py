"""A catalogue with one mask, and clients of the tile server; made once a module."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from starlette.testclient import TestClient

from producer.storage import Storage
from tests.servers import Postgres
from tests.tiler.scenes import Scene, catalogue, landscape, store_scene
from tiler.app import create_app


@pytest.fixture(scope="module")
def catalogued(
    pg_server: Postgres, pgstac_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Storage]:
    """Give a module a pgstac and storage of its own; tests that change them take ``pgstac``."""
    name = f"tiler_{os.urandom(4).hex()}"
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in {**pg_server.environment, "PGDATABASE": name}.items():
            patch.setenv(variable, value)
        with psycopg.connect(dbname="postgres", autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name} TEMPLATE {pgstac_template}")
            yield Storage.from_url(str(tmp_path_factory.mktemp("store")))
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def scene(catalogued: Storage) -> Scene:
    """Give a mask of 10 km, catalogued with its preview."""
    scene = Scene("S2A_TEST", 32633, 399960, 5900040, landscape(1024, 1024))
    catalogue(store_scene(scene, catalogued, preview=True))
    return scene


@pytest.fixture(scope="module")
def client(scene: Scene) -> Iterator[TestClient]:
    """Give a client of the tile server over that mask."""
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield client
