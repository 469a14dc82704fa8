"""The catalogue's database: pgstac, migrated, and Items loaded into it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pypgstac
from psycopg.types.json import Jsonb
from pypgstac.migrate import Migrate

from ingest import footprints, queryables
from ingest.database import MIGRATION_LOCK, connected, place, translated
from ingest.errors import NotMigratedError
from ingest.extent import Extent
from ingest.loader import ItemLoader, database_of

_SEARCH_PATH = "search_path TO pgstac, public"
_LOADING_LOCK = 0x6E696D6270
"""Key of the advisory lock that one load at a time holds."""
_SETTINGS = {
    # Counts are exact while they are cheap and estimated beyond: never a scan of millions.
    "context": "auto",
    # ``Pgstac.save`` grows extents; pgstac's own way reads a whole partition each time.
    "update_collection_extent": "false",
}

# Compiling one of pgstac's plans takes longer than running it, and packing an Item's JSON the old
# way as long as all its indexes; a PostgreSQL that was built without the new way keeps the old.
_TUNING = """
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
    IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression')
    THEN
        EXECUTE format(
            'ALTER DATABASE %I SET default_toast_compression = lz4', current_database()
        );
    END IF;
END $$
"""


class Pgstac:
    """A migrated pgstac, open for loading; not to be shared between threads."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def save(self, collection: dict[str, Any]) -> None:
        """Write a Collection; an extent that it has already only grows.

        Raises:
            DatabaseError: The database did not do it.
        """
        # The row of a Collection is locked by every load of its Items, too.
        with self._alone(), self._connection.transaction():
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
        self._delsert(items)

    def fill(self, items: Sequence[dict[str, Any]]) -> int:
        """Write Items, but none in the place of one that was made later; give how many.

        For who goes through storage while workers publish: what it read may be old by now.

        Raises:
            DatabaseError: The database did not do it; months that were done stay done.
        """
        keys = [
            {"collection": item["collection"], "id": item["id"], "updated": _updated(item)}
            for item in items
        ]
        with self._alone():
            rows = self._connection.execute(
                "SELECT collection, id FROM items JOIN jsonb_to_recordset(%s)"
                " AS wanted(collection text, id text, updated timestamptz) USING (collection, id)"
                " WHERE (content->'properties'->>'updated')::timestamptz > wanted.updated",
                (Jsonb(keys),),
            ).fetchall()
            later = set(rows)
            wanted = [item for item in items if (item["collection"], item["id"]) not in later]
            self._delsert(wanted)
            return len(wanted)

    def remove(self, collection: str, item: str) -> None:
        """Take an Item out, however often it is there.

        Raises:
            DatabaseError: The database did not do it.
        """
        with self._alone():
            self._connection.execute(
                "DELETE FROM items WHERE collection = %s AND id = %s", (collection, item)
            )

    def changed(self, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Pick the Items of one Collection that the database lacks or holds otherwise.

        For the few Items of a job: pgstac takes milliseconds to put one together.

        Raises:
            DatabaseError: The database did not do it.
        """
        if not items:
            return []
        with translated():
            rows = self._connection.execute(
                "SELECT id, content_hydrate(items) FROM items"
                " WHERE collection = %s AND id = ANY(%s)",
                (items[0]["collection"], [item["id"] for item in items]),
            ).fetchall()
        held: dict[str, dict[str, Any]] = dict(rows)
        return [item for item in items if held.get(item["id"]) != item]

    def _delsert(self, items: Sequence[dict[str, Any]]) -> None:
        # One id twice in a batch would break the key that delsert relies on.
        unique = {(item["collection"], item["id"]): item for item in items}
        if unique:
            with translated():
                loader = ItemLoader.over(self._connection)
                rows = loader.prepared(list(unique.values()))
            with self._alone():
                held = self._held(rows)
                # Looking for an id in every partition costs more than all the rest.
                fresh = [row for row in rows if (row["collection"], row["id"]) not in held]
                known = [row for row in rows if (row["collection"], row["id"]) in held]
                loader.replace(known)
                try:
                    loader.insert(fresh)
                except psycopg.errors.UniqueViolation:
                    loader.replace(fresh)

    def _held(self, rows: Sequence[dict[str, Any]]) -> set[tuple[Any, ...]]:
        """Tell which Items the database may have: their footprints have one index for all."""
        if not self._has_footprints():
            return {(row["collection"], row["id"]) for row in rows}
        by_collection: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            by_collection[row["collection"]].append(row["id"])
        held: set[tuple[Any, ...]] = set()
        for collection, ids in by_collection.items():
            held.update(
                self._connection.execute(
                    "SELECT collection, id FROM nimbostac.footprints"
                    " WHERE collection = %s AND id = ANY(%s)",
                    (collection, ids),
                )
            )
        return held

    def _has_footprints(self) -> bool:
        row = self._connection.execute(footprints.EXISTS).fetchone()
        return bool(row and row[0])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Load while nobody else does.

        Two that make partitions of one Collection, or delete from it, fail or wait for each other.
        """
        with translated():
            self._connection.execute("SELECT pg_advisory_lock(%s)", (_LOADING_LOCK,))
            try:
                yield
            finally:
                # A connection that broke holds no lock any more.
                if not self._connection.closed:
                    self._connection.execute("SELECT pg_advisory_unlock(%s)", (_LOADING_LOCK,))


@contextmanager
def opened() -> Iterator[Pgstac]:
    """Connect while the block runs.

    Raises:
        DatabaseUnreachableError: PostgreSQL does not answer.
        NotMigratedError: There is no pgstac, or another version of it.
    """
    with connected(_SEARCH_PATH) as connection:
        found = version(connection)
        if found is None or _minor(found) != _minor(pypgstac.__version__):
            raise NotMigratedError(place(), found, pypgstac.__version__)
        yield Pgstac(connection)


def version(connection: psycopg.Connection) -> str | None:
    """Tell the version of pgstac; ``None`` if there is none."""
    with translated():
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
    with connected(_SEARCH_PATH) as connection, translated():
        connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATION_LOCK,))
        if version(connection) != pypgstac.__version__:
            Migrate(database_of(connection)).run_migration()
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
    row = connection.execute(footprints.EXISTS).fetchone()
    there = bool(row and row[0])
    connection.execute((footprints.FUNCTIONS if there else footprints.SCHEMA).encode())
    connection.execute(_TUNING)
    connection.execute(
        "SELECT upsert_queryables(%s, NULL, %s)",
        (Jsonb({"properties": queryables.PROPERTIES}), list(queryables.INDEXED)),
    )


def _updated(item: dict[str, Any]) -> str:
    updated: str = item["properties"]["updated"]
    return updated


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]
