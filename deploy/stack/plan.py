"""What a stack consists of: its own servers, and those that the environment names instead."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from deploy.settings import DeploySettings
from deploy.stack import ports, programs, queue
from deploy.stack.accounts import server_account
from deploy.stack.home import Home
from deploy.stack.part import Errand, Part, Task
from deploy.stack.postgres import Postgres
from deploy.stack.queue import Queue
from deploy.stack.state import PartState
from deploy.stack.supervisor import Stage

# -P: never a module of the folder that a process happens to start in.
_PYTHON = (sys.executable, "-P", "-m")
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound


@dataclass(slots=True)
class Plan:
    """Everything that is decided before the first process starts."""

    url: str
    """Address of the API."""
    moved: tuple[str, ...]
    """Sentences on ports that had to be chosen again."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables that reach the servers."""
    external: list[PartState] = field(default_factory=list)
    """What the environment names instead of a part of our own."""
    stages: list[Stage] = field(default_factory=list)

    def addresses(self, home: Home) -> dict[str, str]:
        """Say where to find what, without any password."""
        told = self.environment
        host, port = told.get("PGHOST", "127.0.0.1"), told.get("PGPORT", "5432")
        user, name = told.get("PGUSER", ""), told.get("PGDATABASE", "")
        redis = urlsplit(told["NIMBOSTAC_REDIS_URL"])
        return {
            "map": f"{self.url}/",
            "stac": f"{self.url}/stac",
            "tiler": f"{self.url}/tiler",
            "database": f"postgresql://{f'{user}@' if user else ''}{host}:{port}/{name}",
            "redis": f"{redis.scheme}://{redis.netloc.rpartition('@')[2]}{redis.path}",
            "store": told["NIMBOSTAC_STORE_URL"],
            "home": str(home.path),
        }


def make(settings: DeploySettings, home: Home) -> Plan:
    """Decide, lay out what is missing, and start nothing.

    Raises:
        StackError: A server, a folder or a port cannot be had.
    """
    own = {"postgres": "PGHOST" not in os.environ, "redis": settings.redis_url is None}
    chosen = ports.choose(home.ports_file, tuple(name for name in own if own[name]))

    database = cluster(settings, home, chosen.numbers["postgres"]) if own["postgres"] else None
    redis = None
    if own["redis"]:
        redis = Queue(home, programs.find_redis(), chosen.numbers["redis"], server_account("redis"))
        redis.create()
    # Last of what can fail: from here on it is the supervisor's to close.
    listener = ports.listen(home.ports_file, settings.host, settings.port)
    plan = Plan(_url(settings.host, listener.port), (*chosen.moved, *listener.moved))
    named = {name: value for name, value in os.environ.items() if name.startswith("PG")}
    plan.environment = {
        **(database.environment if database else named),
        "NIMBOSTAC_REDIS_URL": redis.url if redis else str(settings.redis_url),
        "NIMBOSTAC_STORE_URL": _store(settings, home),
        "NIMBOSTAC_SCRATCH": str(
            settings.scratch.expanduser().absolute() if settings.scratch else home.scratch
        ),
    }
    for name, title, is_own in (
        ("postgres", "PostgreSQL", own["postgres"]),
        ("redis", "Redis", own["redis"]),
        ("store", "Storage", settings.store_url is None),
    ):
        if not is_own:
            plan.external.append(PartState(name=name, title=title, state="external"))

    environment = _environment(plan, home)
    servers = (
        *([database.part(environment)] if database else []),
        *([redis.part(environment)] if redis else []),
    )
    api = _api(settings, home, environment, listener, plan.url)
    plan.stages = [
        servers,
        (_migration(home, environment, database),),
        (
            _working("dispatcher", queue.DISPATCHERS, home, environment),
            _working("worker", queue.WORKERS, home, environment),
            api,
        ),
    ]
    return plan


def cluster(settings: DeploySettings, home: Home, port: int) -> Postgres:
    """Lay out the private database.

    Raises:
        StackError: PostgreSQL is not there, or the folder cannot be used.
    """
    found = programs.find_postgres(home, settings.postgres_bin)
    database = Postgres(home, found, port, server_account("postgres"))
    database.create()
    return database


def _environment(plan: Plan, home: Home) -> dict[str, str]:
    # A PGSERVICE or PGSSLMODE of the caller's would lead away from the server of the plan.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**inherited, **plan.environment, "NIMBOSTAC_HOME": str(home.path)}


def _migration(home: Home, environment: dict[str, str], database: Postgres | None) -> Task:
    errand = Errand(
        title="Migration of the database",
        command=(*_PYTHON, "deploy.cli", "migrate"),
        environment=environment,
        folder=home.run,
        log=home.log("migrate"),
    )

    async def work() -> None:
        if database is not None:
            await database.create_database()
        await errand.run()

    return Task(errand.title, work)


def _working(name: str, signs: tuple[str, ...], home: Home, environment: dict[str, str]) -> Part:
    """Plan a part that takes or gives jobs, and lives while its signs in Redis are there."""
    url = environment["NIMBOSTAC_REDIS_URL"]
    return Part(
        name=name,
        title=name.capitalize(),
        command=(*_PYTHON, "deploy.cli", name),
        environment=environment,
        folder=home.run,
        log=home.log(name),
        ready=lambda: queue.lives(url, signs),
        before=lambda: queue.forget(url, signs),
    )


def _api(
    settings: DeploySettings,
    home: Home,
    environment: dict[str, str],
    listener: ports.Listener,
    url: str,
) -> Part:
    return Part(
        name="api",
        title="API",
        command=(
            *(*_PYTHON, "uvicorn", "--factory", "deploy.app:create_app"),
            *("--fd", str(listener.socket.fileno())),
            *("--workers", str(settings.api_workers)),
            # A stop must not wait for a client that never closes its connection.
            *("--timeout-graceful-shutdown", "5"),
        ),
        environment=environment,
        folder=home.run,
        log=home.log("api"),
        ready=lambda: _is_ready(url),
        port=listener.port,
        listener=listener.socket,
    )


async def _is_ready(url: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            answer = await client.get(f"{url}/healthz/ready")
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


def _store(settings: DeploySettings, home: Home) -> str:
    if settings.store_url is None:
        return str(home.masks)
    # A folder as the caller sees it; the parts run elsewhere.
    is_folder = not urlsplit(settings.store_url).scheme
    return (
        str(Path(settings.store_url).expanduser().absolute()) if is_folder else settings.store_url
    )


def _url(host: str, port: int) -> str:
    reached = _ANYWHERE.get(host, host)
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}"
