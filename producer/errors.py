"""What can go wrong on the way from a product to its mask.

::

    ProducerError
    ├── ProductNameError        a text that is no product name
    ├── SafeError               a product that cannot be read
    │   ├── NotASafeError       neither a SAFE folder nor a zip of one
    │   ├── ArchiveError        a zip that is broken or climbs out of its folder
    │   ├── MetadataError       XML that is hostile, broken or lacks what is needed
    │   ├── BaselineError       a processing baseline that nobody has seen
    │   ├── MissingBandError    a band that the manifest or the folder lacks
    │   ├── BandReadError       a band that cannot be decoded, or has the wrong CRS or shape
    │   └── ChecksumError       files that are not what the manifest says
    ├── StagingError            a remote product that does not come, for now
    │   └── StagingRefusedError one that is not there, is none, or may not be read
    ├── EngineError             a mask that cannot be made
    │   ├── UnknownEngineError  no engine of that name
    │   ├── EngineMissingError  its packages are not installed
    │   ├── LevelError          a level that the engine does not take
    │   ├── EngineOptionError   an option that the engine does not take
    │   ├── BackendError        a device or backend that is not there
    │   ├── AreaError           an area of interest that is no area, or lies elsewhere
    │   ├── UnknownNetworkError no network of that name
    │   └── WeightsError        weights that are absent, damaged or of another network
    │       ├── WeightsMissingError   not there, and not fetched
    │       ├── WeightsFileError      a file that is no file of weights
    │       ├── LayerError            a layer that is not what the network wants
    │       ├── WeightsDigestError    weights whose SHA-256 is not what was asked for or recorded
    │       └── WeightsFetchError     an address that gives no weights
    ├── CogError                a GeoTIFF that did not come out as it should
    ├── RecordError             a record that cannot be read
    └── StorageError            storage that cannot be reached or written
        └── NoSpaceError        a disk that is full

``ProducerError.passing`` says whether trying again later may help.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar


class ProducerError(Exception):
    """Base of everything that the producer raises on purpose."""

    passing: ClassVar[bool] = False
    """Whether the same call may succeed later; a corrupt product never will."""


class ProductNameError(ProducerError):
    """A text that is no product name."""

    def __init__(self, text: str, reason: str = "") -> None:
        self.text = text
        super().__init__(
            f"{text!r} is no Sentinel-2 product name{': ' + reason if reason else ''};"
            " wanted a compact name such as"
            " S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102204"
        )


class SafeError(ProducerError):
    """A product that cannot be read; its message names the product."""

    def __init__(self, source: str | Path, problem: str) -> None:
        self.source = str(source)
        self.problem = problem
        super().__init__(f"{self.source}: {problem}")


class NotASafeError(SafeError):
    """Neither a SAFE folder nor a zip of one."""


class ArchiveError(SafeError):
    """A zip that is broken or holds a member outside its own folder."""


class MetadataError(SafeError):
    """XML that is hostile, broken or lacks what is needed."""


class BaselineError(SafeError):
    """A processing baseline that nobody has seen."""

    def __init__(self, source: str | Path, baseline: str) -> None:
        self.baseline = baseline
        super().__init__(
            source,
            f"unknown processing baseline {baseline!r}; known are 02.00 to 05.99 and 99.99."
            " Its radiometric offsets would be a guess, so nothing was masked",
        )


class MissingBandError(SafeError):
    """A band that the manifest or the folder lacks."""

    def __init__(self, source: str | Path, band: str, problem: str) -> None:
        self.band = band
        super().__init__(source, f"band {band} {problem}; fetch the product again")


class BandReadError(SafeError):
    """A band that cannot be decoded, or that has the wrong CRS or shape."""

    def __init__(self, source: str | Path, band: str, problem: str) -> None:
        self.band = band
        super().__init__(source, f"band {band} {problem}")


class ChecksumError(SafeError):
    """Files whose size or checksum is not what the manifest says."""

    def __init__(self, source: str | Path, wrong: Mapping[str, str]) -> None:
        self.wrong = dict(wrong)
        name, problem = next(iter(wrong.items()))
        more = f" (and {len(wrong) - 1} more files)" if len(wrong) > 1 else ""
        super().__init__(
            source, f"{name} {problem} by manifest.safe{more}; fetch the product again"
        )


class StagingError(ProducerError):
    """A remote product that does not come, for now; what came so far is kept."""

    passing: ClassVar[bool] = True

    def __init__(self, source: str, problem: str) -> None:
        self.source = source
        super().__init__(f"{source} cannot be fetched: {problem}")


class StagingRefusedError(StagingError):
    """A remote product that is not there, is none, or may not be read."""

    passing: ClassVar[bool] = False


class EngineError(ProducerError):
    """A mask that cannot be made."""


class UnknownEngineError(EngineError):
    """No engine of that name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no engine is called {name!r}; there are {', '.join(known)}")


class EngineMissingError(EngineError):
    """An engine whose packages are not installed."""

    def __init__(self, name: str, package: str, extra: str) -> None:
        super().__init__(
            f"engine {name} needs the package {package}, which is not installed;"
            f" install nimbostac[{extra}]"
        )


class LevelError(EngineError):
    """A level that the engine does not take."""

    def __init__(self, name: str, level: str, levels: tuple[str, ...]) -> None:
        super().__init__(f"engine {name} masks {' and '.join(levels)}, not {level}")


class WeightsError(EngineError):
    """Weights that are absent, damaged or of another network."""


class EngineOptionError(EngineError):
    """An option that the engine does not take."""

    def __init__(self, name: str, options: tuple[str, ...]) -> None:
        super().__init__(f"engine {name} does not take {', '.join(options)}")


class BackendError(EngineError):
    """A device or backend that is not there, or cannot do what is asked of it."""


class AreaError(EngineError):
    """An area of interest that is no area, or lies elsewhere."""


class UnknownNetworkError(EngineError):
    """No network of that name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no network is called {name!r}; there are {', '.join(known)}")


class WeightsMissingError(WeightsError):
    """Weights that are not in the cache."""

    def __init__(self, name: str, folder: str | Path) -> None:
        super().__init__(
            f"no weights {name} in {folder};"
            f" run `nimbostac weights fetch {name}`, or `nimbostac weights import FILE`"
        )


class WeightsFileError(WeightsError):
    """A file that is no file of weights."""

    def __init__(self, path: str | Path, problem: str) -> None:
        super().__init__(f"{path} {problem}")


class LayerError(WeightsError):
    """A layer that is not what the network wants."""

    def __init__(self, path: str | Path, layer: str, problem: str) -> None:
        self.layer = layer
        super().__init__(f"{path}: layer {layer} {problem}; is this a file of another network?")


class WeightsDigestError(WeightsError):
    """Weights whose SHA-256 is not what was asked for or recorded."""

    def __init__(self, path: str | Path, got: str, wanted: str, advice: str) -> None:
        super().__init__(f"{path} has SHA-256 {got}; wanted {wanted}. {advice}")


class WeightsFetchError(WeightsError):
    """An address that gives no weights; what came so far is kept, and the next try goes on."""

    passing: ClassVar[bool] = True

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(
            f"could not fetch weights: {'; '.join(problems)}. If you have the file,"
            " `nimbostac weights import FILE` does without the network"
        )


class CogError(ProducerError):
    """A GeoTIFF that did not come out as it should."""


class RecordError(ProducerError):
    """A record that cannot be read."""

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(f"{source}: no mask record of ours: {problem}")


class StorageError(ProducerError):
    """Storage that cannot be reached or written."""

    passing: ClassVar[bool] = True


class NoSpaceError(StorageError):
    """A disk that is full; nothing half-written is left behind."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"no space left to write {path}; free some and run the same command again,"
            " what is done already is kept"
        )
