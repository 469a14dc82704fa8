from pathlib import Path

import pytest

from producer import engines
from producer.engines import versions
from producer.options import Backend, EngineOptions
from producer.settings import ProducerSettings


def test_a_version_is_told_without_loading_what_has_it(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIMBOSTAC_CACHE_DIR", str(cache_dir))
    loaded = engines.load("kappamask", "L1C", EngineOptions(backend=Backend.TORCH))
    assert versions.version("kappamask", "L1C") == loaded.version
    assert versions.version("ukis-csmask", "L2A") == engines.load("ukis-csmask", "L2A").version


def test_an_engine_that_cannot_run_here_has_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ProducerSettings(cache_dir=tmp_path)
    assert versions.version("kappamask", "L2A", settings) is None
    (tmp_path / "kappamask").mkdir()
    (tmp_path / "kappamask/l2a_deeplabv3plus.json").write_text("[]")
    assert versions.version("kappamask", "L2A", settings) is None
