"""The catalogue's database: pgstac, migrated, and Items loaded into it.

Where it is, libpq's own ``PG*`` variables say.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pypgstac
from psycopg.types.json import Jsonb
from pypgstac.db import PgstacDB
from pypgstac.load import Loader, Methods
from pypgstac.migrate import Migrate

from ingest import queryables
from ingest.errors import DatabaseRefusedError, DatabaseUnreachableError, NotMigratedError
from ingest.extent import Extent

_CONNECT_TIMEOUT_S = 10
_MIGRATION_LOCK = 0x6E696D626F
"""Key of the advisory lock that one migration at a time holds."""
_SETTINGS = {
    # Counts are exact while they are cheap and estimated beyond: never a scan of millions.
    "context": "auto",
    # ``Pgstac.save`` grows extents; pgstac's own way reads a whole partition each time.
    "update_collection_extent": "false",
}


def place() -> str:
    """Say which database the ``PG*`` variables mean."""
    host, port = os.environ.get("PGHOST", "localhost"), os.environ.get("PGPORT", "5432")
    name = os.environ.get("PGDATABASE") or os.environ.get("PGUSER") or "default"
    return f"{host}:{port}, database {name}"


class Pgstac:
    """A migrated pgstac, open for loading; not to be shared between threads."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def save(self, collection: dict[str, Any]) -> None:
        """Write a Collection; an extent that it has already only grows.

        Raises:
            DatabaseError: The database did not do it.
        """
        with _translated(), self._connection.transaction():
            self._connection.execute(
                # Months: set before anything is loaded, or pgstac would have to move it all.
                "INSERT INTO collections (content, partition_trunc) VALUES (%s, 'month')"
                " ON CONFLICT (id) DO NOTHING",
                (Jsonb(collection),),
            )
            row = self._connection.execute(
                "SELECT content FROM collections WHERE id = %s FOR UPDATE", (collection["id"],)
            ).fetchone()
            held: dict[str, Any] = row[0] if row else collection
            extent = Extent.of_collection(held).union(Extent.of_collection(collection))
            wanted = {**collection, "extent": extent.to_stac()}
            if held != wanted:
                self._connection.execute(
                    "UPDATE collections SET content = %s WHERE id = %s",
                    (Jsonb(wanted), collection["id"]),
                )

    def load(self, items: Sequence[dict[str, Any]]) -> None:
        """Write Items, each in the place of what bore its id; the last of one id counts.

        Thousands at once are loaded month by month; the Items of one month appear together.

        Raises:
            DatabaseError: The database did not do it; months that were done stay done.
        """
        # One id twice in a batch would break the key that delsert relies on.
        unique = {(item["collection"], item["id"]): item for item in items}
        with _translated():
            Loader(_database(self._connection)).load_items(
                iter(unique.values()), insert_mode=Methods.delsert
            )

    def changed(self, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Pick the Items of one Collection that the database lacks or holds otherwise.

        For the few Items of a job: pgstac takes milliseconds to put one together.

        Raises:
            DatabaseError: The database did not do it.
        """
        if not items:
            return []
        with _translated():
            rows = self._connection.execute(
                "SELECT id, content_hydrate(items) FROM items"
                " WHERE collection = %s AND id = ANY(%s)",
                (items[0]["collection"], [item["id"] for item in items]),
            ).fetchall()
        held: dict[str, dict[str, Any]] = dict(rows)
        return [item for item in items if held.get(item["id"]) != item]


@contextmanager
def opened() -> Iterator[Pgstac]:
    """Connect while the block runs.

    Raises:
        DatabaseUnreachableError: PostgreSQL does not answer.
        NotMigratedError: There is no pgstac, or another version of it.
    """
    with _connected() as connection:
        found = version(connection)
        if found is None or _minor(found) != _minor(pypgstac.__version__):
            raise NotMigratedError(place(), found, pypgstac.__version__)
        yield Pgstac(connection)


def version(connection: psycopg.Connection) -> str | None:
    """Tell the version of pgstac; ``None`` if there is none."""
    with _translated():
        row = connection.execute("SELECT to_regclass('pgstac.migrations') IS NOT NULL").fetchone()
        if not (row and row[0]):
            return None
        row = connection.execute("SELECT pgstac.get_version()").fetchone()
        return str(row[0]) if row and row[0] else None


def migrate() -> str:
    """Bring the database to the version of pgstac that this distribution works with.

    Safe to run from many places at once, and again.

    Returns:
        The version.

    Raises:
        DatabaseUnreachableError: PostgreSQL does not answer.
        DatabaseRefusedError: PostGIS is not installed, or the user may not do this.
    """
    with _connected() as connection, _translated():
        connection.execute("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        if version(connection) != pypgstac.__version__:
            Migrate(_database(connection)).run_migration()
            # pgstac's migrations leave as another role than they came.
            connection.execute("RESET ROLE")
        with connection.transaction():
            _configure(connection)
        return pypgstac.__version__


def _configure(connection: psycopg.Connection) -> None:
    for name, value in _SETTINGS.items():
        connection.execute(
            "INSERT INTO pgstac_settings (name, value) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )
    # Compiling one of pgstac's plans takes longer than running it.
    connection.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET jit = off', current_database()); END $$"
    )
    connection.execute(
        "SELECT upsert_queryables(%s, NULL, %s)",
        (Jsonb({"properties": queryables.PROPERTIES}), list(queryables.INDEXED)),
    )


class _NoPool:
    """Stands where pypgstac would open a pool, and keep it until the process ends.

    A connection that broke is an error here, not something to replace in silence.
    """

    def check(self) -> None:
        """Have nothing to mend."""

    def getconn(self) -> psycopg.Connection:
        """Refuse to connect anew."""
        raise psycopg.OperationalError("the connection was lost")


def _database(connection: psycopg.Connection) -> PgstacDB:
    pool: Any = _NoPool()
    return PgstacDB(connection=connection, pool=pool)


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]


@contextmanager
def _connected() -> Iterator[psycopg.Connection]:
    with _translated():
        connection = psycopg.connect(autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S)
    try:
        with _translated():
            connection.execute("SET search_path TO pgstac, public")
            connection.execute("SET application_name TO 'nimbostac'")
        yield connection
    finally:
        connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError as error:
        raise DatabaseUnreachableError(place(), _first_line(error)) from error
    except psycopg.Error as error:
        raise DatabaseRefusedError(place(), _first_line(error)) from error


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
