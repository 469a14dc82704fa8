"""A connection to the ledger, and how its parts ask."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ingest.database import translated
from ingest.ledger.values import Lane, Task

Turn = tuple[int, int]
"""Id of a product, and the turn that it was queued for."""

_GROUPS = """
WITH RECURSIVE groups AS (
    (SELECT lane, priority, engine FROM ledger.products WHERE state = 'due'
        ORDER BY lane, priority, engine LIMIT 1)
    UNION ALL
    SELECT next.* FROM groups g CROSS JOIN LATERAL (
        SELECT p.lane, p.priority, p.engine FROM ledger.products p
        WHERE p.state = 'due'
            AND (p.lane, p.priority, p.engine) > (g.lane, g.priority, g.engine)
        ORDER BY p.lane, p.priority, p.engine LIMIT 1
    ) next
)
{query}
"""


_STILL = """
SELECT FROM ledger.backfills WHERE state IN ('listing', 'running', 'paused') ORDER BY id FOR SHARE
"""


class Session:
    """One connection; not to be shared between threads."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything that is done inside the block happen together, or not at all.

        Raises:
            DatabaseError: The database did not do it.
        """
        with translated(), self._connection.transaction():
            yield

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Have no backfill paused or resumed while the block, a transaction, runs.

        For who wakes what rests: a pause locks what is on its way, and would not see it.
        """
        with self.transaction():
            self._run(_STILL)
            yield

    def _rows(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """Run a statement and give its rows, each a dictionary."""
        with translated(), self._connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(statement.encode(), parameters)
            return cursor.fetchall()

    def _row(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - columns are any
        """Run a statement and give its first row as a dictionary; ``None`` if there is none."""
        rows = self._rows(statement, parameters)
        return rows[0] if rows else None

    def _run(self, statement: str, parameters: Mapping[str, Any] | None = None) -> int:
        """Run a statement and tell how many rows it was about."""
        with translated():
            return self._connection.execute(statement.encode(), parameters).rowcount


def task(row: Mapping[str, Any]) -> Task:
    """Read a task."""
    return Task(**{**row, "lane": Lane(row["lane"])})


def columns(turns: Sequence[Turn]) -> dict[str, str]:
    """Give ids and turns as two parameters: arrays as PostgreSQL writes them.

    psycopg looks at each number of a list by itself, which a thousand at once have time to feel.
    """
    ids, counts = ",".join(str(one) for one, _ in turns), ",".join(str(turn) for _, turn in turns)
    return {"ids": f"{{{ids}}}", "turns": f"{{{counts}}}"}


def among_due(query: str) -> str:
    """Give a query ``groups``: the few lanes, priorities and engines with something due.

    Within one of them the index knows what is delayed and what is not, without going through it.
    """
    return _GROUPS.replace("{query}", query)
