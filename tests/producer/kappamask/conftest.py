from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import rasterio
import torch
from numpy.typing import NDArray
from torch import nn

from producer.kappamask.chain import Chain
from producer.kappamask.deeplab import DeepLab
from producer.kappamask.inference import predictor
from producer.kappamask.networks import Network
from producer.kappamask.spectra import spectrum
from producer.kappamask.weights import WeightsCache
from producer.options import Backend, EngineOptions
from producer.safe import open_product
from producer.synthetic import Scene, write_safe
from tests.producer.kappamask import keras_files
from tests.producer.kappamask.random_networks import calibrated, sample_inputs
from tests.products import OLD_L1C, flat_facts, small_product

Numbers = dict[str, NDArray[np.uint16]]


@pytest.fixture(scope="session")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a cloudy product of 2 x 2 tiles, of before the offsets."""
    return small_product(tmp_path_factory.mktemp("landscape"), OLD_L1C, size_px=600).path


@pytest.fixture(scope="session")
def keras_file(tmp_path_factory: pytest.TempPathFactory, landscape: Path) -> Path:
    """Write weights with which a DeepLabv3+ predicts every class on the landscape."""
    wanted = spectrum("L1C", "deeplabv3plus")
    arrays = keras_files.random_arrays(keras_files.deeplab_layers(13), seed=7)
    inputs = sample_inputs(open_product(landscape), wanted)
    path = tmp_path_factory.mktemp("weights") / "l1c_deeplabv3plus.hdf5"
    keras_files.write(path, calibrated(arrays, inputs))
    return path


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory, keras_file: Path) -> Path:
    """Give a folder for ``NIMBOSTAC_CACHE_DIR`` with those weights in it."""
    folder = tmp_path_factory.mktemp("cache")
    WeightsCache(folder / "kappamask").put(keras_file, "l1c_deeplabv3plus")
    return folder


@pytest.fixture(scope="session")
def network(cache_dir: Path) -> Network:
    return WeightsCache(cache_dir / "kappamask").load("l1c_deeplabv3plus")[0]


class StandIn(nn.Module):
    """A network that takes no time: what is tested is the way to it and from it."""

    channels = 13
    comparable = staticmethod(DeepLab.comparable)
    enlarged = staticmethod(DeepLab.enlarged)
    probabilities = staticmethod(DeepLab.probabilities)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(9)
        self.score = nn.Conv2d(13, 6, 5, stride=4, padding=2)
        nn.init.normal_(self.score.weight, std=1.0)

    def coarse_logits(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.score(x)
        return scores - scores.mean((2, 3), keepdim=True)


def chain_of(network: nn.Module, **options: Any) -> Chain:
    chosen = EngineOptions(**{"backend": Backend.TORCH, **options})
    # One thread: on a busy machine two wait for each other at every step.
    run = predictor(cast("Network", network), chosen, threads=1)
    return Chain(spectrum("L1C", "deeplabv3plus"), run, chosen)


def rewritten(folder: Path, name: str, numbers: Numbers, *, archive: bool = False) -> Path:
    """Write digital numbers as a product of another name, on the tile's own grid."""
    height, width = numbers["B02"].shape
    facts = flat_facts(name, Scene(name, width, height).grids)
    return write_safe(folder, facts, numbers, archive=archive)


@pytest.fixture(scope="session")
def numbers(landscape: Path) -> Numbers:
    """Read the digital numbers of the landscape."""
    found = {}
    for name, band in open_product(landscape).bands.items():
        with rasterio.open(band.path) as dataset:
            found[name] = dataset.read(1)
    return found
