"""Engines: what turns a product into a mask, behind one Protocol and one registry."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from producer.classes import MaskClass
from producer.errors import (
    EngineMissingError,
    EngineOptionError,
    LevelError,
    UnknownEngineError,
)
from producer.options import EngineOptions
from producer.safe import Product

Progress = Callable[[str, int, int], None]
"""Told a step's name, how much of it is done and how much there is."""


def silent(_step: str, _done: int, _total: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The trained weights that made a mask."""

    name: str
    """File name or title, such as ``model_6b_l1c.onnx``."""
    sha256: str
    """Digest of the file, hexadecimal."""


@dataclass(frozen=True, slots=True)
class EngineOutput:
    """What an engine says of one product."""

    mask: NDArray[np.uint8]
    """(row, column) values of ``MaskClass`` on the product's 10 m grid."""
    timings_s: dict[str, float]
    """Seconds by step, such as ``decode`` and ``infer``."""
    probabilities: NDArray[np.uint8] | None = field(default=None)
    """(class, row, column) probabilities, 0 to 255 for 0 to 1, where they were asked for."""
    notes: tuple[str, ...] = ()
    """What a person should know of how it was made."""


@runtime_checkable
class Engine(Protocol):
    """One cloud-masking method for one level, its model loaded, ready for many products."""

    @property
    def name(self) -> str:
        """Registry name, part of the Collection id."""

    @property
    def version(self) -> str:
        """What tells two outputs apart: another version replaces the Item.

        Letters, digits, dots, ``+`` and hyphens only; it is part of file names.
        """

    @property
    def level(self) -> str:
        """Product level that it was loaded for."""

    @property
    def classes(self) -> tuple[MaskClass, ...]:
        """Classes that it can tell apart."""

    @property
    def weights(self) -> Weights | None:
        """Trained weights, if it has any."""

    def mask(self, product: Product, progress: Progress = silent) -> EngineOutput:
        """Mask one product.

        Raises:
            SafeError: The product cannot be read.
        """


@dataclass(frozen=True, slots=True)
class EngineEntry:
    """Where an engine is found; named, not imported, so that each works without the others."""

    name: str
    title: str
    """One line for people."""
    factory: str
    """``module:callable``, called with the level and, if it takes any, the options."""
    levels: tuple[str, ...]
    extra: str
    """The extra of this distribution that brings its packages."""
    packages: tuple[str, ...] = ()
    """Distributions whose versions a record should name."""
    takes: frozenset[str] = frozenset()
    """Names of the ``EngineOptions`` that it takes."""


ENTRIES: tuple[EngineEntry, ...] = (
    EngineEntry(
        name="ukis-csmask",
        title="ukis-csmask of DLR: cloud and cloud shadow at 30 m",
        factory="producer.engines.ukis_csmask:load",
        levels=("L1C", "L2A"),
        extra="producer",
        packages=("onnxruntime", "ukis-csmask"),
    ),
    EngineEntry(
        name="kappamask",
        title="KappaMask 2.4 of KappaZeta: cloud, thin cloud and cloud shadow at 10 m",
        factory="producer.engines.kappamask:load",
        levels=("L1C", "L2A"),
        extra="kappamask",
        packages=("torch", "openvino"),
        takes=frozenset(option.name for option in fields(EngineOptions)),
    ),
)


def names() -> tuple[str, ...]:
    """Names of all engines."""
    return tuple(entry.name for entry in ENTRIES)


def entry(name: str) -> EngineEntry:
    """Find an engine's entry.

    Raises:
        UnknownEngineError: No engine has this name.
    """
    for candidate in ENTRIES:
        if candidate.name == name:
            return candidate
    raise UnknownEngineError(name, names())


def load(name: str, level: str, options: EngineOptions | None = None) -> Engine:
    """Load an engine with its model for one level.

    Args:
        name: Registry name.
        level: ``L1C`` or ``L2A``.
        options: How it shall work; one that it does not take must be left as it is.

    Raises:
        UnknownEngineError: No engine has this name.
        LevelError: The engine does not take this level.
        EngineOptionError: It does not take one of the options.
        EngineMissingError: Its packages are not installed.
        WeightsError: Its weights are absent or damaged.
    """
    found = entry(name)
    if level not in found.levels:
        raise LevelError(name, level, found.levels)
    options = options or EngineOptions()
    refused = tuple(option for option in options.changed if option not in found.takes)
    if refused:
        raise EngineOptionError(name, refused)
    arguments = (level, options) if found.takes else (level,)
    module, _, factory = found.factory.partition(":")
    try:
        engine: Engine = getattr(importlib.import_module(module), factory)(*arguments)
    except ModuleNotFoundError as error:
        raise EngineMissingError(name, str(error.name), found.extra) from error
    return engine
