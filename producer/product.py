"""Sentinel-2 product names, the identity that every later stage carries."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from producer.errors import ProductNameError

_NAME = re.compile(
    r"(?P<platform>S2[A-D])_MSI(?P<level>L1C|L2A)_(?P<sensed>\d{8}T\d{6})"
    r"_N(?P<baseline>\d{4})_R(?P<orbit>\d{3})_T(?P<tile>\d{2}[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V])"
    r"_(?P<discriminator>\d{8}T\d{6})(\.SAFE)?(\.zip)?"
)
_ORBITS = range(1, 144)
_ZONES = range(1, 61)


@dataclass(frozen=True, slots=True)
class ProductName:
    """A compact product name, as given to products since December 2016."""

    platform: str
    """``S2A`` to ``S2D``."""
    level: str
    """``L1C`` or ``L2A``."""
    sensed: datetime
    """Start of the datatake, UTC."""
    baseline: str
    """Processing baseline as four digits, such as ``0204``."""
    orbit: int
    """Relative orbit, 1 to 143."""
    tile: str
    """MGRS tile without its ``T``, such as ``35VLF``."""
    discriminator: str
    """Tells apart products of one datatake and tile; no time to rely on."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name, with or without its ``.SAFE`` or ``.SAFE.zip``.

        Raises:
            ProductNameError: The text is no L1C or L2A product name.
        """
        match = _NAME.fullmatch(text)
        if match is None:
            raise ProductNameError(text)
        try:
            sensed = datetime.strptime(match["sensed"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        except ValueError as error:
            raise ProductNameError(text, f"{match['sensed']} is no time") from error
        if int(match["orbit"]) not in _ORBITS:
            raise ProductNameError(text, f"relative orbit R{match['orbit']} is not in 1 to 143")
        if int(match["tile"][:2]) not in _ZONES:
            raise ProductNameError(text, f"tile T{match['tile']} is in no UTM zone")
        return cls(
            platform=match["platform"],
            level=match["level"],
            sensed=sensed,
            baseline=match["baseline"],
            orbit=int(match["orbit"]),
            tile=match["tile"],
            discriminator=match["discriminator"],
        )

    def __str__(self) -> str:
        return (
            f"{self.platform}_MSI{self.level}_{self.sensed:%Y%m%dT%H%M%S}"
            f"_N{self.baseline}_R{self.orbit:03}_T{self.tile}_{self.discriminator}"
        )
