"""Health: whether the process lives, and whether it can answer a search."""

from dataclasses import asdict, dataclass

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse

from catalog.database import PGSTAC_SERIES, connection
from catalog.errors import CatalogError, NotMigratedError

router = APIRouter(tags=["Health"])


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the catalogue can answer, and what to do if not."""

    ready: bool
    pgstac: str | None = None
    """Version that the database was migrated to."""
    problem: str | None = None
    remedy: str | None = None
    """Command that helps, where one is known."""


async def readiness(app: FastAPI) -> Readiness:
    """Ask the database for its pgstac, within the time that the settings allow."""
    version = None
    try:
        async with connection(app) as lent:
            version = await lent.fetchval("SELECT pgstac.get_version()")
    except NotMigratedError as error:
        return _unmigrated(error, version)
    except CatalogError as error:
        return Readiness(ready=False, problem=str(error))
    if version is None or not f"{version}.".startswith(f"{PGSTAC_SERIES}."):
        return _unmigrated(NotMigratedError(version, PGSTAC_SERIES), version)
    return Readiness(ready=True, pgstac=version)


def _unmigrated(error: NotMigratedError, version: str | None) -> Readiness:
    return Readiness(ready=False, pgstac=version, problem=str(error), remedy=error.remedy)


@router.get("/healthz", summary="Tell that the process lives")
async def healthz() -> dict[str, str]:
    """Answer without asking anybody: a database that is down is no reason to restart."""
    return {"status": "alive"}


@router.get("/healthz/ready", summary="Tell whether searches can be answered")
async def healthz_ready(request: Request) -> JSONResponse:
    """Answer 503 while the database is down or not migrated."""
    state = await readiness(request.app)
    return JSONResponse(
        asdict(state), 200 if state.ready else 503, headers={"Cache-Control": "no-store"}
    )
