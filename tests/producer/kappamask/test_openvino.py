import numpy as np
import pytest

from producer.kappamask.inference import predictor
from producer.kappamask.networks import Network
from producer.options import Backend, EngineOptions

pytest.importorskip("openvino")


def test_tiles_side_by_side_score_as_they_do_one_by_one(network: Network) -> None:
    run = predictor(network, EngineOptions(backend=Backend.OPENVINO), threads=2)
    assert run.batch == 2
    tiles = np.random.default_rng(1).random((3, 13, 512, 512), np.float32)
    together = run.logits(tiles).numpy()
    assert together.shape[0] == 3
    for number in range(3):
        alone = run.logits(tiles[number : number + 1]).numpy()
        assert np.array_equal(alone[0], together[number])
    assert not np.array_equal(together[0], together[1])
