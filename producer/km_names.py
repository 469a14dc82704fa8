"""Masks under the names and in the grey values of km_predict, for what was built around it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from producer.classes import MaskClass
from producer.png import encode_grey
from producer.product import ProductName

GREY = {
    MaskClass.NO_DATA: 0,
    MaskClass.CLEAR: 66,
    MaskClass.CLOUD_SHADOW: 129,
    MaskClass.SEMI_TRANSPARENT: 192,
    MaskClass.CLOUD: 255,
    MaskClass.MISSING: 20,
}
"""Grey values of km_predict's PNG; its GeoTIFF has the class values that ours have."""


def keys(name: ProductName) -> tuple[str, str]:
    """Give the keys of the GeoTIFF and the PNG.

    For example ``prediction/S2A_.../L2A_T35VME_20200509T094041_KZ_10m.tif``.
    """
    stem = f"prediction/{name}/{name.level}_T{name.tile}_{name.sensed:%Y%m%dT%H%M%S}_KZ_10m"
    return f"{stem}.tif", f"{stem}.png"


def files(name: ProductName, mask: NDArray[np.uint8], cog: bytes) -> Iterator[tuple[str, bytes]]:
    """Go through keys and contents: the COG as it is, and the mask as a grey PNG."""
    tif, png = keys(name)
    yield tif, cog
    table = np.zeros(256, np.uint8)
    for value, grey in GREY.items():
        table[value] = grey
    yield png, encode_grey(table[mask])
