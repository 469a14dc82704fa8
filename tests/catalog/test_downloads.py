"""Downloads: ranges, conditions, what may be read and how many requests a header takes."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any

import obstore
import pytest
from fastapi.testclient import TestClient
from obstore.store import MemoryStore, S3Store

from producer.storage import Storage
from tests.catalog.conftest import Server, Shelf
from tests.records import Stored

COLLECTION = "ukis-csmask-l1c"


def _item(client: TestClient, mask: Stored) -> dict[str, Any]:
    return client.get(f"/collections/{COLLECTION}/items/{mask.item}").json()


@pytest.fixture
def href(client: TestClient, masks: list[Stored]) -> str:
    """Address of a mask, as its Item tells it."""
    return str(_item(client, masks[1])["assets"]["mask"]["href"])


@pytest.fixture
def content(shelf: Shelf) -> bytes:
    """The same mask, read from its folder."""
    key = f"{shelf.masks[1].stem}.tif"
    path = shelf.store.path(key)
    assert path is not None
    return path.read_bytes()


def test_every_asset_is_downloaded_as_the_item_describes_it(
    client: TestClient, masks: list[Stored]
) -> None:
    assets = _item(client, masks[1])["assets"]
    assert {"mask", "preview", "thumbnail", "metadata"} <= assets.keys()
    for asset in assets.values():
        answer = client.get(asset["href"])
        assert answer.status_code == 200
        assert answer.headers["content-type"] == asset["type"]
        assert asset["href"].rpartition("/")[2] in answer.headers["content-disposition"]
        if "file:checksum" in asset:
            assert hashlib.sha256(answer.content).hexdigest() == asset["file:checksum"][4:]


def test_a_download_may_be_cached_for_ever_and_resumed(
    client: TestClient, href: str, content: bytes
) -> None:
    for method in ("GET", "HEAD"):
        answer = client.request(method, href, headers={"accept-encoding": "br, gzip"})
        assert answer.headers["content-length"] == str(len(content))
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["etag"].startswith('"')
        assert "content-encoding" not in answer.headers
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert answer.content == (content if method == "GET" else b"")


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=5-", slice(5, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=-99999999", slice(None)),
        ("bytes=3-99999999", slice(3, None)),
        ("bytes=2-3,4-9", slice(2, 10)),
        ("bytes=0-0, 99999999-", slice(0, 1)),
    ],
)
def test_a_part_is_sent(
    client: TestClient, href: str, content: bytes, asked: str, wanted: slice
) -> None:
    answer = client.get(href, headers={"range": asked})
    start, stop, _ = wanted.indices(len(content))
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(content)}"
    assert answer.headers["content-length"] == str(stop - start)
    assert answer.content == content[wanted]


def test_many_parts_are_sent_as_one_message(client: TestClient, href: str, content: bytes) -> None:
    answer = client.get(href, headers={"range": "bytes=100-109,0-4,-3"})
    assert answer.status_code == 206
    assert int(answer.headers["content-length"]) == len(answer.content)
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + answer.content).get_payload()
    assert [part.get_payload(decode=True) for part in parts] == [
        content[100:110],
        content[:5],
        content[-3:],
    ]
    assert parts[0]["content-range"] == f"bytes 100-109/{len(content)}"


@pytest.mark.parametrize(
    "asked", ["bytes=99999999-", "bytes=-0", "bytes=9-2", "bytes=a-b", "bytes=-", "bytes=1-2-3"]
)
def test_a_part_that_is_not_there_is_refused(
    client: TestClient, href: str, content: bytes, asked: str
) -> None:
    answer = client.get(href, headers={"range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(content)}"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("asked", ["lines=0-9", "bytes 0-9", "bytes=" + "0-0,5-5," * 60 + "9-9"])
def test_ranges_that_nobody_need_understand_give_the_whole(
    client: TestClient, href: str, content: bytes, asked: str
) -> None:
    answer = client.get(href, headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, content)


def test_what_the_client_holds_already_is_not_sent_again(client: TestClient, href: str) -> None:
    sent = client.head(href).headers
    held: list[dict[str, str]] = [
        {"if-none-match": sent["etag"]},
        {"if-none-match": f'"other", W/{sent["etag"]}'},
        {"if-none-match": "*"},
        {"if-modified-since": sent["last-modified"]},
    ]
    for headers in held:
        answer = client.get(href, headers=headers)
        assert (answer.status_code, answer.content) == (304, b""), headers
        assert answer.headers["etag"] == sent["etag"]
    changed: list[dict[str, str]] = [
        {"if-none-match": '"other"'},
        {"if-none-match": '"other"', "if-modified-since": sent["last-modified"]},
        {"if-modified-since": "Sat, 01 Jan 2000 00:00:00 GMT"},
        {"if-modified-since": "yesterday"},
    ]
    for headers in changed:
        assert client.get(href, headers=headers).status_code == 200, headers


def test_a_part_of_another_state_is_not_mixed_with_this_one(client: TestClient, href: str) -> None:
    sent = client.head(href).headers
    for condition, status in (
        (sent["etag"], 206),
        (sent["last-modified"], 206),
        ('"other"', 200),
        (f"W/{sent['etag']}", 200),
        ("Sat, 01 Jan 2000 00:00:00 GMT", 200),
    ):
        answer = client.get(href, headers={"range": "bytes=0-9", "if-range": condition})
        assert answer.status_code == status, condition


@pytest.mark.parametrize(
    "name",
    [
        "nothing.tif",
        "%2e%2e",
        "..%2f..%2fcollection.json",
        "%2fetc%2fpasswd",
        "..%5c..%5ccollection.json",
        "mask.tif%00",
        "collection.json",
    ],
)
def test_only_what_the_item_names_is_read(
    client: TestClient, masks: list[Stored], name: str
) -> None:
    base = f"/collections/{COLLECTION}/items/{masks[1].item}"
    assert client.get(f"{base}/download/{name}").status_code == 404


def test_a_file_outside_of_the_store_stays_where_it_is(
    environment: dict[str, str],
    masks: list[Stored],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from catalog.app import create_app

    # As if the Items had been catalogued with files that lie elsewhere.
    monkeypatch.setenv("NIMBOSTAC_STORE_URL", str(tmp_path))
    with TestClient(create_app()) as client:
        stored = _item(client, masks[1])["assets"]["mask"]["href"]
        assert stored.startswith("file:///")
        name = stored.rpartition("/")[2]
        address = f"/collections/{COLLECTION}/items/{masks[1].item}/download/{name}"
        assert client.get(address).status_code == 404


def test_a_file_that_storage_lost_is_not_found_and_found_again(
    client: TestClient, shelf: Shelf, href: str
) -> None:
    path = shelf.store.path(f"{shelf.masks[1].stem}.tif")
    assert path is not None
    hidden = path.with_name("hidden")
    path.rename(hidden)
    try:
        answer = client.get(href)
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == "no-store"
    finally:
        hidden.rename(path)
    assert client.get(href).status_code == 200


@pytest.fixture
def in_bucket(
    environment: dict[str, str], shelf: Shelf, content: bytes
) -> Callable[..., TestClient]:
    """Give the application another store that holds the same mask under the same address."""
    from catalog.app import create_app
    from catalog.settings import CatalogSettings

    def build(store: Any, **settings: Any) -> TestClient:
        app = create_app(CatalogSettings(**settings))
        app.state.store = Storage(shelf.store.url, store, None)
        return TestClient(app)

    return build


def test_parts_are_streamed_from_a_bucket(
    in_bucket: Callable[..., TestClient], shelf: Shelf, href: str, content: bytes
) -> None:
    bucket = MemoryStore()
    obstore.put(bucket, f"{shelf.masks[1].stem}.tif", content)
    with in_bucket(bucket, download_redirect=True) as client:
        whole = client.get(href)
        assert whole.content == content
        part = client.get(href, headers={"range": "bytes=7-12", "if-range": whole.headers["etag"]})
        assert (part.status_code, part.content) == (206, content[7:13])


def test_a_download_from_a_bucket_is_sent_on_if_asked_for(
    in_bucket: Callable[..., TestClient], shelf: Shelf, href: str
) -> None:
    bucket = S3Store(
        "masks", region="eu-central-1", access_key_id="key", secret_access_key="secret"
    )
    with in_bucket(bucket, download_redirect=True) as client:
        answer = client.get(href, follow_redirects=False)
        assert answer.status_code == 307
        assert f"{shelf.masks[1].stem}.tif?" in answer.headers["location"]
        assert "X-Amz-Signature=" in answer.headers["location"]
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("tool", ["gdalinfo", "rasterio"])
def test_gdal_reads_the_header_with_three_requests(
    server: Server, masks: list[Stored], tool: str
) -> None:
    item = f"{server.address}/collections/{COLLECTION}/items/{masks[1].item}"
    address = f"/vsicurl/{item}/download/{masks[1].stem.rpartition('/')[2]}.tif"
    before = len(server.requests())
    if tool == "gdalinfo":
        command = ["gdalinfo", address]
    else:
        show = "import rasterio, sys; print(rasterio.open(sys.argv[1]).profile)"
        command = [sys.executable, "-c", show, address]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert "256" in told
    asked = server.requests()[before:]
    assert 1 <= len(asked) <= 3, asked
