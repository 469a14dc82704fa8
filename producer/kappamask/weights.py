"""The cache of trained weights: converted once, checked at every load."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from producer.errors import WeightsDigestError, WeightsFileError, WeightsMissingError
from producer.kappamask import keras_weights, networks
from producer.kappamask.spectra import ARCHITECTURES, Spectrum, spectrum
from producer.settings import ProducerSettings

NAMES = tuple(
    f"{level}_{architecture}" for level in ("l1c", "l2a") for architecture in ARCHITECTURES
)
"""Weights by the names that KappaZeta gives them."""


class WeightsCard(BaseModel):
    """What is known of weights in the cache."""

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: str
    """Digest of the HDF5 file that they came from: their identity in masks and Items."""
    file: str
    """Name of the safetensors file."""
    file_sha256: str
    """Digest of the safetensors file, checked at every load."""
    source: str
    """Where the HDF5 file came from."""
    trust: str
    """``pinned`` where the digest was given beforehand, else ``first use``."""
    imported: datetime

    @property
    def spectrum(self) -> Spectrum:
        """The network that they are for."""
        return spectrum_of(self.name)


@dataclass(frozen=True, slots=True)
class WeightsCache:
    """A folder of weights."""

    folder: Path

    @classmethod
    def of(cls, settings: ProducerSettings) -> Self:
        """Find the cache that the settings name."""
        return cls(settings.cache_dir.expanduser() / "kappamask")

    def cards(self) -> tuple[WeightsCard, ...]:
        """List what is there, by name."""
        return tuple(self.card(name) for name in NAMES if self._path(name).is_file())

    def card(self, name: str) -> WeightsCard:
        """Look up one set of weights, without checking it.

        Raises:
            WeightsMissingError: It is not there.
            WeightsFileError: What is there cannot be read.
        """
        spectrum_of(name)
        path = self._path(name)
        try:
            return WeightsCard.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise WeightsMissingError(name, self.folder) from error
        except (OSError, ValidationError) as error:
            raise WeightsFileError(path, f"is no card of weights: {error}") from error

    def verify(self, name: str) -> WeightsCard:
        """Check one set of weights against its digest.

        Raises:
            WeightsMissingError: It is not there.
            WeightsDigestError: It has changed since it was imported.
        """
        card = self.card(name)
        path = self.folder / card.file
        if not path.is_file():
            raise WeightsMissingError(name, self.folder)
        got = digest(path)
        if got != card.file_sha256:
            advice = f"It has changed since it was imported: import or fetch {name} again"
            raise WeightsDigestError(path, got, card.file_sha256, advice)
        return card

    def load(self, name: str) -> tuple[networks.Network, WeightsCard]:
        """Build the network of these weights, after checking them.

        Raises:
            WeightsMissingError: They are not there.
            WeightsDigestError: They have changed since they were imported.
            WeightsFileError: They cannot be read.
        """
        card = self.verify(name)
        try:
            state = load_file(self.folder / card.file)
        except (SafetensorError, OSError) as error:
            raise WeightsFileError(self.folder / card.file, f"cannot be read: {error}") from error
        return _filled(card.spectrum, state), card

    def put(
        self, path: Path, name: str, *, sha256: str | None = None, source: str | None = None
    ) -> WeightsCard:
        """Import a Keras HDF5 file.

        Args:
            path: The file.
            name: What its weights are, one of ``NAMES``.
            sha256: Digest that the file must have; without it, that of the first import counts.
            source: Where the file came from, if not from ``path``.

        Raises:
            WeightsDigestError: The file is another one.
            WeightsFileError: The file is no HDF5 of Keras's.
            LayerError: It holds another network.
        """
        wanted = spectrum_of(name)
        if not path.is_file():
            raise WeightsFileError(path, "is not there")
        got = digest(path)
        self._check(path, name, got, sha256)
        with torch.device("meta"):
            empty = networks.build(wanted)
        state = keras_weights.read(path, empty)
        file = f"{name}-{got[:16]}.safetensors"
        with self.locked(name):
            part = self.folder / f".{file}.part"
            save_file(state, part, metadata={"name": name, "sha256": got})
            card = WeightsCard(
                name=name,
                sha256=got,
                file=file,
                file_sha256=digest(part),
                source=source or str(path.absolute()),
                trust="pinned" if sha256 else "first use",
                imported=datetime.now(UTC),
            )
            part.replace(self.folder / file)
            # The card comes last: it only ever names a file that is whole.
            part = self._path(name).with_suffix(".part")
            part.write_text(card.model_dump_json(indent=2), "utf-8")
            part.replace(self._path(name))
            for old in self.folder.glob(f"{name}-*.safetensors"):
                if old.name != file:
                    old.unlink(missing_ok=True)
        return card

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Keep other processes from writing the same weights."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f".{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _check(self, path: Path, name: str, got: str, sha256: str | None) -> None:
        if sha256 is not None:
            if got != sha256.lower():
                raise WeightsDigestError(path, got, sha256, "Nothing was imported")
        elif self._path(name).is_file() and (known := self.card(name)).sha256 != got:
            advice = (
                f"That is what {name} had before; if the new file is right, give --sha256 {got}"
            )
            raise WeightsDigestError(path, got, known.sha256, advice)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def spectrum_of(name: str) -> Spectrum:
    """Look up the input of the network that weights are for.

    Raises:
        UnknownNetworkError: No network has weights of this name.
    """
    level, _, architecture = name.partition("_")
    return spectrum(level.upper(), architecture)


def digest(path: Path) -> str:
    """Compute the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _filled(wanted: Spectrum, state: dict[str, Any]) -> networks.Network:
    with torch.device("meta"):
        network = networks.build(wanted)
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(requires_grad=False)
