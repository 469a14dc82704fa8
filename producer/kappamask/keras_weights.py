"""Reads the HDF5 files in which Keras 2 keeps weights.

Keras matches a file's layers to a network's by order, never by name, for the numbers in names
depend on what else the session had built. So does this, within each kind of layer: a file may list
four convolutions before their four normalisations where the network alternates.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from producer.errors import LayerError, WeightsFileError
from producer.kappamask.layers import SeparableConvolution

_SUFFIX = re.compile(r"_(\d+)$")


@dataclass(frozen=True, slots=True)
class _Variable:
    """Where one dataset of a layer goes."""

    target: str
    """Parameter's name within the layer."""
    axes: tuple[int, ...]
    """Keras's axes in the order that torch wants."""


_KERNEL = (3, 2, 0, 1)
_KINDS: Mapping[str, Mapping[str, _Variable]] = {
    "convolution": {
        "kernel": _Variable("weight", _KERNEL),
        "bias": _Variable("bias", (0,)),
    },
    "separable convolution": {
        "depthwise_kernel": _Variable("depthwise.weight", (2, 3, 0, 1)),
        "pointwise_kernel": _Variable("pointwise.weight", _KERNEL),
    },
    "batch normalisation": {
        "gamma": _Variable("weight", (0,)),
        "beta": _Variable("bias", (0,)),
        "moving_mean": _Variable("running_mean", (0,)),
        "moving_variance": _Variable("running_var", (0,)),
    },
}


@dataclass(frozen=True, slots=True)
class _Layer:
    """A layer of a file, with weights."""

    name: str
    arrays: Mapping[str, NDArray[np.float32]]
    """By variable, such as ``kernel``."""

    @property
    def kind(self) -> str | None:
        """The kind whose variables it has."""
        for kind, variables in _KINDS.items():
            if set(self.arrays) & set(variables) - {"bias"}:
                return kind
        return None


def read(path: Path, network: nn.Module) -> dict[str, Tensor]:
    """Read the weights of a network; a full-model file will do as well.

    Args:
        path: HDF5 file as Keras's ``save_weights`` or ``save`` wrote it.
        network: What the weights are for; only its shapes are looked at.

    Returns:
        A state dict that ``network.load_state_dict`` takes whole.

    Raises:
        WeightsFileError: The file is no HDF5 of Keras's.
        LayerError: A layer is missing, too many, out of order, of another shape or not finite.
    """
    state: dict[str, Tensor] = {}
    layers = _layers(path)
    for layer in layers:
        if layer.kind is None:
            names = ", ".join(sorted(layer.arrays))
            raise LayerError(path, layer.name, f"has variables {names}, which no layer here has")
    for kind, variables in _KINDS.items():
        found = [layer for layer in layers if layer.kind == kind]
        wanted = list(_modules(network, kind))
        _check_order(path, found)
        _check_count(path, kind, found, len(wanted))
        for number, (layer, (name, module)) in enumerate(zip(found, wanted, strict=True), 1):
            what = f"{kind} {number} of {len(wanted)}"
            for target, array in _matched(path, layer, what, variables, module).items():
                state[f"{name}.{target}"] = torch.from_numpy(array)
            if kind == "batch normalisation":
                state[f"{name}.num_batches_tracked"] = torch.tensor(0)
    return state


def _matched(
    path: Path, layer: _Layer, what: str, variables: Mapping[str, _Variable], module: nn.Module
) -> dict[str, NDArray[np.float32]]:
    shapes = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    expected = {name: v for name, v in variables.items() if v.target in shapes}
    if set(layer.arrays) != set(expected):
        got, wanted = (", ".join(sorted(names)) for names in (layer.arrays, expected))
        raise LayerError(path, layer.name, f"({what}) has {got}; wanted {wanted}")
    out = {}
    for name, variable in expected.items():
        array = layer.arrays[name]
        # Transposing the wanted shape back lets the message speak of the file's own axes.
        shape = tuple(np.array(shapes[variable.target])[np.argsort(variable.axes)].tolist())
        if array.shape != shape:
            raise LayerError(
                path, layer.name, f"({what}) has a {name} of shape {array.shape}; wanted {shape}"
            )
        if not np.isfinite(array).all():
            raise LayerError(path, layer.name, f"({what}) has a {name} with values not finite")
        if name == "moving_variance" and (array < 0).any():
            raise LayerError(path, layer.name, f"({what}) has a variance below zero")
        out[variable.target] = np.ascontiguousarray(array.transpose(variable.axes))
    return out


def _modules(network: nn.Module, kind: str) -> Iterator[tuple[str, nn.Module]]:
    """Go through the layers of one kind, in the order in which they were defined."""
    is_wanted: Callable[[nn.Module], bool] = {
        "convolution": lambda module: isinstance(module, nn.Conv2d),
        "separable convolution": lambda module: isinstance(module, SeparableConvolution),
        "batch normalisation": lambda module: isinstance(module, nn.BatchNorm2d),
    }[kind]
    parts = tuple(
        f"{name}." for name, m in network.named_modules() if isinstance(m, SeparableConvolution)
    )
    for name, module in network.named_modules():
        if is_wanted(module) and not name.startswith(parts or ("\0",)):
            yield name, module


def _check_count(path: Path, kind: str, found: list[_Layer], wanted: int) -> None:
    if len(found) > wanted:
        extra = found[wanted]
        raise LayerError(
            path, extra.name, f"is {kind} {wanted + 1} of {len(found)}; wanted {wanted} in all"
        )
    if len(found) < wanted:
        last = found[-1].name if found else "the beginning"
        raise LayerError(
            path, last, f"is followed by no {kind}; the file has {len(found)}, wanted {wanted}"
        )


def _check_order(path: Path, found: list[_Layer]) -> None:
    # Layers of one shape could be swapped without anybody noticing, were it not for the numbers
    # that Keras gave them when they were created.
    numbers = [_number(layer.name) for layer in found]
    for layer, number, following in zip(found[1:], numbers, numbers[1:], strict=False):
        if following <= number:
            raise LayerError(path, layer.name, "stands behind a layer that was created after it")


def _number(name: str) -> int:
    match = _SUFFIX.search(name)
    return int(match[1]) if match else 0


def _layers(path: Path) -> list[_Layer]:
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)
            names = _texts(root, "layer_names")
            if not names:
                raise WeightsFileError(path, "has no list of layers (attribute layer_names)")
            layers = [_Layer(name, _arrays(root[name])) for name in names]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise WeightsFileError(path, f"cannot be read as Keras's HDF5: {error}") from error
    return [layer for layer in layers if layer.arrays]


def _arrays(group: h5py.Group) -> dict[str, NDArray[np.float32]]:
    return {
        name.rpartition("/")[2].partition(":")[0]: np.asarray(group[name], np.float32)
        for name in _texts(group, "weight_names")
    }


def _texts(group: h5py.Group, name: str) -> list[str]:
    """Read a list of names; Keras cuts one of over 64 KiB into ``name0``, ``name1`` and so on."""
    if name in group.attrs:
        chunks = [group.attrs[name]]
    else:
        numbered = (f"{name}{number}" for number in range(len(group.attrs)))
        chunks = [group.attrs[key] for key in numbered if key in group.attrs]
    return [
        text.decode() if isinstance(text, bytes) else str(text)
        for chunk in chunks
        for text in chunk
    ]
