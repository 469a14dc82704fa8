"""``nimbostac verify`` as a person runs it, with damage done by hand."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from ingest import ledger, publishing
from ingest import pgstac as loading
from producer.storage import Storage
from tests import records
from tests.deploy.test_reindex_command import ledger_rows, loaded, three
from tests.records import Stored

LATER = records.Made(version="1.0.1", created=datetime(2026, 6, 1, tzinfo=UTC))

pytestmark = pytest.mark.usefixtures("pgstac")


@pytest.fixture
def masks(store: Storage, monkeypatch: pytest.MonkeyPatch) -> list[Stored]:
    """Three masks that storage, pgstac and the ledger agree on."""
    monkeypatch.setenv("NIMBOSTAC_HOME", "/nonexistent")
    made = three(store)
    assert run("reindex").exit_code == 0
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def verify(*arguments: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run it; gives the findings and the summary."""
    result = run("verify", "--json", *arguments)
    assert not result.exception or isinstance(result.exception, SystemExit), result.exception
    *found, total = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == (1 if total["unmended"] else 0)
    return found, total


def sql(statement: str, *parameters: Any) -> None:
    with psycopg.connect() as connection:
        connection.execute(statement.encode(), parameters)


def state(product: str) -> str:
    return str(ledger_rows()[product][4])


Damage = Callable[[Storage, Stored], None]


def lose_item(store: Storage, mask: Stored) -> None:
    sql("DELETE FROM pgstac.items WHERE id = %s", mask.item)


def lose_row(store: Storage, mask: Stored) -> None:
    sql("DELETE FROM ledger.products WHERE product = %s", mask.item)


def lose_cog(store: Storage, mask: Stored) -> None:
    store.delete(mask.stem + ".tif")


def lose_all_files(store: Storage, mask: Stored) -> None:
    for one in list(store.list(mask.stem.rpartition("/")[0])):
        store.delete(one.key)


def lose_all_files_and_row(store: Storage, mask: Stored) -> None:
    lose_all_files(store, mask)
    lose_row(store, mask)


def lose_files_and_item(store: Storage, mask: Stored) -> None:
    lose_all_files(store, mask)
    lose_item(store, mask)


def cut_preview(store: Storage, mask: Stored) -> None:
    store.put(mask.stem + "_preview.tif", b"II*\0")


def lose_record(store: Storage, mask: Stored) -> None:
    store.delete(mask.record_key)


def break_record(store: Storage, mask: Stored) -> None:
    store.put(mask.record_key, b'{"product": 1')


def leave_stray(store: Storage, mask: Stored) -> None:
    store.put(f"{mask.stem.removesuffix('1.0.0')}0.9.0.tif", b"II*\0")


def leave_part(store: Storage, mask: Stored) -> None:
    path = store.path(f"{mask.stem.rpartition('/')[0]}/.mask.tif.0123abcd.part")
    assert path is not None
    path.write_bytes(b"half")
    os.utime(path, (time.time() - 7200,) * 2)


def add_version_quietly(store: Storage, mask: Stored) -> None:
    """Storage has a newer mask than the other two know of."""
    records.stored_mask(store, mask.item[39:44], mask.record.source.sensed, made=LATER)


def show_newer_version(store: Storage, mask: Stored) -> None:
    newer = records.stored_mask(store, mask.item[39:44], mask.record.source.sensed, made=LATER)
    records.catalogued(store, newer)
    sql(
        "UPDATE ledger.products SET engine_version = '1.0.1', record = %s WHERE product = %s",
        newer.record_key,
        mask.item,
    )


def double_item(store: Storage, mask: Stored) -> None:
    """What pgstac's own upsert leaves where the date of an Item moves to another month."""
    moved = replace(
        publishing.read(store, mask.record_key),
        record=mask.record.model_copy(
            update={
                "source": mask.record.source.model_copy(
                    update={"sensed": datetime(2019, 1, 1, tzinfo=UTC)}
                )
            }
        ),
    )
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(
            "CREATE TEMP TABLE kept AS SELECT * FROM pgstac.items WHERE id = %s", (mask.item,)
        )
        with loading.opened() as database:
            publishing.publish(store, [moved], database)
        connection.execute("SET search_path TO pgstac, public")
        columns = "id, geometry, collection, datetime, end_datetime, content, private"
        target = connection.execute(
            "SELECT partition FROM pgstac.partitions_view WHERE collection = %s"
            " AND constraint_dtrange @> (SELECT datetime FROM kept)",
            (mask.collection,),
        ).fetchone()
        assert target is not None
        connection.execute(
            f"INSERT INTO {target[0]} ({columns}) SELECT {columns} FROM kept".encode()
        )


def test_where_all_agree_nothing_is_found_and_nothing_is_changed(
    masks: list[Stored], store: Storage
) -> None:
    before = loaded(), ledger_rows(), {one.key: one.etag for one in store.list()}
    assert verify("--checksums", "--mend", "all") == (
        [],
        {"checked": 3, "unmended": 0, "found": {}, "mended": {}},
    )
    assert (loaded(), ledger_rows(), {one.key: one.etag for one in store.list()}) == before


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lose_item, ("cog-without-item", "cogs", "done")),
        (add_version_quietly, ("stale-item", "cogs", "done")),
        (lose_row, ("item-without-row", "ledger", "done")),
        (lose_cog, ("item-without-cog", "items", "due")),
        (lose_all_files, ("item-without-cog", "items", "due")),
        (lose_all_files_and_row, ("item-without-cog", "items", "due")),
        (double_item, ("doubled-item", "items", "done")),
        (cut_preview, ("damaged", "checksums", "due")),
        (lose_record, ("damaged", "checksums", "due")),
        (break_record, ("unreadable-record", "checksums", "due")),
        (show_newer_version, ("superseded", "superseded", "done")),
        (leave_stray, ("leftover", "leftovers", "done")),
        (leave_part, ("leftover", "leftovers", "done")),
        (lose_files_and_item, ("done-without-item", "ledger", "due")),
    ],
)
def test_damage_is_found_and_mended_only_where_it_is_asked_for(
    masks: list[Stored], store: Storage, damage: Damage, expected: tuple[str, str, str]
) -> None:
    kind, mend, after = expected
    hurt = masks[1]
    damage(store, hurt)
    found, total = verify()
    assert {one["product"] for one in found} == {hurt.item}
    assert kind in {one["kind"] for one in found}
    assert total["checked"] == 3
    assert verify()[0] == found
    mended, _ = verify("--mend", mend)
    told = [one for one in mended if one["kind"] == kind]
    assert told
    assert all(one["mended"] for one in told)
    # What is due is the workers' to do; nothing else is left.
    assert kind not in {one["kind"] for one in verify()[0]}
    verify("--mend", "all")
    assert verify()[0] == []
    assert state(hurt.item) == after
    if after == "done":
        assert set(loaded()) == {mask.item for mask in masks}
    assert [state(one.item) for one in (masks[0], masks[2])] == ["done", "done"]
    assert {masks[0].item, masks[2].item} <= set(loaded())


def test_a_product_whose_mask_is_gone_is_due_from_where_it_was_masked(
    masks: list[Stored], store: Storage
) -> None:
    lose_all_files_and_row(store, masks[0])
    verify("--mend", "items")
    assert masks[0].item not in loaded()
    assert ledger_rows()[masks[0].item][3] == f"s3://eodata/{masks[0].item}.SAFE"


def test_content_is_compared_only_where_it_is_asked_for(
    masks: list[Stored], store: Storage
) -> None:
    key = masks[2].stem + ".tif"
    data = bytearray(store.get(key))
    data[-1] ^= 1
    store.put(key, bytes(data))
    assert verify()[0] == []
    [finding] = verify("--checksums")[0]
    assert (finding["kind"], finding["product"]) == ("damaged", masks[2].item)
    assert "SHA-256" in finding["detail"]
    verify("--checksums", "--mend", "checksums")
    # Without its record no worker takes the damaged file for a mask that is there.
    assert store.head(masks[2].record_key) is None
    assert state(masks[2].item) == "due"


def test_what_workers_are_at_is_nothing_wrong(masks: list[Stored], store: Storage) -> None:
    lose_item(store, masks[0])
    add_version_quietly(store, masks[1])
    with ledger.opened() as book:
        for mask in masks[:2]:
            wish = ledger.Wish(mask.item, "/data/x.SAFE")
            book.want([wish], "ukis-csmask", priority=0, version="1.0.1")
    assert verify()[0] == []


def test_superseded_files_are_deleted_and_nothing_else(masks: list[Stored], store: Storage) -> None:
    show_newer_version(store, masks[1])
    before = {one.key for one in store.list()}
    verify("--mend", "superseded")
    gone = before - {one.key for one in store.list()}
    assert gone == {key for key in before if key.startswith(f"{masks[1].stem}")}
    assert len(gone) == 6


def test_storage_that_is_empty_is_not_believed_unless_it_is_said_to_be_lost(
    masks: list[Stored], store: Storage
) -> None:
    for mask in masks:
        lose_all_files(store, mask)
    result = run("verify", "--mend", "items")
    assert "3 Items" in str(result.exception)
    assert len(loaded()) == 3
    verify("--mend", "items", "--storage-lost")
    assert loaded() == {}
    assert {state(mask.item) for mask in masks} == {"due"}


def test_items_of_another_storage_are_found_and_left_alone(
    masks: list[Stored], store: Storage, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    other = Storage.from_url(str(tmp_path / "other"))
    records.stored_mask(other, "31TCJ")
    monkeypatch.setenv("NIMBOSTAC_STORE_URL", other.url)
    _, total = verify("--mend", "items")
    assert total["found"]["item-without-cog"] == 3
    assert len(loaded()) == 3


def test_only_one_collection_is_looked_at_where_it_is_named(
    masks: list[Stored], store: Storage
) -> None:
    records.stored_mask(store, made=records.Made(engine="kappamask"))
    assert verify("--collection", "ukis-csmask-l1c")[1]["checked"] == 3
    assert [one["kind"] for one in verify("--collection", "kappamask-l1c")[0]] == [
        "cog-without-item"
    ]


def test_people_are_told_what_to_ask_for(masks: list[Stored], store: Storage) -> None:
    lose_item(store, masks[0])
    result = run("verify")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "       1 cog-without-item (--mend cogs)",
        "3 products, 1 findings, 1 left",
    ]
    assert f"{masks[0].item}: cog-without-item: {masks[0].record_key}" in result.stderr.replace(
        "\n", ""
    )
