"""``nimbostac ingest`` and ``nimbostac migrate`` as a person runs them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from ingest import database
from ingest import pgstac as loading
from ingest.errors import NotMigratedError
from producer.storage import Storage
from tests import records, servers


@pytest.fixture(autouse=True)
def _no_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a stack that runs on this machine out of it."""
    monkeypatch.setenv("NIMBOSTAC_HOME", str(tmp_path / "home"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def loaded() -> dict[str, Any]:
    with psycopg.connect() as connection:
        rows = connection.execute(
            "SELECT id, pgstac.get_item(id, collection) FROM pgstac.items"
        ).fetchall()
    return dict(rows)


def three(store: Storage) -> list[records.Stored]:
    return [
        records.stored_mask(store, tile, records.SENSED + timedelta(days=40 * day))
        for day, tile in enumerate(("33UUU", "33UVU", "35VLF"))
    ]


def test_the_catalogue_is_rebuilt_from_storage_alone(pgstac: str, store: Storage) -> None:
    masks = three(store)
    records.catalogued(store, *masks)
    before = loaded()
    with psycopg.connect() as connection:
        connection.execute("DELETE FROM pgstac.items")
        connection.execute("DELETE FROM pgstac.collections")
    result = run("ingest", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"store": store.url, "loaded": 3, "failed": 0}
    assert loaded() == before
    assert set(before) == {mask.item for mask in masks}


def test_only_what_lies_under_a_prefix_is_loaded(pgstac: str, store: Storage) -> None:
    masks = three(store)
    result = run("ingest", "ukis-csmask-l1c/33")
    assert (result.exit_code, result.stdout) == (
        0,
        f"2 Items loaded from {store.url}, 0 records unreadable\n",
    )
    assert set(loaded()) == {masks[0].item, masks[1].item}


@pytest.mark.parametrize("newest", ["1.0.0", "1.0.1"])
def test_of_two_masks_of_one_product_the_later_one_is_shown(
    pgstac: str, store: Storage, newest: str
) -> None:
    for version in ("1.0.0", "1.0.1"):
        created = datetime(2026, 6 if version == newest else 5, 1, tzinfo=UTC)
        made = records.Made(version=version, created=created)
        records.stored_mask(store, made=made)
    assert run("ingest").exit_code == 0
    [item] = loaded().values()
    assert item["properties"]["version"] == newest


def test_a_record_that_cannot_be_read_is_named_and_keeps_no_other_back(
    pgstac: str, store: Storage
) -> None:
    masks = three(store)
    store.put(masks[1].record_key, b'{"product": 1')
    result = run("ingest")
    assert result.exit_code == 1
    assert masks[1].record_key in result.stderr.replace("\n", "")
    assert set(loaded()) == {masks[0].item, masks[2].item}


def test_a_database_is_migrated_once_and_takes_items_from_then_on(
    pg_server: servers.Postgres, store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(store)
    for name, value in pg_server.environment.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(dbname="postgres", autocommit=True) as server:
        server.execute("CREATE DATABASE fresh")
    monkeypatch.setenv("PGDATABASE", "fresh")
    try:
        unmigrated = run("ingest")
        assert isinstance(unmigrated.exception, NotMigratedError)
        for _ in range(2):
            result = run("migrate")
            assert result.exit_code == 0, result.output
            assert result.stdout == f"pgstac 0.10.0, ledger 1 at {database.place()}\n"
        assert run("ingest").exit_code == 0
        assert len(loaded()) == 3
    finally:
        with psycopg.connect(dbname="postgres", autocommit=True) as server:
            server.execute("DROP DATABASE fresh WITH (FORCE)")
