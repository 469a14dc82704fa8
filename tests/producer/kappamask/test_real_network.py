"""The whole way with the real DeepLabv3+, its weights random but calibrated."""

from pathlib import Path

import numpy as np
import pytest
import torch

from producer.engines import silent
from producer.kappamask.networks import Network
from producer.options import Backend, Mode
from producer.safe import open_product
from tests.producer.kappamask.conftest import Numbers, chain_of, rewritten
from tests.products import NEW_L1C, OLD_L1C


@pytest.fixture(scope="session")
def crop(tmp_path_factory: pytest.TempPathFactory, numbers: Numbers) -> Path:
    """Cut one tile out of the landscape."""
    cut = {name: dn[: dn.shape[0] // 2, : dn.shape[1] // 2] for name, dn in numbers.items()}
    return rewritten(tmp_path_factory.mktemp("crop"), OLD_L1C, cut)


@pytest.fixture(scope="session")
def mask(network: Network, crop: Path) -> np.ndarray:
    return chain_of(network).mask(open_product(crop), silent).mask


def test_the_network_predicts_every_class(mask: np.ndarray) -> None:
    values, counts = np.unique(mask, return_counts=True)
    assert mask.shape == (300, 300)
    assert values.tolist() == [1, 2, 3, 4, 5]
    assert counts.min() > 500


def test_an_offset_changes_nothing_for_the_network(
    tmp_path: Path, network: Network, numbers: Numbers, mask: np.ndarray
) -> None:
    shifted = {
        name: dn[: dn.shape[0] // 2, : dn.shape[1] // 2] + np.uint16(1000)
        for name, dn in numbers.items()
    }
    product = open_product(rewritten(tmp_path, NEW_L1C, shifted))
    assert np.array_equal(chain_of(network).mask(product, silent).mask, mask)
    legacy = chain_of(network, mode=Mode.LEGACY).mask(product, silent).mask
    assert np.mean(legacy != mask) > 0.01


def test_openvino_agrees_with_torch(network: Network, crop: Path, mask: np.ndarray) -> None:
    pytest.importorskip("openvino")
    found = chain_of(network, backend=Backend.OPENVINO).mask(open_product(crop), silent).mask
    assert np.mean(found != mask) < 1e-4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("backend", [Backend.TORCH, Backend.COMPILE])
def test_a_gpu_agrees_with_the_cpu(
    network: Network, crop: Path, mask: np.ndarray, backend: Backend
) -> None:
    chain = chain_of(network, backend=backend, device="cuda", batch=4)
    assert np.mean(chain.mask(open_product(crop), silent).mask != mask) < 1e-3
