"""The picture of an Item for those who share its address."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from producer.classes import CLASSES
from producer.storage import Storage
from tests.tiler.scenes import COLLECTION, Scene, catalogue, store_scene
from tiler.app import create_app

SAID = {
    "platform": "sentinel-2a",
    "grid:code": "MGRS-33UUU",
    "eo:cloud_cover": 37.5,
    "nimbostac:engine": "kappamask",
    "nimbostac:clear": 0.6,
    "nimbostac:cloud": 0.4,
}
GROUND = (18, 30, 41)


@pytest.fixture(scope="module")
def shared(scene: Scene, catalogued: Storage) -> Iterator[TestClient]:
    catalogue(
        store_scene(replace(scene, id="BOTH", properties=SAID), catalogued, preview=True),
        store_scene(replace(scene, id="ALONE", properties={}), catalogued),
    )
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield client


def picture(client: TestClient, item: str) -> Image.Image:
    answer = client.get(f"/collections/{COLLECTION}/items/{item}/share.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    return Image.open(BytesIO(answer.content))


def test_it_has_the_size_that_open_graph_wants_and_shows_both(
    shared: TestClient, scene: Scene
) -> None:
    both = picture(shared, "BOTH")
    assert (both.size, both.mode) == ((1200, 630), "RGB")
    pixels = np.asarray(both).astype(int)
    # The mask is the second square; what each class looks like over the bare ground.
    square = pixels[140:590, 510:960]
    rows = (np.arange(450) + 0.5) * scene.classes.shape[0] // 450
    classes = scene.classes[np.ix_(rows.astype(int), rows.astype(int))]
    bare = np.array([52, 66, 78])
    agreed = 0
    for info in CLASSES:
        opacity = info.color[3] / 255
        color = np.array(info.color[:3]) * opacity + bare * (1 - opacity)
        near = np.abs(square - color).max(axis=2) <= 2
        agreed += int((near & (classes == info.value)).sum())
    # Most pixels: an overview is read, whose classes are the most frequent ones.
    assert agreed > 0.85 * classes.size
    # The first is the true-colour picture, which is no mask.
    first = pixels[140:590, 40:490]
    assert np.abs(first - square).mean() > 20
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 5


def test_it_has_words_above_and_shares_beside(shared: TestClient) -> None:
    pixels = np.asarray(picture(shared, "BOTH")).astype(int)
    for part in (pixels[20:80], pixels[85:125], pixels[140:330, 980:]):
        assert (np.abs(part - GROUND).max(axis=2) > 100).sum() > 300


def test_an_item_that_says_little_has_one_too(shared: TestClient) -> None:
    alone = np.asarray(picture(shared, "ALONE")).astype(int)
    assert (np.abs(alone[140:590, 40:490] - GROUND).max(axis=2) > 20).mean() > 0.5
    assert (np.abs(alone[140:560, 520:] - GROUND).max(axis=2) < 20).all()


def test_it_is_not_sent_twice(shared: TestClient) -> None:
    path = f"/collections/{COLLECTION}/items/BOTH/share.png"
    etag = shared.get(path).headers["etag"]
    assert shared.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert shared.get(path.replace("BOTH", "NONE")).status_code == 404
