"""What two masks say of one pixel: agreement, or who alone sees a cloud."""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from producer.classes import RGBA, VALID_CLASSES, MaskClass
from tiler.clear.coverage import CLASS_COUNT, CLASS_OF
from tiler.draw import Classes
from tiler.errors import StyleError


class Agreement(IntEnum):
    """A pixel of two masks; cloud is cloud or semi-transparent cloud."""

    NO_DATA = 0
    """One of them says nothing."""
    AGREE_CLEAR = 1
    AGREE_CLOUD = 2
    AGREE_SHADOW = 3
    ONLY_A_CLOUD = 4
    ONLY_B_CLOUD = 5
    OTHER_DIFFERENCE = 6
    """Shadow to the one, clear to the other."""


COLORS: Mapping[int, RGBA] = {
    Agreement.NO_DATA: (0, 0, 0, 0),
    Agreement.AGREE_CLEAR: (102, 166, 30, 70),
    Agreement.AGREE_CLOUD: (255, 255, 255, 235),
    Agreement.AGREE_SHADOW: (73, 60, 118, 220),
    # Told apart with any kind of colour vision.
    Agreement.ONLY_A_CLOUD: (230, 97, 1, 235),
    Agreement.ONLY_B_CLOUD: (31, 120, 209, 235),
    Agreement.OTHER_DIFFERENCE: (240, 200, 40, 225),
}
TITLES: Mapping[Agreement, str] = {
    Agreement.AGREE_CLEAR: "Both clear",
    Agreement.AGREE_CLOUD: "Both cloud",
    Agreement.AGREE_SHADOW: "Both cloud shadow",
    Agreement.ONLY_A_CLOUD: "Only the first says cloud",
    Agreement.ONLY_B_CLOUD: "Only the second says cloud",
    Agreement.OTHER_DIFFERENCE: "Shadow or clear",
}
"""What a legend says."""

_NAMES = {kind.name.lower(): kind for kind in TITLES}
_CLOUDS = {MaskClass.SEMI_TRANSPARENT, MaskClass.CLOUD}
_SAME = {
    MaskClass.CLEAR: Agreement.AGREE_CLEAR,
    MaskClass.CLOUD_SHADOW: Agreement.AGREE_SHADOW,
}


def agreement_of(one: int, other: int) -> Agreement:
    """Tell what two classes say together."""
    if not {one, other} <= set(VALID_CLASSES):
        return Agreement.NO_DATA
    if one in _CLOUDS or other in _CLOUDS:
        if one in _CLOUDS and other in _CLOUDS:
            return Agreement.AGREE_CLOUD
        return Agreement.ONLY_A_CLOUD if one in _CLOUDS else Agreement.ONLY_B_CLOUD
    return _SAME[MaskClass(one)] if one == other else Agreement.OTHER_DIFFERENCE


_TABLE = np.array(
    [[agreement_of(a, b) for b in range(CLASS_COUNT)] for a in range(CLASS_COUNT)], np.uint8
)
_FLAT = _TABLE.ravel()
_ROW = CLASS_OF * np.uint8(CLASS_COUNT)


def codes(one: Classes | int, other: Classes | int) -> NDArray[np.uint8] | int:
    """Give each pixel's place in a table of classes by classes, in reading order."""
    if isinstance(one, int) and isinstance(other, int):
        return int(_ROW[one] + CLASS_OF[other])
    mixed: NDArray[np.uint8] = _ROW[one] + CLASS_OF[other]
    return mixed


def agreement(one: Classes | int, other: Classes | int) -> Classes | int:
    """Lay two pictures of the same view over each other."""
    places = codes(one, other)
    if isinstance(places, int):
        return int(_FLAT[places])
    found: Classes = _FLAT[places]
    return found


def shown_of(names: str | None) -> frozenset[int] | None:
    """Read which kinds a client wants to see; ``None`` for all.

    Raises:
        StyleError: There is no such kind.
    """
    if names is None:
        return None
    words = [word.strip() for word in names.split(",") if word.strip()]
    unknown = [word for word in words if word not in _NAMES]
    if unknown:
        raise StyleError(f"there is no class {unknown[0][:40]!r}; there are {', '.join(_NAMES)}")
    return frozenset(_NAMES[word].value for word in words)


def only(values: Classes | int, shown: frozenset[int] | None) -> Classes | int:
    """Leave out the kinds that are not shown."""
    if shown is None:
        return values
    if isinstance(values, int):
        return values if values in shown else 0
    table = np.zeros(len(Agreement), np.uint8)
    for value in shown:
        table[value] = value
    found: Classes = table[values]
    return found
