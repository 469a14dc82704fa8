"""The sky over a block: layers of cloud, how the sun strikes them and what comes past them."""

import math
from dataclasses import dataclass

import numpy as np

from producer.synthetic.facts import View
from producer.synthetic.layer import ICE_ASYMMETRY, WATER_ASYMMETRY, Layer, two_streams
from producer.synthetic.noise import Floats
from producer.synthetic.scene import Scene
from producer.synthetic.shapes import FULL_CELL_PX, Shapes

# A sun at the horizon would throw shadows to the next country.
_LOWEST_SUN_DEG = 80.0
_DIFFUSE = 0.35
"""Share of the light scattered through a broken cloud that falls into its own shadow."""
_SLOPES_PX = (2, 8)
"""Distances over which a cloud's top is looked at towards the sun."""
_TOP_M = 150.0
"""Thickness of cumulus at an optical depth of 1; it grows as the root, as water with height."""


@dataclass(frozen=True, slots=True)
class Sky:
    """What is over a block, and what it takes from the ground."""

    low: Layer
    high: Layer
    sun: Floats
    """Share of the direct sun that comes down to the ground past low cloud, 0 to 1."""
    thrower: Floats
    """Optical depth of the low cloud that stands before the sun."""


class Clouds:
    """All clouds of a scene as a function of place."""

    def __init__(self, scene: Scene, view: View) -> None:
        """Fix what holds for all blocks.

        Args:
            scene: What it shall look like.
            view: Angles of the sun.
        """
        self._shapes = Shapes(scene)
        self._tilt = math.tan(math.radians(min(view.sun_zenith, _LOWEST_SUN_DEG)))
        azimuth = math.radians(view.sun_azimuth)
        self._sunward = math.sin(azimuth), -math.cos(azimuth)
        self.shift = self._towards_sun(scene.cloud_height_m * self._tilt / 10)
        """Columns and rows from a shadow to the cloud that throws it."""

    def over(self, rows: slice, columns: slice) -> Sky:
        """Compute a part."""
        sunward = [self._towards_sun(step) for step in _SLOPES_PX]
        apart = abs(self.shift[1]) > rows.stop - rows.start
        # Mostly the cloud before the sun is near, and one computation serves both.
        reach = sunward if apart else [self.shift, *sunward]
        patch = _Patch(rows, columns, reach)
        depth = self._shapes.low(*patch.places)
        low, thrower = patch.cut(depth), patch.cut(depth, None if apart else self.shift)
        if apart:
            thrower = self._shapes.low(*_Patch(rows, columns, [], self.shift).places)
        returned = two_streams(low, WATER_ASYMMETRY)
        glow = self._shade(np.sqrt(depth), patch, sunward)
        glow *= returned
        high = self._shapes.high(*patch.own)
        bright = two_streams(high, ICE_ASYMMETRY)
        return Sky(
            Layer(low, returned, glow), Layer(high, bright, bright), self._past(thrower), thrower
        )

    def _towards_sun(self, pixels: float) -> tuple[int, int]:
        across, down = self._sunward
        return round(pixels * across), round(pixels * down)

    def _shade(self, top: Floats, patch: "_Patch", sunward: list[tuple[int, int]]) -> Floats:
        """Tell how the sun strikes a top, 1 if level."""
        own = patch.cut(top)
        slope = np.zeros_like(own)
        for pixels, offset in zip(_SLOPES_PX, sunward, strict=True):
            scale = _TOP_M * self._tilt / (10 * pixels * len(_SLOPES_PX))
            part = own - patch.cut(top, offset)
            part *= np.float32(scale * self._shapes.cell / FULL_CELL_PX)
            slope += part
        size = np.abs(slope)
        slope *= np.float32(0.45)
        slope -= np.float32(0.12) * size
        size += 1
        slope /= size
        slope += 1
        return slope

    def _past(self, thrower: Floats) -> Floats:
        """Give the share of the sun past a cloud: straight or nearly, and some of the scattered.

        Drops scatter mostly forwards; scaled by 1 - g^2 the rest is what is lost (Joseph,
        Wiscombe and Weinman 1976).
        """
        slant = math.sqrt(1 + self._tilt**2)
        straight: Floats = np.exp(thrower * np.float32(-(1 - WATER_ASYMMETRY**2) * slant))
        through = 1 - two_streams(thrower, WATER_ASYMMETRY)
        straight *= np.float32(1 - _DIFFUSE)
        through *= np.float32(_DIFFUSE)
        straight += through
        np.minimum(straight, 1, out=straight)
        return straight


class _Patch:
    """A block and as much beside it as is asked for, towards one side."""

    def __init__(
        self,
        rows: slice,
        columns: slice,
        reach: list[tuple[int, int]],
        moved: tuple[int, int] = (0, 0),
    ) -> None:
        across = [0, *(step[0] for step in reach)]
        down = [0, *(step[1] for step in reach)]
        self._left, self._top = -min(across), -min(down)
        self._shape = rows.stop - rows.start, columns.stop - columns.start
        xs = np.arange(columns.start + min(across), columns.stop + max(across)) + moved[0] + 0.5
        ys = np.arange(rows.start + min(down), rows.stop + max(down)) + moved[1] + 0.5
        self.places = xs, ys
        height, width = self._shape
        self.own = xs[self._left : self._left + width], ys[self._top : self._top + height]

    def cut(self, values: Floats, offset: tuple[int, int] | None = None) -> Floats:
        """Take the block, or the part that lies beside it by columns and rows."""
        across, down = offset or (0, 0)
        top, left = self._top + down, self._left + across
        height, width = self._shape
        return values[top : top + height, left : left + width]
