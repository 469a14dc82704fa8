"""The programs of PostgreSQL and Redis that this machine has."""

import shutil
import subprocess
from pathlib import Path

from deploy.errors import HomeError, MissingServerError
from deploy.stack.home import Home

_SYSTEM = Path("/usr/lib/postgresql")


def find_postgres(home: Home, wanted: Path | None) -> Path:
    """Find the programs of PostgreSQL, those of the cluster's own version if there is one.

    Args:
        home: Data folder that may hold a cluster.
        wanted: Folder to take them from; without it the system's.

    Raises:
        MissingServerError: There is no PostgreSQL, or no PostGIS for it.
        HomeError: The cluster was made by a version that is not there.
    """
    folders = [wanted] if wanted else _installed()
    versions = {_version(folder): folder for folder in folders if (folder / "initdb").exists()}
    if not versions:
        raise MissingServerError("PostgreSQL", "postgresql postgresql-postgis")
    try:
        made_by = (home.postgres / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        made_by = max(versions, key=int)
    except PermissionError as error:
        raise HomeError(
            home.path, "holds a PostgreSQL of another user; start the stack as who made it"
        ) from error
    if made_by not in versions:
        raise HomeError(
            home.path,
            f"was made by PostgreSQL {made_by}, and there is only {', '.join(versions)};"
            f" install postgresql-{made_by} and postgresql-{made_by}-postgis-3, or name its"
            " programs in NIMBOSTAC_POSTGRES_BIN",
        )
    _check_postgis(versions[made_by])
    return versions[made_by]


def find_redis() -> Path:
    """Find the Redis server.

    Raises:
        MissingServerError: It is not installed.
    """
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise MissingServerError("Redis", "redis-server")
    return Path(found)


def _installed() -> list[Path]:
    found = [path.parent for path in _SYSTEM.glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    return found if found or on_path is None else [Path(on_path).resolve().parent]


def _version(folder: Path) -> str:
    told = subprocess.run(  # noqa: S603 - a program that was found
        [folder / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout
    # Such as: postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1).
    return told.partition(") ")[2].partition(".")[0]


def _check_postgis(programs: Path) -> None:
    # Only Debian's layout is known for certain; elsewhere the migration tells.
    if programs.parent.parent == _SYSTEM:
        control = Path("/usr/share/postgresql", programs.parent.name, "extension/postgis.control")
        if not control.exists():
            raise MissingServerError(
                f"PostGIS for PostgreSQL {programs.parent.name}",
                f"postgresql-{programs.parent.name}-postgis-3",
            )
