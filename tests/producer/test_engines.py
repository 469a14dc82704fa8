"""The registry of engines."""

import sys

import pytest

from producer import engines
from producer.engines import Engine
from producer.errors import EngineMissingError, LevelError, UnknownEngineError


def test_a_loaded_engine_says_what_it_is() -> None:
    engine = engines.load("ukis-csmask", "L2A")
    assert isinstance(engine, Engine)
    assert (engine.name, engine.version, engine.level) == ("ukis-csmask", "1.0.0", "L2A")
    assert engine.weights is not None
    assert engine.weights.name == "model_6b_l2a.onnx"


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownEngineError, match=r"there are .*ukis-csmask"):
        engines.load("fmask", "L1C")


def test_a_level_that_the_engine_does_not_take_is_refused() -> None:
    with pytest.raises(LevelError, match="L1C and L2A, not L1B"):
        engines.load("ukis-csmask", "L1B")


def test_a_package_that_is_not_installed_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "producer.engines.ukis_csmask", raising=False)
    # What import does where a package is not installed.
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EngineMissingError, match=r"onnxruntime.*nimbostac\[producer\]"):
        engines.load("ukis-csmask", "L1C")


def test_the_list_of_engines_needs_none_of_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("onnxruntime", "torch", "ukis_csmask"):
        monkeypatch.setitem(sys.modules, package, None)
    assert "ukis-csmask" in engines.names()
    assert engines.entry("ukis-csmask").levels == ("L1C", "L2A")
