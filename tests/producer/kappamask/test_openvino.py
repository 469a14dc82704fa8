import numpy as np
import pytest

from producer.errors import BackendError
from producer.kappamask import openvino_backend
from producer.kappamask.inference import predictor
from producer.kappamask.networks import Network
from producer.options import Backend, EngineOptions, Precision

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


def test_bf16_is_left_to_torch_where_the_cpu_has_no_instructions_for_it(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_backend, "has_bf16", lambda: False)
    assert predictor(network, EngineOptions(precision=Precision.BFLOAT16)).backend is Backend.TORCH
    with pytest.raises(BackendError, match="no bf16 instructions"):
        predictor(network, EngineOptions(backend=Backend.OPENVINO, precision=Precision.BFLOAT16))


@pytest.mark.skipif(not openvino_backend.has_bf16(), reason="the CPU has no bf16 instructions")
def test_bf16_agrees_with_float32_but_for_some_pixels(network: Network) -> None:
    tiles = np.random.default_rng(2).random((1, 13, 512, 512), np.float32)
    run = predictor(network, EngineOptions(precision=Precision.BFLOAT16))
    assert run.backend is Backend.OPENVINO
    exact = predictor(network, EngineOptions(backend=Backend.TORCH))
    differing = np.mean(run(tiles).classes != exact(tiles).classes)
    assert 0 < differing < 0.3
