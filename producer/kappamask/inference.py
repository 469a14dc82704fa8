"""Classifies tiles with a network, by whichever backend is there."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from producer.devices import cores
from producer.errors import BackendError
from producer.kappamask.folding import folded
from producer.kappamask.networks import Network
from producer.kappamask.tiling import SIZE_PX
from producer.options import Backend, EngineOptions, Precision

_DTYPES = {
    Precision.FLOAT32: torch.float32,
    Precision.BFLOAT16: torch.bfloat16,
    Precision.FLOAT16: torch.float16,
}
_GPU_BATCH = 8

Scorer = Callable[[Tensor], Tensor]
"""From (tile, channel, row, column) inputs to coarse logits."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network says of some tiles."""

    classes: NDArray[np.uint8]
    """(tile, row, column) the likeliest class, the first of equals."""
    probabilities: NDArray[np.uint8] | None
    """(tile, class, row, column), 0 to 255 for 0 to 1, where they were asked for."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """A network on a backend; made by ``predictor``."""

    backend: Backend
    batch: int
    """Tiles that it takes at a time."""
    side_by_side: int
    """Threads that may ask at once, each for a batch."""
    network: Network
    score: Scorer
    device: torch.device

    def __call__(self, inputs: NDArray[np.float32], *, probabilities: bool = False) -> Prediction:
        """Classify tiles.

        Args:
            inputs: (tile, channel, row, column), ``batch`` tiles or fewer.
            probabilities: Whether to give them too.
        """
        with torch.inference_mode():
            logits = self.logits(inputs)
            comparable = self.network.comparable(logits)
            if self.device.type == "cpu":
                # Several times faster than torch's.
                classes = comparable.numpy().argmax(1).astype(np.uint8)
            else:
                classes = comparable.argmax(1).to(torch.uint8).cpu().numpy()
            if not probabilities:
                return Prediction(classes, None)
            shares = self.network.probabilities(logits)
            return Prediction(classes, (shares * 255 + 0.5).to(torch.uint8).cpu().numpy())

    def logits(self, inputs: NDArray[np.float32]) -> Tensor:
        """Score each class: (tile, class, row, column), on the device."""
        count = len(inputs)
        if count < self.batch and self.backend is Backend.COMPILE:
            # It is made for one shape.
            lacking = np.zeros((self.batch - count, *inputs.shape[1:]), np.float32)
            inputs = np.concatenate([inputs, lacking])
        with torch.inference_mode():
            coarse = self.score(torch.from_numpy(inputs).to(self.device))
            return self.network.enlarged(coarse[:count].float())


def predictor(network: Network, options: EngineOptions, threads: int = 0) -> Predictor:
    """Put a network on a backend.

    Args:
        network: Loaded weights; left as it is.
        options: Device, precision, backend and batch.
        threads: Threads on a CPU; 0 takes one per core.

    Raises:
        BackendError: The device or backend is not there, or cannot do this precision.
    """
    device = _device(options.device)
    backend = _backend(options, device)
    threads = threads or cores()
    batch = options.batch or (1 if device.type == "cpu" else _GPU_BATCH)
    few_products = device.type == "cpu" and options.precision is Precision.FLOAT32
    network = folded(network, few_products=few_products)
    module = _CoarseLogits(network).eval()
    score: Scorer
    together = 1
    if backend is Backend.OPENVINO:
        # Only now: it need not be there.
        from producer.kappamask.openvino_backend import scorer, side_by_side  # noqa: PLC0415

        together = side_by_side(threads)
        # Of what is left to torch, each does a share.
        torch.set_num_threads(max(1, threads // together))
        example = torch.zeros(1, network.channels, SIZE_PX, SIZE_PX)
        score = scorer(module, example, options.precision, threads)
    else:
        if device.type == "cpu":
            torch.set_num_threads(threads)
        else:
            # Else convolutions in "float32" keep ten bits of each number.
            torch.backends.cudnn.allow_tf32 = False
        score = _torch_scorer(module, device, _DTYPES[options.precision])
        if backend is Backend.COMPILE:
            mode = "default" if device.type == "cpu" else "reduce-overhead"
            score = torch.compile(score, mode=mode, dynamic=False)
    return Predictor(backend, batch, together, network, score, device)


class _CoarseLogits(nn.Module):
    """The part of a network that is worth compiling."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network.coarse_logits(x)


def _torch_scorer(module: nn.Module, device: torch.device, dtype: torch.dtype) -> Scorer:
    module = module.to(device=device, dtype=dtype)
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def score(x: Tensor) -> Tensor:
        out: Tensor = module(x.to(dtype=dtype, memory_format=torch.channels_last))
        return out

    return score


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BackendError(f"no device is called {name!r}; say cpu, cuda or cuda:1") from error
    if device.type not in ("cpu", "cuda"):
        raise BackendError(f"device {name} is not supported; say cpu, cuda or cuda:1")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        there = torch.cuda.device_count()
        raise BackendError(f"there is no device {name}: torch sees {there} CUDA devices")
    # One name a device: cuda is cuda:0.
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


def _backend(options: EngineOptions, device: torch.device) -> Backend:
    has_openvino = find_spec("openvino") is not None
    if options.backend is Backend.AUTO:
        able = has_openvino and device.type == "cpu" and _openvino_knows(options.precision)
        return Backend.OPENVINO if able else Backend.TORCH
    if options.backend is Backend.OPENVINO:
        if not has_openvino:
            raise BackendError("backend openvino needs the package openvino: install it")
        if device.type != "cpu":
            raise BackendError(f"backend openvino runs on a CPU, not on {options.device}")
        if options.precision is Precision.FLOAT16:
            raise BackendError("backend openvino knows float32 and bf16, not fp16")
    return options.backend


def _openvino_knows(precision: Precision) -> bool:
    if precision is Precision.BFLOAT16:
        from producer.kappamask.openvino_backend import has_bf16  # noqa: PLC0415

        return has_bf16()
    return precision is Precision.FLOAT32
