import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from producer import download
from producer.errors import LayerError, WeightsDigestError, WeightsFetchError
from producer.kappamask import fetching, networks
from producer.kappamask.fetching import Source
from producer.kappamask.unet import UNet
from producer.kappamask.weights import WeightsCache
from tests.producer.kappamask import keras_files

NAME = "l1c_unet"
LEVELS = 2
"""Instead of five: a file of 2 MB instead of 124, and all else is as it is."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the network small, and what one request asks for as well."""
    monkeypatch.setattr(networks, "build", lambda _: UNet(13, levels=LEVELS).eval())
    monkeypatch.setattr(download, "CHUNK_BYTES", 100_000)


@dataclass
class Site:
    """A web server with one file of weights, and the faults that it is told to have."""

    data: bytes
    etag: str | None = '"one"'
    ranges: bool = True
    breaks_after: int | None = None
    """Bytes served before every further answer is 403."""
    served: int = 0
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = self.headers.get("Range") if site.ranges else None
            site.asked.append(asked or "whole")
            if self.path != f"/weights/{NAME}.hdf5":
                return self._answer(404, b"")
            if site.breaks_after is not None and site.served >= site.breaks_after:
                return self._answer(403, b"")
            if (wanted := self.headers.get("If-Match")) and wanted != site.etag:
                return self._answer(412, b"")
            match = re.fullmatch(r"bytes=(\d+)-(\d+)", asked or "")
            if match is None:
                return self._answer(200, site.data)
            first, last = int(match[1]), min(int(match[2]), len(site.data) - 1)
            site.served += last + 1 - first
            span = f"bytes {first}-{last}/{len(site.data)}"
            return self._answer(206, site.data[first : last + 1], span)

        def _answer(self, status: int, body: bytes, span: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if span:
                self.send_header("Content-Range", span)
            if site.etag:
                self.send_header("ETag", site.etag)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}/weights"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("keras") / "weights.hdf5"
    keras_files.write(path, keras_files.random_arrays(keras_files.unet_layers(13, LEVELS), seed=6))
    return path.read_bytes()


@pytest.fixture
def site(data: bytes) -> Iterator[Site]:
    with serving(Site(data)) as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path) -> WeightsCache:
    return WeightsCache(tmp_path)


def silent(_step: str, _done: int, _total: int) -> None:
    pass


def test_weights_are_fetched_imported_and_nothing_else_is_left(
    site: Site, cache: WeightsCache
) -> None:
    told: list[tuple[str, int, int]] = []
    card = fetching.fetch(cache, NAME, Source((site.url,)), lambda *news: told.append(news))
    assert card.sha256 == hashlib.sha256(site.data).hexdigest()
    assert card.source == f"{site.url}/{NAME}.hdf5"
    assert card.trust == "first use"
    assert told[0] == ("fetch", 0, len(site.data))
    assert told[-1] == ("fetch", len(site.data), len(site.data))
    assert len(list(cache.folder.glob("[!.]*"))) == 2
    assert {path.suffix for path in cache.folder.glob(".*")} == {".lock"}
    assert cache.verify(NAME) == card


def test_a_broken_download_goes_on_where_it_broke(
    site: Site, cache: WeightsCache, data: bytes
) -> None:
    site.breaks_after = len(data) // 3
    with pytest.raises(WeightsFetchError, match="could not fetch"):
        fetching.fetch(cache, NAME, Source((site.url,)), silent)
    (part,) = cache.folder.glob(".*.part")
    kept = part.stat().st_size
    assert len(site.data) // 3 <= kept < len(site.data)
    assert kept % 100_000 == 0
    site.breaks_after, site.served = None, 0
    fetching.fetch(cache, NAME, Source((site.url,)), silent)
    assert site.served <= len(site.data) - kept + 1
    assert cache.card(NAME).sha256 == hashlib.sha256(site.data).hexdigest()


def test_a_file_that_changed_meanwhile_is_fetched_from_the_start(
    site: Site, cache: WeightsCache, data: bytes
) -> None:
    site.data, site.breaks_after = b"\0" * len(data), len(data) // 3
    with pytest.raises(WeightsFetchError):
        fetching.fetch(cache, NAME, Source((site.url,)), silent)
    site.data, site.etag, site.breaks_after = data, '"two"', None
    fetching.fetch(cache, NAME, Source((site.url,)), silent)
    assert cache.card(NAME).sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("etag", ['"one"', None], ids=["with etag", "without etag"])
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_simple_servers_will_do(
    site: Site, cache: WeightsCache, etag: str | None, *, ranges: bool
) -> None:
    site.etag, site.ranges = etag, ranges
    fetching.fetch(cache, NAME, Source((site.url,)), silent)
    assert cache.card(NAME).sha256 == hashlib.sha256(site.data).hexdigest()


def test_addresses_are_tried_in_turn(site: Site, cache: WeightsCache) -> None:
    nowhere = site.url.replace("/weights", "/nowhere")
    card = fetching.fetch(cache, NAME, Source((nowhere, site.url)), silent)
    assert card.source.startswith(site.url)


def test_when_no_address_has_them_each_is_told_with_its_reason(
    site: Site, cache: WeightsCache
) -> None:
    nowhere = site.url.replace("/weights", "/nowhere")
    with pytest.raises(WeightsFetchError, match=r"nowhere: .*import FILE") as failed:
        fetching.fetch(cache, NAME, Source((nowhere, "gopher://x")), silent)
    assert "gopher://x: " in str(failed.value)
    assert failed.value.passing


def test_a_download_with_another_digest_is_thrown_away(site: Site, cache: WeightsCache) -> None:
    with pytest.raises(WeightsDigestError):
        fetching.fetch(cache, NAME, Source((site.url,), "f" * 64), silent)
    assert cache.cards() == ()
    assert not list(cache.folder.glob(".*.part"))


def test_in_a_hurry_nothing_is_tried_again(cache: WeightsCache, site: Site) -> None:
    site.breaks_after = 0
    with pytest.raises(WeightsFetchError):
        fetching.fetch(cache, NAME, Source((site.url,), hurried=True), silent)
    assert len(site.asked) == 1


def test_a_page_instead_of_weights_is_refused(site: Site, cache: WeightsCache) -> None:
    site.data = b"<html>gone</html>"
    with pytest.raises(Exception, match="cannot be read as Keras's HDF5"):
        fetching.fetch(cache, NAME, Source((site.url,)), silent)


def test_weights_of_another_network_are_refused(cache: WeightsCache, tmp_path: Path) -> None:
    path = tmp_path / "other.hdf5"
    keras_files.write(path, keras_files.random_arrays(keras_files.unet_layers(12, LEVELS), seed=6))
    with serving(Site(path.read_bytes())) as site, pytest.raises(LayerError, match="layer conv2d "):
        fetching.fetch(cache, NAME, Source((site.url,)), silent)
