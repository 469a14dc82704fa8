"""How masks are made: what every engine obeys, and what only some can be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any


class Mode(StrEnum):
    """How radiometric offsets of baseline 04.00 and later are treated."""

    HARMONISED = "harmonised"
    """Taken off by band, at both levels: the network sees what it was trained on."""
    LEGACY = "legacy-2.4"
    """As km_predict 2.4 does, to reproduce its masks: taken off the Level-1C bands while twice as
    much is taken off the maxima, ignored in Level 2A, and undefined drawn as semi-transparent."""


class Precision(StrEnum):
    """Numbers that a network computes with."""

    FLOAT32 = "float32"
    BFLOAT16 = "bf16"
    FLOAT16 = "fp16"


class Backend(StrEnum):
    """What runs a network."""

    AUTO = "auto"
    """OpenVINO where it is installed and the device is a CPU, else torch."""
    TORCH = "torch"
    COMPILE = "compile"
    """``torch.compile``: needs a C++ compiler, on a GPU it captures CUDA graphs."""
    OPENVINO = "openvino"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine works; what is left as it is suits everybody.

    Most engines take nothing, and say so when they are told something.
    """

    mode: Mode = Mode.HARMONISED
    aoi: Mapping[str, Any] | None = None
    """GeoJSON Polygon or MultiPolygon, WGS84: only the tiles that it touches are masked."""
    probabilities: bool = False
    """Give the probability of each class too."""
    architecture: str = "deeplabv3plus"
    device: str = "cpu"
    """``cpu``, ``cuda`` or ``cuda:1``."""
    precision: Precision = Precision.FLOAT32
    backend: Backend = Backend.AUTO
    batch: int = 0
    """Tiles inferred at a time; 0 takes 1 on a CPU, where OpenVINO infers two such batches side by
    side, and 8 on a GPU."""

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the options that are not as they are left."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) != f.default)


@dataclass(frozen=True, slots=True)
class MaskOptions:
    """How masks are made."""

    overwrite: bool = False
    """Make a mask again that is there already."""
    preview: bool = True
    """Make a true-colour preview too."""
    engine: EngineOptions = field(default_factory=EngineOptions)
    """How the engine works."""
    km_names: bool = False
    """Put copies where km_predict puts its masks too, under its names."""
    verify: bool = False
    """Hold a product's files against the checksums of its manifest first."""
    scratch: Path | None = None
    """Folder that remote products are fetched to; without it, one in the cache."""
