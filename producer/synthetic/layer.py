"""A layer of cloud as it shines: what it sends back and what it lets through."""

from dataclasses import dataclass

import numpy as np

from producer.synthetic.noise import Floats

WATER_ASYMMETRY, ICE_ASYMMETRY = 0.85, 0.77
"""Mean cosine of scattering in droplets and in crystals."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of cloud; every array is (row, column)."""

    depth: Floats
    """Optical depth in visible light."""
    returned: Floats
    """Share of the light that it sends back, were its drops white: two streams."""
    glow: Floats
    """The same times how the sun strikes its top."""

    def veil(self, light: Floats, spectrum: np.float32) -> None:
        """Put the layer over what lies below: its own light, and that which goes through twice.

        Args:
            light: Reflectance of what lies below, changed in place.
            spectrum: Reflectance of endless cloud in this band.
        """
        # Between ground and cloud light goes to and fro: the sum of a geometric series.
        between = self.returned * light
        np.subtract(1, between, out=between)
        light /= between
        np.subtract(1, self.returned, out=between)
        between *= between
        light *= between
        light += np.multiply(self.glow, spectrum, out=between)


def two_streams(depth: Floats, asymmetry: float) -> Floats:
    """Give what a cloud without absorption sends back: two streams, as in Bohren (1987).

    Args:
        depth: Optical depth.
        asymmetry: Mean cosine of scattering.
    """
    scattered = depth * np.float32(1 - asymmetry)
    scattered /= scattered + 2
    return scattered
