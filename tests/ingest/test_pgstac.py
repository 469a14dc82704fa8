from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from ingest import collection, items, loader, queryables
from ingest import pgstac as loading
from ingest.errors import (
    DatabaseRefusedError,
    DatabaseUnreachableError,
    NotMigratedError,
)
from producer.record import MaskRecord
from tests import records, servers

MARCH = datetime(2020, 3, 5, 10, 0, 0, tzinfo=UTC)


def item_of(record: MaskRecord) -> dict[str, Any]:
    return items.item(record, "s3://masks/somewhere")


def taken(sensed: datetime, tile: str = "33UUU") -> dict[str, Any]:
    return item_of(records.record_of(records.product_name(tile, sensed)))


def load(*loaded: dict[str, Any]) -> None:
    record = records.record_of()
    with loading.opened() as database:
        extent = collection.extent_of(loaded)
        database.save(collection.collection(record.engine, "L1C", extent))
        database.load(loaded)


def search(dsn: str, **body: Any) -> list[str]:
    with psycopg.connect(dsn, options="-c search_path=pgstac,public") as connection:
        row = connection.execute("SELECT search(%s)", (Jsonb(body),)).fetchone()
    assert row is not None
    return [feature["id"] for feature in row[0]["features"]]


def read_collection(dsn: str) -> dict[str, Any]:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT pgstac.get_collection('ukis-csmask-l1c')").fetchone()
    assert row is not None
    read: dict[str, Any] = row[0]
    return read


def test_an_item_is_found_where_and_when_it_was_and_nowhere_else(pgstac: str) -> None:
    item = taken(MARCH)
    load(item, taken(MARCH, "33UVU"), taken(MARCH + timedelta(days=40)))
    west, south, east, north = item["bbox"]
    inside = [west + 0.01, south + 0.005, west + 0.011, south + 0.006]
    day = "2020-03-05T00:00:00Z/2020-03-06T00:00:00Z"
    assert search(pgstac, bbox=inside, datetime=day) == [item["id"]]
    assert search(pgstac, bbox=inside, datetime="2020-03-06T00:00:00Z/2020-03-07T00:00:00Z") == []
    assert search(pgstac, bbox=[east + 0.1, south, east + 0.2, north], datetime=day) == []


def test_a_footprint_across_the_antimeridian_is_found_on_both_sides(pgstac: str) -> None:
    parts = [
        [[[180.0, 65.0], [180.0, 66.0], [179.0, 66.0], [179.0, 65.0], [180.0, 65.0]]],
        [[[-179.0, 65.0], [-179.0, 66.0], [-180.0, 66.0], [-180.0, 65.0], [-179.0, 65.0]]],
    ]
    record = records.record_of()
    footprint = {"type": "MultiPolygon", "coordinates": parts}
    source = record.source.model_copy(update={"footprint": footprint})
    item = item_of(record.model_copy(update={"source": source}))
    load(item)
    assert search(pgstac, bbox=[179.2, 65.2, 179.3, 65.3]) == [item["id"]]
    assert search(pgstac, bbox=[-179.3, 65.2, -179.2, 65.3]) == [item["id"]]
    assert search(pgstac, bbox=[0, 65.2, 1, 65.3]) == []


def test_an_item_reads_back_exactly_as_it_was_loaded(pgstac: str) -> None:
    item = taken(MARCH)
    load(item)
    with psycopg.connect(pgstac) as connection:
        query = "SELECT pgstac.get_item(%s, %s)"
        assert connection.execute(query, (item["id"], item["collection"])).fetchone() == (item,)
    with loading.opened() as database:
        assert database.changed([item]) == []
        other = {**item, "properties": {**item["properties"], "version": "2"}}
        assert database.changed([item, other]) == [other]


def test_an_item_whose_date_moves_to_another_month_leaves_no_duplicate(pgstac: str) -> None:
    item = taken(MARCH)
    load(item)
    moved = {**item, "properties": {**item["properties"], "datetime": "2020-05-09T10:00:00Z"}}
    load(moved)
    assert search(pgstac, ids=[item["id"]]) == [item["id"]]
    assert search(pgstac, datetime="2020-03-01T00:00:00Z/2020-03-31T00:00:00Z") == []
    assert search(pgstac, datetime="2020-05-09T00:00:00Z/2020-05-10T00:00:00Z") == [item["id"]]
    with psycopg.connect(pgstac) as connection:
        row = connection.execute("SELECT count(*) FROM pgstac.items").fetchone()
    assert row == (1,)


def test_the_partition_of_a_month_is_locked_for_its_first_batch_and_for_no_other(
    pgstac: str,
) -> None:
    def constraint() -> tuple[Any, ...] | None:
        with psycopg.connect(pgstac) as connection:
            # A check that is made anew has another number.
            return connection.execute(
                "SELECT oid, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE conrelid = 'pgstac._items_1_202002'::regclass AND contype = 'c'"
            ).fetchone()

    month = [datetime(2020, 2, day, 12, tzinfo=UTC) for day in (9, 20, 2)]
    load(taken(month[0]))
    made = constraint()
    for moment in (*month[1:], datetime(2020, 2, 1, tzinfo=UTC)):
        load(taken(moment))
    last = taken(datetime(2020, 2, 29, 23, 59, 59, tzinfo=UTC))
    load(last)
    assert made is not None
    assert constraint() == made
    assert len(search(pgstac, datetime="2020-02-01T00:00:00Z/2020-02-29T23:59:59.99Z")) == 5
    assert search(pgstac, datetime="2020-02-29T23:00:00Z/2020-03-01T00:00:00Z") == [last["id"]]
    # pgstac itself draws the times together again where something is replaced.
    load({**last, "properties": {**last["properties"], "version": "2"}}, taken(month[0], "33UVU"))
    load(taken(month[1], "33UVU"))
    assert len(search(pgstac, datetime="2020-02-01T00:00:00Z/2020-02-29T23:59:59.99Z")) == 7


@pytest.mark.parametrize(
    ("month", "last"),
    [
        ("2019-12", "2019-12-31T23:59:59.999999+00:00"),
        ("2020-02", "2020-02-29T23:59:59.999999+00:00"),
        ("2021-02", "2021-02-28T23:59:59.999999+00:00"),
        ("2021-04", "2021-04-30T23:59:59.999999+00:00"),
    ],
)
def test_a_month_ends_just_before_the_next(month: str, last: str) -> None:
    assert loader.bounds(month) == (
        datetime.fromisoformat(f"{month}-01T00:00:00Z"),
        datetime.fromisoformat(last),
    )


def test_an_item_whose_footprint_is_gone_is_replaced_all_the_same(pgstac: str) -> None:
    old, new = taken(MARCH), taken(MARCH + timedelta(days=1))
    load(old)
    with psycopg.connect(pgstac) as connection:
        connection.execute("DELETE FROM nimbostac.footprints")
    changed = {**old, "properties": {**old["properties"], "version": "2"}}
    load(changed, new)
    with psycopg.connect(pgstac) as connection:
        rows = connection.execute(
            "SELECT id, content->'properties'->>'version' FROM pgstac.items ORDER BY datetime"
        ).fetchall()
        footprints = connection.execute(
            "SELECT id FROM nimbostac.footprints ORDER BY datetime"
        ).fetchall()
    assert rows == [(old["id"], "2"), (new["id"], "1.0.0")]
    assert footprints == [(old["id"],), (new["id"],)]


def test_new_and_known_items_of_one_batch_are_each_there_once(pgstac: str) -> None:
    known = [taken(MARCH + timedelta(days=n)) for n in range(0, 50, 2)]
    load(*known)
    again = [{**item, "properties": {**item["properties"], "version": "2"}} for item in known]
    fresh = [taken(MARCH + timedelta(days=n)) for n in range(1, 50, 2)]
    load(*again, *fresh)
    with psycopg.connect(pgstac) as connection:
        rows = connection.execute(
            "SELECT content->'properties'->>'version', count(*), count(DISTINCT id)"
            " FROM pgstac.items GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert rows == [("1.0.0", 25, 25), ("2", 25, 25)]


def test_one_id_twice_in_a_batch_is_loaded_once_and_the_last_counts(pgstac: str) -> None:
    item = taken(MARCH)
    later = {**item, "properties": {**item["properties"], "datetime": "2020-04-09T10:00:00Z"}}
    load(item, later)
    assert search(pgstac, datetime="2020-04-09T00:00:00Z/..") == [item["id"]]
    assert search(pgstac, datetime="../2020-04-01T00:00:00Z") == []


def test_a_batch_over_many_months_lands_in_partitions_of_a_month(pgstac: str) -> None:
    loaded = [taken(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=5 * n)) for n in range(60)]
    load(*loaded)
    with psycopg.connect(pgstac) as connection:
        rows = connection.execute("SELECT DISTINCT tableoid::regclass FROM pgstac.items").fetchall()
        counted = connection.execute("SELECT count(*) FROM pgstac.items").fetchone()
    assert len(rows) == 10
    assert counted == (60,)


def test_an_extent_grows_with_what_is_loaded_and_never_shrinks(pgstac: str) -> None:
    first, second = taken(MARCH), taken(MARCH + timedelta(days=400), "35VLF")
    load(first)
    extent = read_collection(pgstac)["extent"]
    assert extent["spatial"]["bbox"] == [first["bbox"]]
    assert extent["temporal"]["interval"] == [
        ["2020-03-05T10:00:00.026000Z", "2020-03-05T10:00:00.026000Z"]
    ]
    load(second)
    load(first)
    grown = read_collection(pgstac)["extent"]
    assert grown["spatial"]["bbox"] == [
        [
            min(first["bbox"][0], second["bbox"][0]),
            min(first["bbox"][1], second["bbox"][1]),
            max(first["bbox"][2], second["bbox"][2]),
            max(first["bbox"][3], second["bbox"][3]),
        ]
    ]
    assert grown["temporal"]["interval"] == [
        ["2020-03-05T10:00:00.026000Z", "2021-04-09T10:00:00.026000Z"]
    ]


def test_every_queryable_can_be_asked_for_and_the_chosen_ones_are_indexed(pgstac: str) -> None:
    item = taken(MARCH)
    load(item)
    with psycopg.connect(pgstac) as connection:
        rows = connection.execute(
            "SELECT name, property_index_type FROM pgstac.queryables"
        ).fetchall()
    assert set(queryables.PROPERTIES) <= {name for name, _ in rows}
    assert {name for name, kind in rows if kind} == set(queryables.INDEXED)
    for name in queryables.PROPERTIES:
        value = item["properties"][name]
        same = {"op": "=", "args": [{"property": name}, value]}
        assert search(pgstac, filter=same, **{"filter-lang": "cql2-json"}) == [item["id"]], name


def test_migrating_again_changes_nothing_and_keeps_what_is_there(pgstac: str) -> None:
    item = taken(MARCH)
    load(item)
    assert loading.migrate() == loading.migrate()
    assert search(pgstac) == [item["id"]]
    with psycopg.connect(pgstac) as connection:
        assert connection.execute("SHOW jit").fetchone() == ("off",)
        assert connection.execute("SHOW default_toast_compression").fetchone() == ("lz4",)
        context = connection.execute("SELECT pgstac.get_setting('context')").fetchone()
    assert context == ("auto",)


def test_a_database_without_pgstac_is_refused_with_what_to_do(
    pg_server: servers.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in pg_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGDATABASE", "postgres")
    with pytest.raises(NotMigratedError, match=r"has no pgstac.*run `nimbostac migrate`"):
        load(taken(MARCH))


def test_a_database_of_another_pgstac_is_refused_with_both_versions(pgstac: str) -> None:
    with psycopg.connect(pgstac) as connection:
        connection.execute("INSERT INTO pgstac.migrations (version) VALUES ('0.8.5')")
    with pytest.raises(NotMigratedError, match=r"has pgstac 0\.8\.5, wanted 0\."):
        load(taken(MARCH))


def test_a_database_that_is_not_there_is_an_error_that_says_where_it_was_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = servers.free_port()
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", str(port))
    with pytest.raises(DatabaseUnreachableError, match=f"127.0.0.1:{port}.*PGHOST") as caught:
        load(taken(MARCH))
    assert caught.value.passing


def test_a_connection_that_breaks_is_an_error_that_may_pass(pgstac: str) -> None:
    item = taken(MARCH)
    load(item)
    with loading.opened() as database:
        with psycopg.connect(pgstac, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'nimbostac'"
            )
        with pytest.raises(DatabaseUnreachableError):
            database.load([item])
    assert search(pgstac) == [item["id"]]


def test_a_database_that_takes_no_writes_is_no_passing_error(pgstac: str) -> None:
    with psycopg.connect(pgstac) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(DatabaseRefusedError, match="read-only") as caught:
        load(taken(MARCH))
    assert not caught.value.passing
