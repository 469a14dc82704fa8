"""The pool of connections to pgstac, named by the ``PG*`` variables."""

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from tiler.settings import TilerSettings

Pool = ConnectionPool[Connection[TupleRow]]


def open_pool(settings: TilerSettings) -> Pool:
    """Open the pool without waiting for the server, so that health can say it is away."""
    options = "-c search_path=pgstac,public -c application_name=nimbostac-tiler -c jit=off"
    return ConnectionPool(
        "",
        min_size=1,
        max_size=settings.db_connections,
        timeout=settings.db_timeout_s,
        kwargs={"autocommit": True, "options": options},
        # A connection that died while idle would fail the request that gets it.
        check=ConnectionPool.check_connection,
        open=True,
    )


def snapshot(pool: Pool) -> str:
    """Say what can be seen of the database: the same text as long as nobody commits anything."""
    with pool.connection() as connection:
        row = connection.execute("SELECT pg_current_snapshot()::text").fetchone()
    return str(row[0]) if row else ""
