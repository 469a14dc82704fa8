"""Runs a network with OpenVINO: on a CPU the fastest way found to the same float32 result."""

import importlib
import sys
import warnings
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import torch
from torch import Tensor, nn

from producer.errors import BackendError
from producer.options import Precision

_TILES = 2


def scorer(
    module: nn.Module, example: Tensor, precision: Precision, threads: int
) -> Callable[[Tensor], Tensor]:
    """Compile a module for the CPU.

    Several threads may ask at once, ``side_by_side`` of them: each tile is worked on by threads of
    its own. Threads that share a tile wait for each other at every step, and for whoever else wants
    their cores.

    Args:
        module: Takes and gives one tensor; traced, so that it is fixed to the example's shape.
        example: One tile: (1, channel, row, column).
        precision: float32 or bf16.
        threads: Threads in all.

    Raises:
        BackendError: The CPU has no instructions for this precision.
    """
    openvino = _imported()
    core = openvino.Core()
    if precision is Precision.BFLOAT16 and not has_bf16():
        # It would be taken without a word, and computed in float32.
        raise BackendError("this CPU has no bf16 instructions; say --precision float32")
    with warnings.catch_warnings(), torch.inference_mode():
        # Shapes that the trace takes for constants are constants.
        warnings.simplefilter("ignore")
        # Traced here: OpenVINO would check the trace by three more runs of the network.
        traced = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
        model = openvino.convert_model(traced, example_input=example, input=list(example.shape))
    settings = {
        "INFERENCE_PRECISION_HINT": {Precision.BFLOAT16: "bf16"}.get(precision, "f32"),
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "THROUGHPUT",
        "NUM_STREAMS": side_by_side(threads),
    }
    compiled = core.compile_model(model, "CPU", settings)
    requests: SimpleQueue[Any] = SimpleQueue()
    for _ in range(side_by_side(threads)):
        requests.put(compiled.create_infer_request())

    def score(x: Tensor) -> Tensor:
        request = requests.get()
        try:
            scores = [
                torch.from_numpy(request.infer([tile], share_inputs=True)[0])
                for tile in x.numpy()[:, None]
            ]
        finally:
            requests.put(request)
        return torch.cat(scores)

    return score


def has_bf16() -> bool:
    """Tell whether the CPU has instructions for bf16."""
    able: list[str] = _imported().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "BF16" in able


def side_by_side(threads: int) -> int:
    """Say how many tiles are worked on at once: each takes some 200 MiB."""
    return min(threads, _TILES)


def _imported() -> Any:  # noqa: ANN401 - a package that need not be there
    # Its tools report each use to their makers unless they cannot find this package; nobody
    # asked the people who run ours.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")
