import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from producer.errors import LayerError, WeightsFileError
from producer.kappamask.keras_weights import read
from producer.kappamask.networks import Network, build
from producer.kappamask.spectra import spectrum
from tests.producer.kappamask import keras_files
from tests.producer.kappamask.keras_files import Arrays

SHARED = Path(os.environ.get("NIMBOSTAC_SHARED", "../shared")) / "kappamask"


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return keras_files.random_arrays(keras_files.deeplab_layers(13), seed=1)


@pytest.fixture(scope="module")
def network() -> Network:
    with torch.device("meta"):
        return build(spectrum("L1C", "deeplabv3plus"))


@pytest.mark.parametrize("full", [False, True], ids=["weights only", "full model"])
def test_every_array_of_a_file_lands_where_keras_had_it(
    tmp_path: Path, arrays: Arrays, network: Network, *, full: bool
) -> None:
    keras_files.write(tmp_path / "weights.hdf5", arrays, full=full)
    state = read(tmp_path / "weights.hdf5", network)
    assert set(state) == set(network.state_dict())

    def same(name: str, layer: str, variable: str, axes: tuple[int, ...]) -> bool:
        return np.array_equal(state[name].numpy(), arrays[layer, variable].transpose(axes))

    kernel = (3, 2, 0, 1)
    assert same("encoder.convolution_1.convolution.weight", "conv2d", "kernel", kernel)
    assert same("encoder.entry_1.shortcut.convolution.weight", "conv2d_2", "kernel", kernel)
    assert same("pyramid.pooled.convolution.bias", "conv2d_6", "bias", (0,))
    assert same("pyramid.far.1.convolution.weight", "conv2d_9", "kernel", kernel)
    assert same(
        "pyramid.far.1.normalisation.running_mean", "batch_normalization_43", "moving_mean", (0,)
    )
    assert same("decoder.convolution_1.convolution.weight", "conv2d_13", "kernel", kernel)
    assert same("head.bias", "conv2d_15", "bias", (0,))
    middle = "encoder.middle.7.separable_3.convolution"
    assert same(
        f"{middle}.depthwise.weight", "separable_conv2d_29", "depthwise_kernel", (2, 3, 0, 1)
    )
    assert same(f"{middle}.pointwise.weight", "separable_conv2d_29", "pointwise_kernel", kernel)
    assert same("encoder.exit_2.normalisation.weight", "batch_normalization_36", "gamma", (0,))


def test_a_u_net_file_is_read_in_the_order_of_its_graph(tmp_path: Path) -> None:
    arrays = keras_files.random_arrays(keras_files.unet_layers(13, 5), seed=2)
    keras_files.write(tmp_path / "unet.hdf5", arrays)
    with torch.device("meta"):
        network = build(spectrum("L2A", "unet"))
    state = read(tmp_path / "unet.hdf5", network)
    assert set(state) == set(network.state_dict())
    for name, layer in (
        ("falls.4.convolution_1", "conv2d_8"),
        ("rises.0.convolution", "conv2d_10"),
    ):
        wanted = arrays[layer, "kernel"].transpose(3, 2, 0, 1)
        assert np.array_equal(state[f"{name}.weight"].numpy(), wanted)


def test_numbers_in_names_may_start_anywhere(
    tmp_path: Path, arrays: Arrays, network: Network
) -> None:
    shifted = {(_shifted(layer, 100), variable): a for (layer, variable), a in arrays.items()}
    keras_files.write(tmp_path / "shifted.hdf5", shifted)
    keras_files.write(tmp_path / "plain.hdf5", arrays)
    state, wanted = read(tmp_path / "shifted.hdf5", network), read(tmp_path / "plain.hdf5", network)
    assert all(torch.equal(state[name], wanted[name]) for name in wanted)


def _swapped(arrays: Arrays) -> Arrays:
    """Put conv2d_10 before conv2d_9: their shapes are equal, so only their names give it away."""
    keys = list(arrays)
    nine, ten = keys.index(("conv2d_9", "kernel")), keys.index(("conv2d_10", "kernel"))
    keys[nine], keys[ten] = keys[ten], keys[nine]
    return {key: arrays[key] for key in keys}


def _without(arrays: Arrays, layer: str) -> Arrays:
    return {key: array for key, array in arrays.items() if key[0] != layer}


def _with(arrays: Arrays, layer: str, variable: str, array: np.ndarray) -> Arrays:
    return {**arrays, (layer, variable): array.astype(np.float32)}


def _shifted(layer: str, by: int) -> str:
    name, _, number = layer.rpartition("_")
    return f"{name}_{int(number) + by}" if number.isdecimal() else f"{layer}_{by}"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (_swapped, "layer conv2d_9 stands behind a layer that was created after it"),
        (lambda a: _without(a, "conv2d_15"), r"the file has 14, wanted 15"),
        (
            lambda a: _without(a, "batch_normalization_48"),
            "layer batch_normalization_47 is followed by no",
        ),
        (
            lambda a: _with(a, "conv2d_16", "kernel", np.zeros((1, 1, 6, 6))),
            "layer conv2d_16 is convolution 16 of 16; wanted 15 in all",
        ),
        (
            lambda a: _with(a, "conv2d_3", "kernel", np.zeros((1, 1, 64, 256))),
            r"layer conv2d_3 \(convolution 4 of 15\) has a kernel of .*wanted \(1, 1, 128, 256\)",
        ),
        (
            lambda a: _with(a, "separable_conv2d_4", "pointwise_kernel", np.zeros((1, 1, 256, 9))),
            r"separable_conv2d_4 \(separable convolution 5 of 32\).*wanted \(1, 1, 256, 728\)",
        ),
        (
            lambda a: _with(a, "conv2d_4", "bias", np.zeros(728)),
            "conv2d_4 .* has bias, kernel; wanted kernel",
        ),
        (
            lambda a: _with(a, "batch_normalization_5", "moving_variance", np.full(256, -1)),
            "batch_normalization_5 .* has a variance below zero",
        ),
        (
            lambda a: _with(a, "conv2d_6", "bias", np.full(256, np.nan)),
            "conv2d_6 .* has a bias with values not finite",
        ),
        (
            lambda a: _with(a, "lstm", "recurrent", np.zeros(3)),
            "layer lstm has variables recurrent",
        ),
    ],
)
def test_a_wrong_file_is_refused_and_the_wrong_layer_is_named(
    tmp_path: Path,
    arrays: Arrays,
    network: Network,
    broken: Callable[[Arrays], Arrays],
    message: str,
) -> None:
    keras_files.write(tmp_path / "broken.hdf5", broken(arrays))
    with pytest.raises(LayerError, match=message):
        read(tmp_path / "broken.hdf5", network)


def test_what_is_no_file_of_keras_is_refused(tmp_path: Path, network: Network) -> None:
    text = tmp_path / "text.hdf5"
    text.write_text("<html>404</html>")
    with pytest.raises(WeightsFileError, match=r"cannot be read as Keras's HDF5"):
        read(text, network)
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file["data"] = np.zeros(3)
    with pytest.raises(WeightsFileError, match="has no list of layers"):
        read(tmp_path / "other.hdf5", network)


def test_a_list_of_names_that_keras_had_to_cut_is_put_together(
    tmp_path: Path, arrays: Arrays, network: Network
) -> None:
    path = tmp_path / "cut.hdf5"
    keras_files.write(path, arrays)
    with h5py.File(path, "r+") as file:
        names = file.attrs["layer_names"]
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = names[:50], names[50:]
    assert set(read(path, network)) == set(network.state_dict())


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published layouts are not at hand")
@pytest.mark.parametrize(
    ("file", "layers"),
    [
        ("h5_layout_deeplabv3plus_l1c.txt", keras_files.deeplab_layers(13)),
        ("h5_layout_unet_l1c.txt", keras_files.unet_layers(13, 5)),
    ],
)
def test_the_files_of_these_tests_are_laid_out_as_the_published_ones(
    file: str, layers: keras_files.Layers
) -> None:
    listed = [
        line.split("\t") for line in (SHARED / file).read_text().splitlines() if "float32" in line
    ]
    written = [
        (f"{layer}/{layer}/{variable}:0", str(shape))
        for layer, shapes in layers
        for variable, shape in shapes.items()
    ]
    assert written == [(name, shape) for _, name, shape, _ in listed]
