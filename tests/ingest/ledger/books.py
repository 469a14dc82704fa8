"""Wishes for ledgers under test, and what is true of the tables behind them."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg

from ingest.ledger import Lane, Ledger, Task, Wish
from tests import records

ENGINE = "ukis-csmask"
MARCH = datetime(2020, 3, 5, 10, tzinfo=UTC)
LIVE = ("held", "due", "queued", "running")


def wishes(count: int, first: int = 0, root: str = "/data") -> list[Wish]:
    """Wish for some products of one tile, one an hour."""
    names = [
        str(records.product_name("33UUU", MARCH + timedelta(hours=number)))
        for number in range(first, first + count)
    ]
    return [Wish(name, f"{root}/{name}.SAFE") for name in names]


def want(book: Ledger, count: int, first: int = 0, backfill: str | None = None) -> None:
    book.want(wishes(count, first), ENGINE, priority=5, version="1.0.0", backfill=backfill)


def begun(book: Ledger, count: int, first: int = 0) -> str:
    """Begin a backfill of some products, all listed."""
    backfill = book.backfill_create("test", ENGINE, {}, priority=5, created_by="test").id
    want(book, count, first, backfill)
    book.backfill_listed(backfill)
    return backfill


def started(book: Ledger, count: int = 1, lane: Lane = Lane.MASK) -> list[Task]:
    """Claim some products and begin with them."""
    tasks = book.claim(lane, count)
    return book.start_many([(task.id, task.turn) for task in tasks], "host:1:mask")


def states(dsn: str) -> dict[str, int]:
    """Count products by state, one by one."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT state, count(*) FROM ledger.products GROUP BY state")
        return dict(rows.fetchall())


def state_of(dsn: str, product: int) -> str:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT state FROM ledger.products WHERE id = %s", (product,))
        found = row.fetchone()
    assert found is not None
    return str(found[0])


def assert_tallied(dsn: str) -> None:
    """Compare the tallies with what is counted one by one."""
    with psycopg.connect(dsn) as connection:
        assert_tallies(connection)


def assert_tallies(connection: psycopg.Connection) -> None:
    """Do the same over a connection that is there."""
    tallied: Counter[tuple[str, ...]] = Counter()
    for *key, number in connection.execute(
        "SELECT backfill, engine, lane, state, n FROM ledger.tallies"
        " UNION ALL SELECT backfill, engine, lane, state, n FROM ledger.changes"
    ):
        tallied[tuple(key)] += number
    counted = {
        tuple(key): number
        for *key, number in connection.execute(
            "SELECT '', engine, lane, state, count(*) FROM ledger.products GROUP BY 2, 3, 4"
            " UNION ALL SELECT l.backfill, p.engine, p.lane, p.state, count(*)"
            " FROM ledger.backfill_products l JOIN ledger.products p ON p.id = l.product"
            " GROUP BY 1, 2, 3, 4"
        )
    }
    assert {key: number for key, number in tallied.items() if number} == counted
