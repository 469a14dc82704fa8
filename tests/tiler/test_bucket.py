"""Masks in a bucket: a real server that speaks S3, and how many requests it sees."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import morecantile
import numpy as np
import obstore
import pytest
from moto.server import ThreadedMotoServer

from producer.storage import Storage
from tests.tiler.scenes import Scene, landscape, store_scene
from tiler import objects
from tiler.draw import draw
from tiler.items import StoredItem
from tiler.rasters import Rasters
from tiler.settings import TilerSettings
from tiler.views import View, tile_view

TMS = morecantile.tms.get("WebMercatorQuad")


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
        patch.setenv("AWS_REGION", "eu-central-1")
        patch.setenv("AWS_ALLOW_HTTP", "true")
        _create_bucket(port, "masks")
        objects._bucket.cache_clear()
        yield "s3://masks"
        objects._bucket.cache_clear()
    server.stop()


def _create_bucket(port: int, name: str) -> None:
    from urllib.request import Request, urlopen

    location = (
        "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint>"
        "</CreateBucketConfiguration>"
    )
    request = Request(f"http://127.0.0.1:{port}/{name}", location.encode(), method="PUT")
    urlopen(request).close()


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count what goes to the bucket."""
    seen: list[str] = []
    for name in ("get", "get_ranges"):
        plain = getattr(obstore, name)

        def counted(
            *arguments: Any, _plain: Callable[..., Any] = plain, _name: str = name, **named: Any
        ) -> Any:
            seen.append(_name)
            return _plain(*arguments, **named)

        monkeypatch.setattr(obstore, name, counted)
    return seen


def test_a_tile_from_a_bucket_is_the_same_and_takes_two_requests(
    bucket: str, store: Storage, requests: list[str]
) -> None:
    scene = Scene("S3", 32633, 399960, 5900040, landscape(2048, 2048))
    near = StoredItem.of(store_scene(scene, store))
    far = StoredItem.of(store_scene(scene, Storage.from_url(f"{bucket}/deep/folder")))
    assert far.assets["mask"].href.startswith("s3://masks/deep/folder/")
    for number, zoom in enumerate((13, 12, 9)):
        rasters = Rasters(TilerSettings())
        tile = TMS.tile(13.62, 53.18, zoom)
        view = tile_view(TMS, tile.x, tile.y, tile.z, None)
        assert isinstance(view, View)
        requests.clear()
        drawn = draw(rasters, far.assets["mask"], view)
        assert len(requests) <= 2, number
        requests.clear()
        assert np.array_equal(drawn, draw(rasters, far.assets["mask"], view))
        assert requests == []
        assert np.array_equal(drawn, draw(Rasters(TilerSettings()), near.assets["mask"], view))
