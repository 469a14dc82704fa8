"""Milliseconds a tile of KappaMask's network, by backend and precision, in turns.

Run ``python -m tests.bench.kappamask_backends [--quick] [--json]``, or ``python -m
tests.bench.producer``. Weights are random, but calibrated as trained ones are.
ONNX Runtime is among them where the package onnx is installed, TensorFlow where tensorflow is.
"""

import argparse
import io
import json
import math
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from producer.devices import cores
from producer.errors import BackendError
from producer.kappamask.folding import folded
from producer.kappamask.inference import Predictor, _CoarseLogits, predictor
from producer.kappamask.networks import Network
from producer.kappamask.spectra import spectrum
from producer.kappamask.weights import WeightsCache
from producer.options import Backend, EngineOptions, Precision
from producer.safe import open_product
from producer.settings import ProducerSettings
from producer.synthetic import Scene, build
from tests.bench import kappamask_tensorflow
from tests.producer.kappamask import keras_files
from tests.producer.kappamask.random_networks import calibrated, sample_inputs

NAME = "l1c_deeplabv3plus"
MULTIPLY_ADDS = 52.37e9
"""Of one tile, as the published network computes it."""
_TILES = 2
"""Given to every way, each of which takes as many at once as it likes."""
_SIZE = 2048
_SLOW_S = 15.0


def provide_weights(work: Path, product: Path) -> None:
    """Make random weights once, calibrated on a product, and name them to what runs next."""
    os.environ["NIMBOSTAC_CACHE_DIR"] = str(work)
    cache = WeightsCache.of(ProducerSettings())
    if cache.cards():
        return
    arrays = keras_files.random_arrays(keras_files.deeplab_layers(13), seed=7)
    inputs = sample_inputs(open_product(product), spectrum("L1C", "deeplabv3plus"))
    path = work / f"{NAME}.hdf5"
    keras_files.write(path, calibrated(arrays, inputs))
    cache.put(path, NAME)


def compare(product: Path, turns: int, *, with_compile: bool = False) -> dict[str, Any]:
    """Measure every way to run the network that is there, one tile each, in turns.

    Args:
        product: Where the tile comes from.
        turns: How often each way is run; the least time counts.
        with_compile: Whether to measure ``torch.compile``, which needs minutes to begin with.
    """
    network, _ = WeightsCache.of(ProducerSettings()).load(NAME)
    tile = sample_inputs(open_product(product), spectrum("L1C", "deeplabv3plus"))
    inputs = np.stack([tile, tile[:, ::-1]])
    ways = _ways(network, inputs, with_compile=with_compile)
    reference = ways["torch eager float32"]()
    agreement: dict[str, float] = {}
    clocks: dict[str, _Clock] = {}
    for name, way in ways.items():
        if name.startswith(Backend.COMPILE.value):
            # The first time compiles.
            way()
        # To warm up, and enough of what is very slow, as bf16 is without instructions for it.
        clocks[name] = _Clock()
        agreement[name] = float(np.mean(clocks[name].time(way) == reference))
        print(f"{name}: {clocks[name].wall_s:.1f} s to begin with", file=sys.stderr)
    # OpenVINO's leave torch a thread each.
    torch.set_num_threads(cores())
    a, b = torch.randn(2, _SIZE, _SIZE).unbind()
    ways["matrix product"] = partial(torch.matmul, a, b)
    clocks["matrix product"] = _Clock()
    for _ in range(turns):
        for name, way in ways.items():
            if not _SLOW_S < clocks[name].cpu_s < math.inf:
                clocks[name].time(way)
    product = clocks.pop("matrix product")
    for clock in clocks.values():
        clock.wall_s /= _TILES
        clock.cpu_s /= _TILES
    tensorflow = clocks.get("tensorflow predict float32")
    # What is taken where nothing is asked for.
    ours = clocks.get("openvino float32", clocks["torch float32"])
    return {
        "ms_per_tile": {name: round(1000 * clock.wall_s, 1) for name, clock in clocks.items()},
        "cpu_ms_per_tile": {name: round(1000 * clock.cpu_s, 1) for name, clock in clocks.items()},
        "agreement": {name: round(value, 6) for name, value in agreement.items()},
        "matrix_product_gflops": round(2 * _SIZE**3 / product.wall_s / 1e9, 1),
        "matrix_product_gflops_a_core": round(2 * _SIZE**3 / product.cpu_s / 1e9, 1),
        # Above 1 where rewriting saved more than is lost.
        "share_of_matrix_product": {
            name: round(MULTIPLY_ADDS / clock.cpu_s * product.cpu_s / _SIZE**3, 3)
            for name, clock in clocks.items()
        },
        "ratio_tensorflow": tensorflow and round(tensorflow.wall_s / ours.wall_s, 2),
        "ratio_tensorflow_cpu": tensorflow and round(tensorflow.cpu_s / ours.cpu_s, 2),
    }


@dataclass
class _Clock:
    """The least that a way took, by the wall and by what all cores worked for it.

    On a machine that others use the cores' time is the one to trust.
    """

    wall_s: float = math.inf
    cpu_s: float = math.inf

    def time(self, way: Callable[[], Any]) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        found = way()
        self.wall_s = min(self.wall_s, time.perf_counter() - wall)
        self.cpu_s = min(self.cpu_s, time.process_time() - cpu)
        return found


def _ways(
    network: Network, inputs: np.ndarray, *, with_compile: bool
) -> dict[str, Callable[[], Any]]:
    def whole(run: Callable[[np.ndarray], np.ndarray]) -> Callable[[], Any]:
        return lambda: np.concatenate([run(part) for part in np.split(inputs, len(inputs))])

    def plain(tiles: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(torch.from_numpy(tiles)).argmax(1).numpy()

    ways: dict[str, Callable[[], Any]] = {"torch eager float32": whole(plain)}
    backends = [Backend.TORCH]
    if find_spec("openvino"):
        backends.append(Backend.OPENVINO)
    if with_compile and shutil.which("g++"):
        backends.append(Backend.COMPILE)
    for backend in backends:
        ways[f"{backend.value} float32"] = _ours(
            predictor(network, EngineOptions(backend=backend)), inputs
        )
    if find_spec("onnx"):
        ways["onnxruntime float32"] = whole(_onnx_way(network, inputs[:1]))
    for backend in backends:
        try:
            half = predictor(network, EngineOptions(backend=backend, precision=Precision.BFLOAT16))
        except BackendError as error:
            print(f"{backend.value} bf16: {error}", file=sys.stderr)
            continue
        ways[f"{backend.value} bf16"] = _ours(half, inputs)
    if find_spec("tensorflow"):
        ways["tensorflow predict float32"] = whole(kappamask_tensorflow.way(network, inputs[:1]))
    return ways


def _ours(run: Predictor, inputs: np.ndarray) -> Callable[[], Any]:
    """Run a network as the chain does, as many batches side by side as it likes."""
    parts = np.split(inputs, range(run.batch, len(inputs), run.batch))
    # Of torch's threads each thread has a number of its own: what was said last when it began.
    share = max(1, cores() // run.side_by_side)
    pool = ThreadPoolExecutor(run.side_by_side, initializer=partial(torch.set_num_threads, share))
    return lambda: np.concatenate([found.classes for found in pool.map(run, parts)])


def _onnx_way(network: Network, example: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Run the rewritten network as ONNX Runtime does, a thread a core."""
    import onnxruntime

    ours = folded(network, few_products=True)
    module = _CoarseLogits(ours).eval()
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (torch.from_numpy(example),), file, dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    session = onnxruntime.InferenceSession(
        file.getvalue(), options, providers=["CPUExecutionProvider"]
    )
    (held,) = session.get_inputs()

    def run(tile: np.ndarray) -> np.ndarray:
        (coarse,) = session.run(None, {held.name: tile})
        return ours.comparable(ours.enlarged(torch.from_numpy(coarse))).numpy().argmax(1)

    return run


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="tests.bench.kappamask_backends", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--compile", action="store_true", help="measure torch.compile too")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nimbostac-bench-") as work:
        name = "S2A_MSIL1C_20170616T102021_N0205_R065_T33UUU_20170616T102204"
        made = build(Path(work), Scene(name, 600, 600))
        provide_weights(Path(work), made.path)
        found = compare(made.path, turns=3 if told.quick else 9, with_compile=told.compile)
    print(json.dumps(found, indent=None if told.json else 2))


if __name__ == "__main__":
    main()
