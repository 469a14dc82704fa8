"""Whether the server lives, and whether it can work."""

from typing import Any

import rasterio
from fastapi import APIRouter, Request
from psycopg import Error
from psycopg_pool import PoolTimeout
from starlette.responses import JSONResponse
from titiler.core import __version__ as titiler_version
from titiler.pgstac import __version__ as titiler_pgstac_version

router = APIRouter(tags=["Health Check"])

_OLDEST_PGSTAC = (0, 9)
_TIMEOUT_S = 1.0


def _problem(request: Request) -> str | None:
    try:
        with request.app.state.dbpool.connection(_TIMEOUT_S) as connection:
            row = connection.execute("SELECT to_regprocedure('pgstac.get_version()')").fetchone()
            if row[0] is None:
                return "pgstac is not there; run nimbostac migrate"
            version = str(connection.execute("SELECT pgstac.get_version()").fetchone()[0])
    except (Error, PoolTimeout):
        return "the database does not answer"
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < _OLDEST_PGSTAC:
        return f"pgstac {version} is too old; run nimbostac migrate"
    return None


@router.get("/healthz", description="Health Check")
def alive(request: Request) -> dict[str, Any]:
    """Say that the process answers, and what it runs on."""
    return {
        "status": "ok",
        "database_online": _problem(request) is None,
        "versions": {
            "titiler": titiler_version,
            "titiler.pgstac": titiler_pgstac_version,
            "rasterio": rasterio.__version__,
            "gdal": rasterio.__gdal_version__,
            "proj": rasterio.__proj_version__,
            "geos": rasterio.__geos_version__,
        },
    }


@router.get("/healthz/ready", description="Readiness Check")
def ready(request: Request) -> JSONResponse:
    """Say whether tiles can be drawn: the database answers and pgstac is migrated."""
    problem = _problem(request)
    if problem is None:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "not ready", "detail": problem}, 503)
