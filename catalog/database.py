"""Connections to pgstac, and what PostgreSQL's errors mean to a client."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Literal

import asyncpg
from fastapi import FastAPI, Request
from stac_fastapi.pgstac.db import con_init

from catalog.errors import DatabaseDownError, NotMigratedError, SearchError
from catalog.settings import CatalogSettings

PGSTAC_SERIES = "0.10"
"""Series of pgstac whose functions the code calls; patch releases keep them."""

_DOWN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # A connection that was cut while nobody used it.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ObjectNotInPrerequisiteStateError,
)
_UNMIGRATED = (
    asyncpg.UndefinedFunctionError,
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
)
_REFUSED = (
    asyncpg.DataError,
    asyncpg.RaiseError,
    asyncpg.SyntaxOrAccessError,
)


@asynccontextmanager
async def pool(settings: CatalogSettings) -> AsyncIterator[asyncpg.Pool]:
    """Hold a pool of connections to the database that ``PG*`` variables name."""
    opened = asyncpg.create_pool(
        # None is kept open for nothing, so that the service starts before its database.
        min_size=0,
        max_size=settings.database_connections,
        timeout=settings.database_timeout_s,
        command_timeout=settings.query_timeout_s,
        init=con_init,
        server_settings={
            "search_path": "pgstac,public",
            "application_name": "nimbostac catalog",
            "jit": "off",
        },
    )
    async with opened:
        yield opened


@asynccontextmanager
async def get_connection(
    request: Request, readwrite: Literal["r", "w"] = "r"
) -> AsyncIterator[Any]:
    """Lend a connection; stac-fastapi asks for it under this name.

    Raises:
        DatabaseDownError: The database does not answer.
        NotMigratedError: The database has no pgstac.
        SearchError: PostgreSQL refuses what it was asked.
    """
    del readwrite  # The catalogue only reads.
    async with connection(request.app) as lent:
        yield lent


@asynccontextmanager
async def connection(app: FastAPI) -> AsyncIterator[Any]:
    """Lend a connection of the application's pool; raises as ``get_connection`` does."""
    readpool: asyncpg.Pool | None = getattr(app.state, "readpool", None)
    if readpool is None:
        raise DatabaseDownError("the application was started without its lifespan")
    settings: CatalogSettings = app.state.catalog
    with _translated():
        async with readpool.acquire(timeout=settings.database_timeout_s) as lent:
            yield lent


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _UNMIGRATED as error:
        raise NotMigratedError(None, PGSTAC_SERIES) from error
    except _DOWN as error:
        raise DatabaseDownError(str(error) or type(error).__name__) from error
    except _REFUSED as error:
        raise SearchError(str(error)) from error
