"""Runs a network with OpenVINO: on a CPU the fastest way found to the same float32 result."""

import importlib
import sys
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from producer.errors import BackendError
from producer.options import Precision


def scorer(
    module: nn.Module, example: Tensor, precision: Precision, threads: int
) -> Callable[[Tensor], Tensor]:
    """Compile a module for the CPU.

    Args:
        module: Takes and gives one tensor; traced, so that it is fixed to the example's shape.
        example: (tile, channel, row, column).
        precision: float32 or bf16.
        threads: Threads that one call uses.

    Raises:
        BackendError: The CPU has no instructions for this precision.
    """
    openvino = _imported()
    core = openvino.Core()
    if precision is Precision.BFLOAT16:
        # It would be taken without a word, and computed in float32.
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if "BF16" not in able:
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
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()

    def score(x: Tensor) -> Tensor:
        # Copied: the memory is the request's own, which the next call writes to.
        return torch.from_numpy(request.infer([x.numpy()])[0].copy())

    return score


def _imported() -> Any:  # noqa: ANN401 - a package that need not be there
    # Its tools report each use to their makers unless they cannot find this package; nobody
    # asked the people who run ours.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")
