"""Random weights that behave like trained ones: features neither vanish nor explode."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from producer.bands import Bands
from producer.kappamask.networks import build
from producer.kappamask.preparing import Preparation
from producer.kappamask.spectra import Spectrum, spectrum
from producer.kappamask.tiling import tiles
from producer.options import Mode
from producer.safe import Product
from tests.producer.kappamask.keras_files import Arrays

_KERNEL = (3, 2, 0, 1)


def sample_inputs(product: Product, wanted: Spectrum) -> NDArray[np.float32]:
    """Prepare the first tile of a product."""
    with Bands(product, wanted.bands) as bands:
        preparation = Preparation(product, bands, wanted, Mode.HARMONISED)
        prepared = preparation.prepare(next(tiles(*product.grid.shape)))
    assert prepared.inputs is not None
    return prepared.inputs


def calibrated(arrays: Arrays, inputs: NDArray[np.float32]) -> Arrays:
    """Set moving means, variances and the last layer so that each class is predicted somewhere.

    Args:
        arrays: Weights of a DeepLabv3+ of Level 1C.
        inputs: (channel, row, column) of the tile that statistics are taken from.
    """
    network = build(spectrum("L1C", "deeplabv3plus"))
    arrays = dict(arrays)
    for kind, module_type in (("conv2d", nn.Conv2d), ("batch_normalization", nn.BatchNorm2d)):
        layers = list(dict.fromkeys(name for name, _ in arrays if name.startswith(kind)))
        modules = [
            module
            for name, module in network.named_modules()
            if isinstance(module, module_type) and "wise" not in name
        ]
        for layer, module in zip(layers, modules, strict=True):
            _fill(module, arrays, layer)
    separable = list(dict.fromkeys(name for name, _ in arrays if name.startswith("separable")))
    depthwise = [m for name, m in network.named_modules() if name.endswith("depthwise")]
    pointwise = [m for name, m in network.named_modules() if name.endswith("pointwise")]
    for layer, deep, point in zip(separable, depthwise, pointwise, strict=True):
        deep.weight.data = torch.from_numpy(arrays[layer, "depthwise_kernel"]).permute(2, 3, 0, 1)
        point.weight.data = torch.from_numpy(arrays[layer, "pointwise_kernel"]).permute(_KERNEL)
    normalisations = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    for module in normalisations:
        module.train()
        module.momentum = 1.0
        # One value has no variance: that of the pooled branch stays what it is.
    pooled = network.pyramid.pooled.normalisation.eval()  # type: ignore[union-attr]
    with torch.no_grad():
        logits = network.coarse_logits(torch.from_numpy(inputs)[None])[0].double()
    names = list(dict.fromkeys(name for name, _ in arrays if name.startswith("batch")))
    for layer, module in zip(names, normalisations, strict=True):
        if module is not pooled:
            arrays[layer, "moving_mean"] = _numpy(module.running_mean)
            arrays[layer, "moving_variance"] = _numpy(module.running_var)
    spread, middle = logits.std((1, 2)).numpy(), logits.mean((1, 2)).numpy()
    head = arrays["conv2d_15", "kernel"], arrays["conv2d_15", "bias"]
    arrays["conv2d_15", "kernel"] = (head[0] / spread).astype(np.float32)
    arrays["conv2d_15", "bias"] = ((head[1] - middle) / spread).astype(np.float32)
    return arrays


def _fill(module: nn.Module, arrays: Arrays, layer: str) -> None:
    for variable, target in (
        ("kernel", "weight"),
        ("bias", "bias"),
        ("gamma", "weight"),
        ("beta", "bias"),
        ("moving_mean", "running_mean"),
        ("moving_variance", "running_var"),
    ):
        if (layer, variable) in arrays:
            value = torch.from_numpy(arrays[layer, variable])
            getattr(module, target).data = value.permute(_KERNEL) if value.ndim == 4 else value


def _numpy(value: torch.Tensor | None) -> NDArray[np.float32]:
    assert value is not None
    return value.numpy().astype(np.float32)
