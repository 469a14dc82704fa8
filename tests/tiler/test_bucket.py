"""Masks in a bucket: a real server that speaks S3, and how many requests it sees."""

from collections.abc import Callable, Iterator
from typing import Any

import morecantile
import numpy as np
import obstore
import pytest

from producer.storage import Storage
from tests import buckets
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
    with buckets.bucket("masks") as address:
        objects._bucket.cache_clear()
        yield address
        objects._bucket.cache_clear()


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
