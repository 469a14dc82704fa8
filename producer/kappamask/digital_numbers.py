"""Digital numbers as cm-vsm leaves them, and their way to a network's inputs."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from producer.kappamask.spectra import Spectrum
from producer.options import Mode

FULL_SCALE = 65535


def truncation() -> NDArray[np.uint16]:
    """Tabulate what GraphicsMagick's pixels make of each digital number.

    They pass through a float of 0 to 1 and back, which truncates: about half of the numbers come
    out one lower.
    """
    numbers = np.arange(FULL_SCALE + 1).astype(np.float32) * np.float32(1 / FULL_SCALE)
    return np.floor(numbers.astype(np.float64) * FULL_SCALE).astype(np.uint16)


def decoding(mode: Mode, offset: int) -> NDArray[np.uint16]:
    """Tabulate what of each digital number is resampled.

    In harmonised mode the offset is added first: the same ground gives the same inputs whatever
    the baseline, rounding and the ringing at edges included.

    Args:
        mode: How the offset is treated.
        offset: Radiometric offset of the band, 0 or -1000.
    """
    table = truncation()
    if mode is Mode.LEGACY or offset == 0:
        return table
    shifted = np.clip(np.arange(FULL_SCALE + 1) + offset, 0, FULL_SCALE)
    # Zero says that there is no data, to which nothing is added.
    shifted[0] = 0
    return table[shifted]


def normalisation(
    spectrum: Spectrum, mode: Mode, offsets: Mapping[str, int]
) -> NDArray[np.float32]:
    """Tabulate the network's input for each resampled number.

    Args:
        spectrum: The network's bands.
        mode: How offsets are treated.
        offsets: Radiometric offsets by band name.

    Returns:
        (channel, 65536) inputs, 0 for dark, 1 for full scale, without an upper limit.
    """
    samples = np.arange(FULL_SCALE + 1).astype(np.float32) / np.float32(FULL_SCALE)
    table = np.empty((len(spectrum.bands), FULL_SCALE + 1), np.float32)
    for channel, (band, maximum) in enumerate(zip(spectrum.bands, spectrum.maxima, strict=True)):
        shift = 0.0
        if mode is Mode.LEGACY and spectrum.level == "L1C":
            shift = offsets.get(band, 0) / FULL_SCALE
        values = (samples.astype(np.float64) + shift) / (maximum + 2 * shift)
        table[channel] = np.maximum(values, 0)
    return table
