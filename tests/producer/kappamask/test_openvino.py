from concurrent.futures import ThreadPoolExecutor

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
    assert (run.batch, run.side_by_side) == (1, 2)
    tiles = np.random.default_rng(1).random((3, 1, 13, 512, 512), np.float32)
    alone = [run.logits(tile).numpy() for tile in tiles]
    with ThreadPoolExecutor(3) as pool:
        together = [logits.numpy() for logits in pool.map(run.logits, tiles)]
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)
    batch = run.logits(np.concatenate(tiles)).numpy()
    assert np.array_equal(batch, np.concatenate(alone))
    assert not np.array_equal(alone[0], alone[1])


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
