import hashlib
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from producer.errors import (
    LayerError,
    UnknownNetworkError,
    WeightsDigestError,
    WeightsFileError,
    WeightsMissingError,
)
from producer.kappamask import keras_weights
from producer.kappamask.weights import WeightsCache
from tests.producer.kappamask import keras_files

NAME = "l1c_deeplabv3plus"


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keras") / f"{NAME}.hdf5"
    keras_files.write(path, keras_files.random_arrays(keras_files.deeplab_layers(13), seed=3))
    return path


@pytest.fixture
def cache(tmp_path: Path) -> WeightsCache:
    return WeightsCache(tmp_path / "cache")


def test_imported_weights_are_loaded_as_the_file_has_them(
    cache: WeightsCache, keras_file: Path
) -> None:
    card = cache.put(keras_file, NAME)
    network, loaded = cache.load(NAME)
    assert loaded == card
    assert card.sha256 == hashlib.sha256(keras_file.read_bytes()).hexdigest()
    assert card.trust == "first use"
    for name, value in keras_weights.read(keras_file, network).items():
        assert torch.equal(network.state_dict()[name], value)
    assert not network.training
    assert cache.cards() == (card,)


def test_the_cached_file_says_itself_what_it_was_made_from(
    cache: WeightsCache, keras_file: Path
) -> None:
    card = cache.put(keras_file, NAME)
    with safe_open(cache.folder / card.file, "pt") as file:
        assert file.metadata() == {"name": NAME, "sha256": card.sha256}


def test_a_pinned_digest_must_be_that_of_the_file(cache: WeightsCache, keras_file: Path) -> None:
    with pytest.raises(WeightsDigestError, match=f"wanted {'0' * 64}. Nothing was imported"):
        cache.put(keras_file, NAME, sha256="0" * 64)
    assert cache.cards() == ()
    digest = hashlib.sha256(keras_file.read_bytes()).hexdigest()
    assert cache.put(keras_file, NAME, sha256=digest.upper()).trust == "pinned"


def test_weights_that_changed_in_the_cache_are_not_loaded(
    cache: WeightsCache, keras_file: Path
) -> None:
    card = cache.put(keras_file, NAME)
    damaged = bytearray((cache.folder / card.file).read_bytes())
    damaged[-1] ^= 1
    (cache.folder / card.file).write_bytes(damaged)
    with pytest.raises(WeightsDigestError, match="changed since it was imported"):
        cache.load(NAME)
    assert cache.put(keras_file, NAME) is not None
    cache.load(NAME)


def test_another_file_is_taken_only_with_its_digest(cache: WeightsCache, tmp_path: Path) -> None:
    first, second = tmp_path / "first.hdf5", tmp_path / "second.hdf5"
    for path, seed in ((first, 4), (second, 5)):
        layers = keras_files.deeplab_layers(13)
        keras_files.write(path, keras_files.random_arrays(layers, seed))
    card = cache.put(first, NAME)
    with pytest.raises(WeightsDigestError, match="give --sha256") as refused:
        cache.put(second, NAME)
    assert cache.card(NAME) == card
    digest = str(refused.value).rpartition("--sha256 ")[2]
    assert cache.put(second, NAME, sha256=digest).trust == "pinned"
    assert len(list(cache.folder.glob("*.safetensors"))) == 1


def test_what_cannot_be_imported_leaves_the_cache_as_it_was(
    cache: WeightsCache, keras_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(LayerError, match="another network"):
        cache.put(keras_file, "l2a_deeplabv3plus")
    with pytest.raises(WeightsFileError, match="is not there"):
        cache.put(tmp_path / "absent.hdf5", NAME)
    with pytest.raises(UnknownNetworkError):
        cache.put(keras_file, "l1c_segnet")
    assert cache.cards() == ()


def test_absent_weights_say_how_to_get_them(cache: WeightsCache, keras_file: Path) -> None:
    with pytest.raises(WeightsMissingError, match=f"weights fetch {NAME}"):
        cache.load(NAME)
    card = cache.put(keras_file, NAME)
    (cache.folder / card.file).unlink()
    with pytest.raises(WeightsMissingError):
        cache.verify(NAME)
    (cache.folder / f"{NAME}.json").write_text("{}")
    with pytest.raises(WeightsFileError, match="is no card of weights"):
        cache.card(NAME)
