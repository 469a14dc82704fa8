"""Files of weights as Keras writes them, laid out after the published models, not after ours."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
Layers = list[tuple[str, dict[str, Shape]]]
Arrays = dict[tuple[str, str], NDArray[np.float32]]


def deeplab_layers(channels: int) -> Layers:
    """List the layers of DeepLabv3+ with their variables, in the order of the file."""
    return list(_named(_deeplab(channels)))


def unet_layers(channels: int, levels: int) -> Layers:
    return list(_named(_unet(channels, levels)))


def _deeplab(channels: int) -> Iterator[tuple[str, dict[str, Shape]]]:
    def conv(
        kernel: int, before: int, after: int, *, bias: bool = False
    ) -> tuple[str, dict[str, Shape]]:
        shapes: dict[str, Shape] = {"kernel": (kernel, kernel, before, after)}
        return "conv2d", shapes | ({"bias": (after,)} if bias else {})

    def sep(before: int, after: int) -> tuple[str, dict[str, Shape]]:
        return "separable_conv2d", {
            "depthwise_kernel": (3, 3, before, 1),
            "pointwise_kernel": (1, 1, before, after),
        }

    def norm(size: int) -> tuple[str, dict[str, Shape]]:
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        return "batch_normalization", dict.fromkeys(names, (size,))

    yield from (conv(3, channels, 32), norm(32), conv(3, 32, 64), norm(64))
    for before, after in ((64, 128), (128, 256), (256, 728)):
        yield from (sep(before, after), norm(after), sep(after, after), norm(after))
        yield from (conv(1, before, after), norm(after))
    for _ in range(24):
        yield from (sep(728, 728), norm(728))
    yield from (sep(728, 728), norm(728), sep(728, 1024), norm(1024))
    # conv2d_5, two separable layers and three normalisations of Xception are built and not used.
    yield from (("skip", {"conv2d": (1,), "batch_normalization": (3,)}),)
    yield from (conv(1, 1024, 256, bias=True), norm(256))
    yield from (conv(1, 1024, 256), conv(3, 1024, 256), conv(3, 1024, 256), conv(3, 1024, 256))
    yield from (norm(256),) * 4
    yield from (conv(1, 1280, 256), norm(256), conv(1, 256, 48), norm(48))
    yield from (conv(3, 304, 256), norm(256), conv(3, 256, 256), norm(256))
    yield conv(1, 256, 6, bias=True)


def _unet(channels: int, levels: int) -> Iterator[tuple[str, dict[str, Shape]]]:
    def conv(kernel: int, before: int, after: int) -> tuple[str, dict[str, Shape]]:
        return "conv2d", {"kernel": (kernel, kernel, before, after), "bias": (after,)}

    filters = [64 * 2**level for level in range(levels)]
    for before, after in zip([channels, *filters], filters, strict=False):
        yield from (conv(3, before, after), conv(3, after, after))
    for after in filters[-2::-1]:
        yield from (conv(2, 2 * after, after), conv(3, 2 * after, after), conv(3, after, after))
    yield from (conv(3, 64, 2), conv(1, 2, 6))


def _named(
    layers: Iterator[tuple[str, dict[str, Shape]]],
) -> Iterator[tuple[str, dict[str, Shape]]]:
    numbers: dict[str, int] = {}
    for kind, shapes in layers:
        if kind == "skip":
            for skipped, (count,) in shapes.items():
                numbers[skipped] += count
            continue
        number = numbers.get(kind, 0)
        numbers[kind] = number + 1
        yield (f"{kind}_{number}" if number else kind), shapes


def random_arrays(layers: Layers, seed: int) -> Arrays:
    """Draw weights, dataset by dataset: each has a stream of its own."""
    arrays: Arrays = {}
    for name, shapes in layers:
        for variable, shape in shapes.items():
            random = np.random.default_rng([seed, len(arrays)])
            arrays[name, variable] = _drawn(random, variable, shape).astype(np.float32)
    return arrays


def _drawn(random: np.random.Generator, variable: str, shape: Shape) -> NDArray[np.float64]:
    match variable:
        case "depthwise_kernel":
            return random.standard_normal(shape) * np.sqrt(2 / (shape[0] * shape[1]))
        case "kernel" | "pointwise_kernel":
            return random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[:3]))
        case "bias":
            return 0.05 * random.standard_normal(shape)
        case "gamma":
            return random.uniform(0.7, 1.3, shape)
        case "moving_variance":
            return random.uniform(0.5, 1.5, shape)
        case _:
            return 0.1 * random.standard_normal(shape)


def write(
    path: Path, arrays: Mapping[tuple[str, str], NDArray[np.float32]], *, full: bool = False
) -> None:
    """Write weights as ``save_weights`` does or, in full, as ``save`` does."""
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if full else file
        names = ["input", *dict.fromkeys(name for name, _ in arrays)]
        root.attrs["layer_names"] = [name.encode() for name in names]
        root.attrs["backend"] = "tensorflow"
        root.attrs["keras_version"] = "2.15.0"
        if full:
            file.create_group("optimizer_weights")
        for name in names:
            group = root.create_group(name)
            variables = [variable for layer, variable in arrays if layer == name]
            group.attrs["weight_names"] = [
                f"{name}/{variable}:0".encode() for variable in variables
            ]
            for variable in variables:
                group[f"{name}/{variable}:0"] = arrays[name, variable]
