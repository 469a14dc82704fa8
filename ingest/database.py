"""Connections to PostgreSQL; where it is, libpq's own ``PG*`` variables say."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from ingest.errors import DatabaseRefusedError, DatabaseUnreachableError

MIGRATION_LOCK = 0x6E696D626F
"""Key of the advisory lock that one migration at a time holds, whatever it migrates."""

_CONNECT_TIMEOUT_S = 10
_KEEPALIVE = "keepalives_idle=15 keepalives_interval=5 keepalives_count=3"
"""A host that went without a word is noticed after half a minute, not after two hours."""


def place() -> str:
    """Say which database the ``PG*`` variables mean."""
    host, port = os.environ.get("PGHOST", "localhost"), os.environ.get("PGPORT", "5432")
    name = os.environ.get("PGDATABASE") or os.environ.get("PGUSER") or "default"
    return f"{host}:{port}, database {name}"


@contextmanager
def connected(*settings: str) -> Iterator[psycopg.Connection]:
    """Connect while the block runs; every statement is a transaction unless one is begun.

    Args:
        settings: What the connection is to ``SET``, such as ``search_path TO pgstac, public``.

    Raises:
        DatabaseUnreachableError: PostgreSQL does not answer.
    """
    with translated():
        connection = psycopg.connect(
            _KEEPALIVE, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S
        )
    try:
        with translated():
            for setting in ("application_name TO 'nimbostac'", *settings):
                connection.execute(f"SET {setting}".encode())
        yield connection
    finally:
        connection.close()


@contextmanager
def translated() -> Iterator[None]:
    """Say where the database was looked for when it does not do what it is asked.

    Raises:
        DatabaseUnreachableError: PostgreSQL does not answer, or stopped answering.
        DatabaseRefusedError: It answers, but not to this statement.
    """
    try:
        yield
    except psycopg.OperationalError as error:
        raise DatabaseUnreachableError(place(), _first_line(error)) from error
    except psycopg.Error as error:
        raise DatabaseRefusedError(place(), _first_line(error)) from error


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
