"""``nimbostac migrate``: bring the database up to date."""

import typer


def migrate() -> None:
    """Bring the database that the PG* variables name to the version this program works with.

    Safe to run again, and from many places at once.
    """
    from ingest import database, ledger, pgstac

    version = pgstac.migrate()
    typer.echo(f"pgstac {version}, ledger {ledger.migrate()} at {database.place()}")
