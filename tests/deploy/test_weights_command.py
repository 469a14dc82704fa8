from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.commands.weights import weights
from producer.errors import WeightsDigestError
from tests.producer.kappamask import keras_files
from tests.producer.kappamask.test_fetching import Site, serving

NAME = "l1c_unet"


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keras") / f"{NAME}.hdf5"
    keras_files.write(path, keras_files.random_arrays(keras_files.unet_layers(13, 5), seed=6))
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NIMBOSTAC_CACHE_DIR", str(tmp_path))
    return tmp_path / "kappamask"


def test_weights_are_imported_listed_and_verified(keras_file: Path) -> None:
    run = CliRunner().invoke
    assert "nimbostac weights fetch" in run(weights, ["list"]).stderr
    imported = run(weights, ["import", str(keras_file)])
    assert imported.exit_code == 0
    assert imported.stdout.startswith(f"{NAME} sha256:")
    assert "Trusted on first use" in imported.stderr
    assert run(weights, ["list"]).stdout == imported.stdout
    assert run(weights, ["verify"]).stdout.endswith("unchanged\n")


def test_weights_are_fetched_from_an_address_and_pinned(keras_file: Path) -> None:
    with serving(Site(keras_file.read_bytes())) as site:
        run = CliRunner().invoke
        refused = run(weights, ["fetch", NAME, "--url", site.url, "--sha256", "0" * 64])
        assert isinstance(refused.exception, WeightsDigestError)
        fetched = run(weights, ["fetch", NAME, "--url", site.url])
        assert fetched.exit_code == 0
        assert "over plain HTTP, where anybody on the way can change it" in fetched.stderr
        digest = fetched.stdout.partition("sha256:")[2][:64]
        pinned = run(weights, ["fetch", NAME, "--url", site.url, "--sha256", digest])
        assert "(pinned, from" in pinned.stdout
        assert pinned.stderr.strip() == ""


def test_wrong_usage_is_told(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(weights, ["fetch", "--sha256", "0" * 64]).exit_code == 2
    unknown = run(weights, ["import", str(tmp_path / "model.hdf5")])
    assert unknown.exit_code == 2
    assert "l1c_deeplabv3plus" in unknown.stderr


def test_a_changed_file_is_found(keras_file: Path, cache: Path) -> None:
    run = CliRunner().invoke
    run(weights, ["import", str(keras_file)])
    (stored,) = cache.glob("*.safetensors")
    stored.write_bytes(stored.read_bytes()[:-1])
    assert isinstance(run(weights, ["verify", NAME]).exception, WeightsDigestError)
