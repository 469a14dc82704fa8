"""Against the original network in TensorFlow 2.15, on real pixels."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch

from producer.bands import Bands
from producer.engines import silent
from producer.grid import Grid
from producer.kappamask.chain import CODES, Chain
from producer.kappamask.inference import predictor
from producer.kappamask.preparing import Preparation
from producer.kappamask.spectra import spectrum
from producer.kappamask.tiling import tiles
from producer.kappamask.weights import WeightsCache
from producer.options import Backend, EngineOptions, Mode
from producer.safe import Product, open_product
from producer.safe.spectrum import NATIVE_RESOLUTION_M
from producer.synthetic import write_safe
from tests.producer.kappamask import keras_files
from tests.products import flat_facts

SHARED = Path(os.environ.get("NIMBOSTAC_SHARED", Path(__file__).parents[4] / "shared"))
GOLDEN = SHARED / "kappamask" / "golden_l1c_deeplabv3plus.npz"
PIXELS = SHARED / "data" / "pixels" / "T33UUU_20170216T102101"
NAME = "S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102204"

pytestmark = pytest.mark.skipif(
    not (GOLDEN.is_file() and PIXELS.is_dir()), reason="no golden output at hand (NIMBOSTAC_SHARED)"
)


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(GOLDEN) as file:
        return dict(file)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Product:
    bands = {path.stem.rpartition("_")[2]: path for path in PIXELS.glob("*.jp2")}
    with rasterio.open(bands["B02"]) as first:
        epsg, at = first.crs.to_epsg(), first.transform
    grids = {
        metres: Grid(epsg, at.c, at.f, metres, 15360 // metres, 7680 // metres)
        for metres in (10, 20, 60)
    }
    assert set(bands) == {name for name in NATIVE_RESOLUTION_M if name.startswith("B")}
    folder = tmp_path_factory.mktemp("golden")
    return open_product(write_safe(folder, flat_facts(NAME, grids), bands))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, golden: dict[str, np.ndarray]) -> WeightsCache:
    folder = tmp_path_factory.mktemp("weights")
    arrays = keras_files.random_arrays(keras_files.deeplab_layers(13), seed=7)
    for number, key in enumerate(arrays):
        arrays[key] = golden.get(f"dataset_{number}", arrays[key])
    keras_files.write(folder / "l1c_deeplabv3plus.hdf5", arrays)
    cache = WeightsCache(folder)
    cache.put(folder / "l1c_deeplabv3plus.hdf5", "l1c_deeplabv3plus")
    return cache


@pytest.mark.parametrize("backend", [Backend.TORCH, Backend.OPENVINO])
def test_the_original_network_is_met(
    product: Product, cache: WeightsCache, golden: dict[str, np.ndarray], backend: Backend
) -> None:
    if backend is Backend.OPENVINO:
        pytest.importorskip("openvino")
    wanted = spectrum("L1C", "deeplabv3plus")
    network, _ = cache.load("l1c_deeplabv3plus")
    options = EngineOptions(backend=backend, mode=Mode.HARMONISED)
    # One thread: on a busy machine two wait for each other at every step.
    run = predictor(network, options, threads=1)
    tile, row, column = golden["points"].T
    grid = list(tiles(*product.grid.shape))
    with Bands(product, wanted.bands) as bands:
        preparation = Preparation(product, bands, wanted, Mode.HARMONISED)
        prepared = [preparation.prepare(tile) for tile in grid]
    inputs = np.stack([tile.inputs for tile in prepared if tile.inputs is not None])
    assert abs(inputs[tile, :, row, column] - golden["inputs"]).max() <= 1e-7

    scores = [run.logits(inputs[number : number + 1]) for number in range(len(inputs))]
    probabilities = torch.cat(scores).softmax(1).numpy()
    assert abs(probabilities[tile, :, row, column] - golden["probabilities"]).max() <= 1e-4

    # The mosaic, with the scores that are there already instead of another run.
    again = iter(scores)
    replayed = replace(run, score=lambda _x: next(again), network=_Enlarged())  # type: ignore[arg-type]
    found = Chain(wanted, replayed, options).mask(product, silent).mask
    expected = CODES[Mode.HARMONISED][golden["classes"]]
    # One pixel of B8A holds no data: 2 x 2 pixels are missing, whatever the network says.
    assert (found != expected).sum() <= 20 + 4


class _Enlarged:
    """A network whose scores come enlarged."""

    channels = 13

    @staticmethod
    def enlarged(logits: torch.Tensor) -> torch.Tensor:
        return logits

    comparable = enlarged
