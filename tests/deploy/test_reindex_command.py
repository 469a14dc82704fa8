"""``nimbostac reindex``, ``ingest`` and ``nimbostac migrate`` as a person runs them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from ingest import database, ledger, publishing, reindex
from ingest import pgstac as loading
from ingest.errors import NotMigratedError
from ingest.folders import folders
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


def ledger_rows() -> dict[str, tuple[Any, ...]]:
    with psycopg.connect() as connection:
        rows = connection.execute(
            "SELECT product, engine, level, tile, source, state::text, engine_version, record"
            " FROM ledger.products"
        ).fetchall()
    return {product: tuple(rest) for product, *rest in rows}


def three(store: Storage) -> list[records.Stored]:
    return [
        records.stored_mask(store, tile, records.SENSED + timedelta(days=40 * day))
        for day, tile in enumerate(("33UUU", "33UVU", "35VLF"))
    ]


def test_the_catalogue_and_the_ledger_are_rebuilt_from_storage_alone(
    pgstac: str, store: Storage
) -> None:
    masks = three(store)
    records.catalogued(store, *masks)
    before = loaded()
    with psycopg.connect() as connection:
        connection.execute("DELETE FROM pgstac.items")
        connection.execute("DELETE FROM pgstac.collections")
    for rows in (3, 0):
        result = run("reindex", "--json")
        assert result.exit_code == 0, result.output
        told = {"store": store.url, "items": 3, "rows": rows, "failed": 0}
        assert json.loads(result.stdout) == told
        assert loaded() == before
    assert set(before) == {mask.item for mask in masks}
    assert ledger_rows() == {
        mask.item: (
            "ukis-csmask",
            "L1C",
            mask.item[39:44],
            f"s3://eodata/{mask.item}.SAFE",
            "done",
            "1.0.0",
            mask.record_key,
        )
        for mask in masks
    }


def test_what_the_ledger_has_on_its_way_stays_as_it_is(pgstac: str, store: Storage) -> None:
    masks = three(store)
    with ledger.opened() as book:
        wish = ledger.Wish(masks[0].item, "/data/x.SAFE")
        book.want([wish], "ukis-csmask", priority=0, version="2.0.0")
    assert run("reindex").exit_code == 0
    assert [row[4] for _, row in sorted(ledger_rows().items())].count("done") == 2
    assert ledger_rows()[masks[0].item][3:5] == ("/data/x.SAFE", "due")


def test_an_item_that_was_made_later_is_not_written_over(pgstac: str, store: Storage) -> None:
    """A worker may publish a newer mask between the reading of an older one and its turn."""
    old = records.stored_mask(store)
    found = publishing.read(store, old.record_key)
    later = records.Made(version="1.0.1", created=datetime(2026, 6, 1, tzinfo=UTC))
    records.catalogued(store, records.stored_mask(store, made=later))
    before = loaded()
    with loading.opened() as catalogue, ledger.opened() as book:
        assert reindex.restore(store, [found], catalogue, book) == (0, 1)
    assert loaded() == before


def test_only_what_lies_under_a_prefix_is_loaded(pgstac: str, store: Storage) -> None:
    masks = three(store)
    result = run("ingest", "ukis-csmask-l1c/33")
    told = "2 new to the ledger, 0 products with a mask that cannot be published"
    assert (result.exit_code, result.stdout) == (0, f"2 Items from {store.url}, {told}\n")
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


@pytest.mark.parametrize("lost", [".tif", "_preview.tif"])
def test_a_mask_that_is_not_whole_is_named_and_not_shown(
    pgstac: str, store: Storage, lost: str
) -> None:
    masks = three(store)
    store.delete(masks[1].stem + lost)
    store.put(masks[2].stem + lost, b"short")
    result = run("reindex")
    assert result.exit_code == 1
    for mask, why in ((masks[1], "is not there"), (masks[2], "has 5 bytes")):
        assert f"{mask.stem}{lost} {why}" in result.stderr.replace("\n", "")
    assert set(loaded()) == {masks[0].item} == set(ledger_rows())


def test_folders_of_products_come_in_the_order_of_their_keys(store: Storage) -> None:
    masks = three(store)
    store.put("ukis-csmask-l1c/collection.json", b"{}")
    store.put("ukis-csmask-l1c-test/33/U/UU/2017/02/P/one.json", b"{}")
    store.put("a/b.json", b"{}")
    keys = [one.key for one in folders(store)]
    listed = sorted(store.list(), key=lambda one: one.key)
    assert keys == list(
        dict.fromkeys(one.key.rpartition("/")[0] for one in listed if one.key.count("/") == 7)
    )
    assert len(keys) == len(masks) + 1
    assert [one.key for one in folders(store, "ukis-csmask-l1c/35")] == [
        masks[2].stem.rpartition("/")[0]
    ]


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
            assert result.stdout == f"pgstac 0.10.0, ledger 3 at {database.place()}\n"
        assert run("ingest").exit_code == 0
        assert len(loaded()) == 3
    finally:
        with psycopg.connect(dbname="postgres", autocommit=True) as server:
            server.execute("DROP DATABASE fresh WITH (FORCE)")
