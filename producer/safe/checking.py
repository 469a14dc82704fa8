"""Checks a product's files against the sizes and checksums in its own manifest."""

import hashlib
from pathlib import Path

from producer.errors import ChecksumError
from producer.safe.archive import Files, files_of
from producer.safe.manifest import Listed, Manifest

# ESA wrote MD5 until 2021. It guards against damage, not against malice.
_ALGORITHMS = {"MD5": "md5", "SHA3-256": "sha3_256"}
_CHUNK_BYTES = 2**20


def verify(source: str | Path) -> int:
    """Check the files that masking reads; takes about two seconds a gigabyte.

    A file that is not there is no error here, as in ``open_product``; neither is one whose
    manifest gives neither size nor checksum.

    Returns:
        How many files a checksum vouches for.

    Raises:
        ChecksumError: Files are not what the manifest says.
        SafeError: The product cannot be read.
    """
    files = files_of(source)
    manifest = Manifest.read(files)
    there = [name for name in manifest.needed if files.has(name)]
    found = {name: difference(files, name, manifest.files[name]) for name in there}
    wrong = {name: problem for name, problem in found.items() if problem}
    if wrong:
        raise ChecksumError(files.source, wrong)
    return sum(_algorithm(manifest.files[name]) is not None for name in there)


def difference(files: Files, name: str, listed: Listed) -> str | None:
    """Say in what a file differs from what its manifest lists; ``None`` if in nothing.

    Raises:
        SafeError: The file cannot be read.
    """
    algorithm = _algorithm(listed)
    digest = None if algorithm is None else hashlib.new(algorithm, usedforsecurity=False)
    size = 0
    with files.opened(name) as file:
        while chunk := file.read(_CHUNK_BYTES):
            size += len(chunk)
            if digest is not None:
                digest.update(chunk)
    if listed.size not in (None, size):
        return f"has {size} bytes, wanted {listed.size}"
    if digest is None or listed.checksum is None or digest.hexdigest() == listed.checksum[1]:
        return None
    return f"has {listed.checksum[0]} {digest.hexdigest()}, wanted {listed.checksum[1]}"


def _algorithm(listed: Listed) -> str | None:
    return None if listed.checksum is None else _ALGORITHMS.get(listed.checksum[0])
