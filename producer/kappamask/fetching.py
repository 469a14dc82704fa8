"""Fetches weights from where KappaZeta publishes them; a broken download goes on where it broke."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import HTTPStore, ObjectStore, from_url

from producer.errors import WeightsFetchError
from producer.kappamask.weights import WeightsCache, WeightsCard, spectrum_of

_CHUNK = 4 * 2**20
_PATIENCE = timedelta(seconds=30)

Progress = Callable[[str, int, int], None]


def fetch(
    cache: WeightsCache,
    name: str,
    addresses: tuple[str, ...],
    progress: Progress,
    *,
    sha256: str | None = None,
) -> WeightsCard:
    """Bring weights into the cache.

    Args:
        cache: Where they go.
        name: Which, such as ``l1c_deeplabv3plus``.
        addresses: Folders that hold ``{name}.hdf5``, tried in turn: ``https://``, ``http://``,
            ``s3://`` and so on.
        progress: Told ``fetch``, the bytes so far and all of them.
        sha256: Digest that the file must have.

    Raises:
        WeightsFetchError: No address gives the file.
        WeightsDigestError: The file is another one; it is deleted.
        LayerError: The file holds another network.
    """
    spectrum_of(name)
    problems = []
    for address in addresses:
        with cache.locked(f"{name}-fetch"):
            try:
                path = _download(cache.folder, name, address, progress)
            except (BaseError, OSError, ValueError) as error:
                problems.append(f"{address}: {_first_line(error)}")
                continue
            try:
                return cache.put(path, name, sha256=sha256, source=f"{address}/{name}.hdf5")
            finally:
                path.unlink(missing_ok=True)
    raise WeightsFetchError(tuple(problems) or ("no address is set",))


def _download(folder: Path, name: str, address: str, progress: Progress) -> Path:
    store = _store(address)
    key = f"{name}.hdf5"
    try:
        first = obstore.get(store, key, options={"range": (0, 1)})
    except BaseError:
        return _download_whole(store, folder, key, progress)
    size, tag = first.meta["size"], first.meta["e_tag"]
    identity = hashlib.sha256(f"{address} {tag} {size}".encode()).hexdigest()[:12]
    path = folder / f".{name}-{identity}.hdf5.part"
    # What is left of another version of the file is of no use any more.
    for old in folder.glob(f".{name}-*.hdf5.part"):
        if old != path:
            old.unlink(missing_ok=True)
    with path.open("ab") as part:
        while (done := part.tell()) < size:
            progress("fetch", done, size)
            options: obstore.GetOptions = {"range": (done, min(done + _CHUNK, size))}
            if tag:
                options["if_match"] = tag
            part.write(obstore.get(store, key, options=options).bytes())
            part.flush()
    progress("fetch", size, size)
    return path


def _download_whole(store: ObjectStore, folder: Path, key: str, progress: Progress) -> Path:
    """Fetch from a server that knows no ranges, where nothing can go on."""
    answer = obstore.get(store, key)
    path, size = folder / f".{key}.part", answer.meta["size"]
    with path.open("wb") as part:
        for chunk in answer.stream():
            part.write(chunk)
            progress("fetch", part.tell(), size)
    return path


def _store(address: str) -> ObjectStore:
    # A public bucket's web address would be taken for S3, and credentials looked for.
    open_store = HTTPStore.from_url if address.startswith(("http://", "https://")) else from_url
    return open_store(
        address,
        client_options={"allow_http": True, "connect_timeout": "10s", "timeout": "120s"},
        retry_config={"max_retries": 3, "retry_timeout": _PATIENCE},
    )


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
