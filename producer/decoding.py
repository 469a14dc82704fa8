"""Decoding windows of a band's file: by GDAL on a CPU, by nvImageCodec on a GPU where it is there.

nvImageCodec is NVIDIA's (``pip install nvidia-nvimgcodec-cu12[all]``, or ``-cu13``); what it cannot
decode is decoded by GDAL.
"""

import threading
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from producer.raster import opened
from producer.safe import BandFile

_PACKAGE = "nvidia.nvimgcodec"
_END_OF_CODESTREAM = b"\xff\xd9"


class Decoder(Protocol):
    """Reads windows; safe to share by threads."""

    def read(self, source: str, file: BandFile, rows: slice, columns: slice) -> NDArray[np.uint16]:
        """Decode a window that lies inside of a band.

        Args:
            source: The product, for an error to name.
            file: The band.
            rows: First row and the one after the last.
            columns: The same of columns.

        Raises:
            BandReadError: It cannot be decoded.
        """


@dataclass(frozen=True, slots=True)
class Gdal:
    """Decodes with GDAL, in the thread that asks."""

    def read(self, source: str, file: BandFile, rows: slice, columns: slice) -> NDArray[np.uint16]:
        """Decode a window."""
        window = Window.from_slices(rows, columns)
        # Opened anew each time, which takes about 1 ms where a tile takes 100: no handle is ever
        # shared by threads, and GDAL's own cache, emptied by the closing, stays out of the way.
        with opened(source, file) as dataset:
            numbers: NDArray[np.uint16] = dataset.read(1, window=window)
        return numbers.astype(np.uint16, copy=False)


@dataclass(frozen=True, slots=True)
class NvImageCodec:
    """Decodes JPEG 2000 files that are not in a zip with nvImageCodec, all else with GDAL."""

    codec: Any
    """The module."""
    decoder: Any
    """Its decoder, which one thread uses at a time."""
    otherwise: Decoder = field(default_factory=Gdal)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def on(cls, device: int | None) -> "NvImageCodec":
        """Set up a decoder.

        Args:
            device: Number of the GPU; ``None`` for the CPU, by which this can be tested anywhere.
        """
        codec = import_module(_PACKAGE)
        if device is None:
            only = [codec.Backend(codec.BackendKind.CPU_ONLY)]
            return cls(codec, codec.Decoder(codec.NVIMGCODEC_DEVICE_CPU_ONLY, backends=only))
        return cls(codec, codec.Decoder(device))

    def read(self, source: str, file: BandFile, rows: slice, columns: slice) -> NDArray[np.uint16]:
        """Decode a window."""
        image = None
        if _is_whole(Path(file.path)):
            with self.lock:
                image = self._decoded(file.path, rows, columns)
        if image is None:
            return self.otherwise.read(source, file, rows, columns)
        return image

    def _decoded(self, path: str, rows: slice, columns: slice) -> NDArray[np.uint16] | None:
        codec = self.codec
        region = codec.Region(rows.start, columns.start, rows.stop, columns.stop)
        told = codec.DecodeParams(
            apply_exif_orientation=False,
            color_spec=codec.ColorSpec.UNCHANGED,
            # Else numbers are scaled to eight bits.
            allow_any_depth=True,
            sample_format=codec.SampleFormat.I_UNCHANGED,
        )
        stream = codec.CodeStream(path).get_sub_code_stream(region=region)
        image = self.decoder.decode(stream, params=told)
        if image is None:
            return None
        numbers = np.asarray(image.cpu())
        wanted = (rows.stop - rows.start, columns.stop - columns.start, 1)
        return numbers[..., 0] if numbers.shape == wanted and numbers.dtype == np.uint16 else None


def decoder_for(device: str) -> Decoder:
    """Choose how to decode for a network on a device, such as ``cpu`` or ``cuda:1``."""
    kind, _, number = device.partition(":")
    if kind == "cuda" and find_spec("nvidia") and find_spec(_PACKAGE):
        return NvImageCodec.on(int(number or 0))
    return Gdal()


def _is_whole(path: Path) -> bool:
    """Tell whether a JPEG 2000 file ends as one does: GDAL knows what to say of one cut short."""
    if path.suffix != ".jp2" or not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(-len(_END_OF_CODESTREAM), 2)
        return file.read() == _END_OF_CODESTREAM
