"""The ledger's tables: numbered migrations, each applied once."""

from importlib import resources

import psycopg

from ingest.database import MIGRATION_LOCK, connected, place, translated
from ingest.errors import NotMigratedError

_FOLDER = resources.files("ingest.ledger") / "migrations"


def latest() -> int:
    """Tell the version that this program works with."""
    return max(_migrations())


def version(connection: psycopg.Connection) -> int | None:
    """Tell the version of a database; ``None`` if it has no ledger.

    Raises:
        DatabaseError: The database did not say.
    """
    with translated():
        row = connection.execute("SELECT to_regclass('ledger.migrations') IS NOT NULL").fetchone()
        if not (row and row[0]):
            return None
        row = connection.execute("SELECT max(version) FROM ledger.migrations").fetchone()
        return row[0] if row else None


def require(connection: psycopg.Connection) -> None:
    """Refuse a database that this program cannot work with.

    Raises:
        NotMigratedError: There is no ledger, or another version of it.
    """
    found = version(connection)
    if found != latest():
        told = None if found is None else str(found)
        raise NotMigratedError(place(), told, str(latest()), "ledger")


def migrate() -> int:
    """Bring the database to the version of the ledger that this program works with.

    Safe to run from many places at once, and again; a newer ledger stays as it is.

    Returns:
        The version.

    Raises:
        DatabaseUnreachableError: PostgreSQL does not answer.
        DatabaseRefusedError: The user may not do this.
    """
    with connected() as connection, translated():
        connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        found = version(connection) or 0
        for number, statements in sorted(_migrations().items()):
            if number > found:
                with connection.transaction():
                    _prepare(connection)
                    connection.execute(statements)
                    connection.execute("INSERT INTO ledger.migrations VALUES (%s)", (number,))
        return max(found, latest())


def _prepare(connection: psycopg.Connection) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS ledger")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS ledger.migrations ("
        " version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT clock_timestamp())"
    )


def _migrations() -> dict[int, bytes]:
    return {
        int(file.name.removesuffix(".sql")): file.read_bytes()
        for file in _FOLDER.iterdir()
        if file.name.endswith(".sql")
    }
