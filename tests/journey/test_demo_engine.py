"""The demo as a person runs it, without KappaMask's weights and with them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy import sample
from deploy.cli import app
from producer.kappamask.weights import WeightsCache
from producer.settings import ProducerSettings
from tests import products, stacks
from tests.producer.kappamask import keras_files

WEIGHTS = "l1c_deeplabv3plus"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Name an empty cache, and undo whatever a command makes of the environment."""
    before = dict(os.environ)
    monkeypatch.setattr(sample, "fetch", lambda *_: product)
    product = products.small_product(tmp_path, products.NEW_L1C).path
    chosen = {"NIMBOSTAC_CACHE_DIR": str(tmp_path / "cache"), "NIMBOSTAC_THREADS": "1"}
    os.environ.update(chosen)
    yield chosen
    os.environ.clear()
    os.environ.update(before)


def demo(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["demo", "--json", *arguments])
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_demo_runs_kappamask_with_its_weights_and_says_so_without(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with stacks.stack(environment) as stack:
        stack.up()
        os.environ["NIMBOSTAC_HOME"] = str(stack.home)
        without = demo()
        assert without["engine"] == "ukis-csmask"
        assert "KappaMask cannot run: its weights l1c_deeplabv3plus" in without["engine_reason"]
        file = tmp_path / f"{WEIGHTS}.hdf5"
        keras_files.write(file, keras_files.random_arrays(keras_files.deeplab_layers(13), seed=1))
        card = WeightsCache.of(ProducerSettings()).put(file, WEIGHTS)
        found = demo()
        assert found["engine"] == "kappamask"
        assert f"{WEIGHTS} ({card.sha256[:8]}) were imported from {file}" in found["engine_reason"]
        assert "/collections/kappamask-l1c/items/" in found["item"]
        named = demo("--engine", "ukis-csmask")
        assert "engine_reason" not in named
        assert named["item"] == without["item"]
