from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from starlette.testclient import TestClient

from deploy import app as application
from producer.classes import MaskClass
from producer.storage import Storage
from tests import records


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of web files in the place of the page's own."""
    folder = tmp_path / "web"
    for name in (
        "index.html",
        "src/main.js",
        "vendor/map.mjs",
        "package.json",
        "node_modules/x.js",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"// {name}\n" + "x" * 2000)
    (folder / ".npmrc").write_text("secret")
    monkeypatch.setattr(application, "web_folder", lambda: folder)
    return folder


@pytest.fixture
def page(web: Path, store: Storage) -> TestClient:
    """The application without its services: nothing of the page needs the database."""
    return TestClient(application.create_app())


@pytest.fixture
def site(pgstac: str, store: Storage) -> Iterator[TestClient]:
    """The whole application, over an empty catalogue."""
    with TestClient(application.create_app()) as client:
        yield client


def test_modules_are_served_as_what_browsers_run(page: TestClient) -> None:
    for path in ("/src/main.js", "/vendor/map.mjs"):
        assert page.get(path).headers["content-type"] == "text/javascript; charset=utf-8"


def test_the_page_is_at_the_root(page: TestClient) -> None:
    answer = page.get("/?collection=ukis-csmask-l1c")
    assert answer.text.startswith("// index.html")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_what_did_not_change_is_not_sent_again(page: TestClient, web: Path) -> None:
    first = page.get("/src/main.js")
    assert first.headers["cache-control"] == "no-cache"
    asked = {"If-None-Match": first.headers["etag"]}
    again = page.get("/src/main.js", headers=asked)
    assert again.status_code == 304
    assert again.content == b""
    (web / "src/main.js").write_text("// another")
    assert page.get("/src/main.js", headers=asked).text == "// another"


def test_what_others_wrote_is_kept_for_a_day(page: TestClient) -> None:
    assert page.get("/vendor/map.mjs").headers["cache-control"] == "public, max-age=86400"


def test_text_is_sent_compressed(page: TestClient) -> None:
    answer = page.get("/src/main.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text.startswith("// src/main.js")


@pytest.mark.parametrize(
    "path",
    ["/package.json", "/node_modules/x.js", "/.npmrc", "/src/../.npmrc", "/%2e%2e/records.py"],
)
def test_files_that_are_not_of_the_page_are_not_served(page: TestClient, path: str) -> None:
    assert page.get(path).status_code == 404


def test_a_wrong_address_is_told_in_words_to_people_and_in_json_to_programs(
    page: TestClient,
) -> None:
    for_people = page.get("/nowhere", headers={"Accept": "text/html,*/*"})
    assert for_people.status_code == 404
    assert "There is nothing at this address" in for_people.text
    for_programs = page.get("/nowhere", headers={"Accept": "application/json"})
    assert for_programs.json() == {"detail": "nothing is at /nowhere"}


def test_health_is_asked_of_all_services(site: TestClient) -> None:
    assert site.get("/healthz").json() == {"status": "alive"}
    ready = site.get("/healthz/ready")
    assert ready.status_code == 200
    assert ready.json()["status"] == "ready"
    assert ready.json()["stac"]["ready"] is True


def test_a_database_that_is_not_there_is_not_ready_but_alive(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HOST", "127.0.0.1"), ("PORT", "1"), ("USER", "x"), ("PASSWORD", "x")):
        monkeypatch.setenv(f"PG{name}", value)
    monkeypatch.setenv("PGDATABASE", "none")
    with TestClient(application.create_app()) as client:
        assert client.get("/healthz").is_success
        answer = client.get("/healthz/ready")
        assert answer.status_code == 503
        assert answer.json()["status"] == "not ready"


@pytest.mark.parametrize("service", ["stac", "tiler"])
def test_a_service_answers_with_and_without_a_closing_slash(site: TestClient, service: str) -> None:
    bare = site.get(f"/{service}", follow_redirects=False)
    assert bare.status_code == 200
    assert bare.json() == site.get(f"/{service}/").json()


# WMTS tells the limits of every tiling scheme, polar ones included.
@pytest.mark.filterwarnings("ignore::morecantile.errors.PointOutsideTMSBounds")
def test_what_the_catalogue_links_to_is_answered_by_the_tile_server(
    site: TestClient, store: Storage
) -> None:
    mask = np.full((records.EDGE_PX, records.EDGE_PX), MaskClass.CLOUD, np.uint8)
    stored = records.stored_mask(store, "33UUU", records.SENSED, mask)
    records.catalogued(store, stored)
    (item,) = site.get("/stac/search").json()["features"]
    links = {link["rel"]: urlsplit(link["href"]) for link in item["links"]}
    for name in ("tilejson", "wmts", "preview", "map", "self", "collection"):
        address = links[name]
        assert address.netloc == "testserver"
        answer = site.get(f"{address.path}?{address.query}")
        assert answer.is_success, f"{name}: {answer.text}"
    href = urlsplit(item["assets"]["mask"]["href"]).path
    # Bytes of a file are counted as they are: never compressed on the way.
    part = site.get(href, headers={"Range": "bytes=0-3", "Accept-Encoding": "gzip, br"})
    assert part.status_code == 206
    assert part.content[:2] == b"II"
    assert "content-encoding" not in part.headers
