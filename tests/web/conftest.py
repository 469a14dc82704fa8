"""The page as a browser shows it: headless Chromium on the real services in one process."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from producer.storage import Storage
from tests import records
from tests.servers import Postgres, free_port, wait_for_port
from tests.web import skies
from tests.web.screen import FLAGS, VIEWPORT_PX, Visit, Visits

ROOT = Path(__file__).parents[2]
_SHUTDOWN = ("--timeout-graceful-shutdown", "2")
"""Who still looks at the page when the tests are over, does not keep the server."""
DAYS = (datetime(2017, 2, 6, 10, 21, tzinfo=UTC), records.SENSED, datetime(2017, 3, 8, tzinfo=UTC))


@contextmanager
def catalogue(
    pg_server: Postgres, template: str, folder: Path, fill: Callable[[Storage], None]
) -> Iterator[dict[str, str]]:
    """Fill a catalogue of one's own; gives the environment of services that serve it."""
    name = f"web_{os.urandom(4).hex()}"
    store = Storage.from_url(str(folder))
    environment = {
        **pg_server.environment,
        "PGDATABASE": name,
        "NIMBOSTAC_STORE_URL": store.url,
    }
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in environment.items():
            patch.setenv(variable, value)
        with psycopg.connect(dbname="postgres", autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            fill(store)
            yield environment
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def served(environment: dict[str, str], log: Path) -> Iterator[str]:
    """Serve the page, a catalogue and its tiles; gives their address."""
    subprocess.run(["sh", ROOT / "web/vendor.sh"], check=True)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "deploy.app:create_app"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--log-level", "warning", *_SHUTDOWN],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            try:
                wait_for_port(port)
            except TimeoutError as error:
                error.add_note(log.read_text())
                raise
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(scope="session")
def catalogue_home(
    pg_server: Postgres, pgstac_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Catalogue four masks; gives the environment of services that serve them."""

    def fill(store: Storage) -> None:
        masks = [records.stored_mask(store, "33UUU", day) for day in DAYS]
        records.catalogued(store, *masks, records.stored_mask(store, "35VLF", DAYS[1]))

    folder = tmp_path_factory.mktemp("store")
    with catalogue(pg_server, pgstac_template, folder, fill) as environment:
        yield environment


@pytest.fixture(scope="session")
def site(catalogue_home: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the page, the catalogue and the tiles; gives their address."""
    with served(catalogue_home, tmp_path_factory.mktemp("site") / "log") as address:
        yield address


@pytest.fixture(scope="session")
def season_site(
    pg_server: Postgres, pgstac_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Serve masks of one place on several days, some of them by two engines."""
    folder = tmp_path_factory.mktemp("season")
    with (
        catalogue(pg_server, pgstac_template, folder / "store", skies.fill) as environment,
        served(environment, folder / "log") as address,
    ):
        yield address


@pytest.fixture
def season(browser: Browser, usual: BrowserContext, season_site: str) -> Iterator[Visits]:
    """Open pages of that site; what they complain of fails the test at its end."""
    visits = Visits(browser, season_site, usual)
    yield visits
    visits.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run the system's Chromium.

    For one file: its event loop runs until it ends, and no other loop in this thread meanwhile.
    """
    chromium = shutil.which("chromium")
    assert chromium, "the tests need Chromium: run deploy/setup.sh dev"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def usual(browser: Browser) -> Iterator[BrowserContext]:
    """Give the one who visits again and again, with nothing unusual about the browser."""
    context = browser.new_context(viewport=VIEWPORT_PX)
    yield context
    context.close()


@pytest.fixture
def visits(browser: Browser, usual: BrowserContext, site: str) -> Iterator[Visits]:
    """Open pages of the site; what they complain of fails the test at its end."""
    visits = Visits(browser, site, usual)
    yield visits
    visits.close()


@pytest.fixture
def visit(visits: Visits) -> Visit:
    """Open one page, with nothing unusual about its browser."""
    return visits.open()


@pytest.fixture
def page(visit: Visit) -> Page:
    """Give Playwright's side of that visit."""
    return visit.page
