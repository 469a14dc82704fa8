"""Products in a bucket: a real server that speaks S3."""

import logging
from collections.abc import Iterator
from datetime import date
from urllib.request import Request, urlopen

import obstore
import pytest
from moto.server import ThreadedMotoServer

from ingest.errors import SourceRefusedError, SourceUnreachableError
from ingest.filters import Filters, Reason
from ingest.sources import tree
from ingest.sources.bucket import BucketSource
from ingest.sources.layout import Layout
from ingest.sources.names import NamesSource
from producer.storage import Storage
from tests import servers
from tests.ingest.sources.listings import everything, name, one_page_a_process, place

NAMES = [name(day, tile) for day in range(3) for tile in ("33UUU", "33UVU")]
ZIPPED = name(1, "34UCD")


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    _, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "any")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_ALLOW_HTTP", "true")
        urlopen(Request(f"http://127.0.0.1:{port}/eodata", method="PUT")).close()
        storage = Storage.from_url("s3://eodata/Sentinel-2/MSI")
        for product in NAMES:
            for part in ("manifest.safe", "MTD_MSIL1C.xml", "GRANULE/deep/B02.jp2"):
                storage.put(f"{place(product)}/{part}", b"1")
        storage.put(place(ZIPPED).replace(".SAFE", ".zip"), b"12345")
        storage.put("L1C/2020/05/02/readme.txt", b"")
        storage.put("L1C/2020/05/02/other.zip", b"")
        yield "s3://eodata"
    server.stop()


def test_products_are_prefixes_or_zips(bucket: str) -> None:
    found, skipped = everything(BucketSource.of(bucket))
    assert {one.source: one.bytes for one in found} == {
        **{f"{bucket}/Sentinel-2/MSI/{place(product)}": None for product in NAMES},
        f"{bucket}/Sentinel-2/MSI/{place(ZIPPED)}".replace(".SAFE", ".zip"): 5,
    }
    assert skipped == {Reason.NO_PRODUCT: 1}


def test_only_prefixes_of_wanted_days_are_listed(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    plain = obstore.list_with_delimiter

    def listed(store: object, prefix: str | None) -> object:
        seen.append(prefix)
        return plain(store, prefix)  # type: ignore[call-overload]

    monkeypatch.setattr(obstore, "list_with_delimiter", listed)
    asked = Filters(start=date(2020, 5, 4), end=date(2020, 5, 9))
    found, _ = everything(BucketSource.of(f"{bucket}/Sentinel-2/MSI/L1C"), asked)
    assert {one.product for one in found} == set(NAMES[4:])
    assert seen == [None, "2020", "2020/05", "2020/05/03"]


def test_a_listing_that_dies_after_every_page_loses_nothing(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "PAGE", 1)
    pages = list(one_page_a_process(BucketSource.of(bucket)))
    assert sorted(one.product for page in pages for one in page.candidates) == sorted(
        [*NAMES, ZIPPED]
    )


def test_a_bucket_or_prefix_that_is_not_there_is_an_error_for_good(bucket: str) -> None:
    for address in ("s3://nonesuch/eodata", f"{bucket}/Sentinel-3"):
        with pytest.raises(SourceRefusedError, match=address) as caught:
            everything(BucketSource.of(address))
        assert not caught.value.passing
    with pytest.raises(SourceRefusedError, match="ftp"):
        BucketSource.of("ftp://eodata")


def test_a_store_that_does_not_answer_may_do_so_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{servers.free_port()}")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setattr("obstore.list_with_delimiter", _refused)
    with pytest.raises(SourceUnreachableError) as caught:
        everything(BucketSource.of("s3://eodata"))
    assert caught.value.passing


def _refused(*_: object) -> None:
    # What obstore says after minutes of trying again.
    raise obstore.exceptions.GenericError("Generic S3 error: connection refused")


def test_names_are_located_in_the_layout_of_a_bucket(bucket: str) -> None:
    absent = name(9)
    source = NamesSource([NAMES[0], f"{ZIPPED}.SAFE", absent], layout=Layout(bucket))
    found, skipped = everything(source)
    root = f"{bucket}/Sentinel-2/MSI"
    assert {one.product: one.source for one in found} == {
        NAMES[0]: f"{root}/{place(NAMES[0])}",
        ZIPPED: f"{root}/{place(ZIPPED)}".replace(".SAFE", ".zip"),
    }
    assert skipped == {Reason.ABSENT: 1}
