"""The classes of a mask: the one list of values, names, titles and colours."""

from dataclasses import dataclass
from enum import IntEnum


class MaskClass(IntEnum):
    """A pixel of a mask; the values are KappaMask's own TIFF codes."""

    NO_DATA = 0
    """Outside the product, or never asked for."""
    CLEAR = 1
    CLOUD_SHADOW = 2
    SEMI_TRANSPARENT = 3
    CLOUD = 4
    MISSING = 5
    """Inside the product, but nothing can be said of it."""


RGBA = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """How one class is called and drawn."""

    value: MaskClass
    name: str
    """Lower-case identifier, as in ``classes=cloud,cloud_shadow``."""
    title: str
    """What a legend says."""
    color: RGBA
    """Red, green, blue and opacity, 0 to 255."""

    @property
    def hex(self) -> str:
        """Colour as six upper-case hexadecimal digits, the form that STAC wants."""
        return "{:02X}{:02X}{:02X}".format(*self.color[:3])


CLASSES: tuple[ClassInfo, ...] = (
    ClassInfo(MaskClass.NO_DATA, "no_data", "No data", (0, 0, 0, 0)),
    ClassInfo(MaskClass.CLEAR, "clear", "Clear", (102, 166, 30, 70)),
    ClassInfo(MaskClass.CLOUD_SHADOW, "cloud_shadow", "Cloud shadow", (73, 60, 118, 220)),
    ClassInfo(
        MaskClass.SEMI_TRANSPARENT,
        "semi_transparent",
        "Semi-transparent cloud",
        (120, 190, 230, 210),
    ),
    ClassInfo(MaskClass.CLOUD, "cloud", "Cloud", (255, 255, 255, 235)),
    ClassInfo(MaskClass.MISSING, "missing", "Missing or invalid", (214, 69, 65, 200)),
)
"""Every class, in the order of its value."""

VALID_CLASSES: tuple[MaskClass, ...] = (
    MaskClass.CLEAR,
    MaskClass.CLOUD_SHADOW,
    MaskClass.SEMI_TRANSPARENT,
    MaskClass.CLOUD,
)
"""The classes that say something about the sky; shares of a mask are taken over these."""
