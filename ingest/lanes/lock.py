"""The lock that one dispatcher at a time holds, for as long as its connection lives."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from ingest.database import connected, translated

KEY = 0x6C616E6573
"""Key of the advisory lock."""


class DispatcherLock:
    """A connection that holds the lock, or waits for it."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._held = False

    def held(self) -> bool:
        """Tell whether this is the one that acts, taking the lock if it is free.

        Raises:
            DatabaseUnreachableError: The connection is lost, and the lock with it.
        """
        with translated():
            # Asked even where it is held: only a connection that lives holds it.
            row = self._connection.execute(
                "SELECT %s OR pg_try_advisory_lock(%s)", (self._held, KEY)
            ).fetchone()
        self._held = bool(row and row[0])
        return self._held


@contextmanager
def opened() -> Iterator[DispatcherLock]:
    """Connect while the block runs.

    Raises:
        DatabaseUnreachableError: PostgreSQL does not answer.
    """
    # A host that went without a word must not keep the others waiting for two hours.
    with connected(
        "tcp_keepalives_idle TO 10", "tcp_keepalives_interval TO 5", "tcp_keepalives_count TO 3"
    ) as connection:
        yield DispatcherLock(connection)
