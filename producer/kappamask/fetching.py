"""Fetches weights from where KappaZeta publishes them; a broken download goes on where it broke."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from obstore.exceptions import BaseError

from producer.download import RemoteFile, open_store, reason
from producer.errors import WeightsFetchError
from producer.kappamask.weights import WeightsCache, WeightsCard, spectrum_of

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """Where weights come from."""

    addresses: tuple[str, ...]
    """Folders that hold ``{name}.hdf5``, tried in turn: ``https://``, ``http://``, ``s3://`` and so
    on."""
    sha256: str | None = None
    """Digest that the file must have."""
    hurried: bool = False
    """Give up within seconds where there is no network."""


def fetch(cache: WeightsCache, name: str, source: Source, progress: Progress) -> WeightsCard:
    """Bring weights into the cache.

    Args:
        cache: Where they go.
        name: Which, such as ``l1c_deeplabv3plus``.
        source: Where they come from.
        progress: Told ``fetch``, the bytes so far and all of them.

    Raises:
        WeightsFetchError: No address gives the file.
        WeightsDigestError: The file is another one; it is deleted.
        LayerError: The file holds another network.
    """
    spectrum_of(name)
    problems = []
    for address in source.addresses:
        with cache.locked(f"{name}-fetch"):
            path = cache.folder / f".{name}.hdf5"
            try:
                _download(address, path, progress, hurried=source.hurried)
            except (BaseError, OSError, ValueError) as error:
                problems.append(f"{address}: {reason(error)}")
                continue
            try:
                held = f"{address}/{name}.hdf5"
                return cache.put(path, name, sha256=source.sha256, source=held)
            finally:
                path.unlink(missing_ok=True)
    raise WeightsFetchError(tuple(problems) or ("no address is set",))


def _download(address: str, path: Path, progress: Progress, *, hurried: bool) -> None:
    store = open_store(address, hurried=hurried)
    file = RemoteFile.look(store, path.name.removeprefix("."))
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress("fetch", done, file.size)

    file.fetch(path, tell)
