"""A landscape under clouds, computed by blocks: what is where, and how bright it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producer.classes import MaskClass
from producer.synthetic.clouds import Clouds, Sky
from producer.synthetic.facts import View
from producer.synthetic.ground import VARIANTS, Ground
from producer.synthetic.noise import Floats, Places
from producer.synthetic.scene import Scene
from producer.synthetic.shapes import OPAQUE_DEPTH, SEEN_DEPTH, SHADOW_DEPTH
from producer.synthetic.spectra import CIRRUS, CLEAR_AIR, CLOUD, HAZE, SKYLIGHT

_EDGE_SLOPE = -0.2
"""Columns by which the swath's edge moves a row: the track is tilted by about 11 degrees."""
_BLUR = 0.25
"""Of each unit of a cloud's depth: how the contrast of what is below fades in forward scatter."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the scene on the 10 m grid; every array is (row, column)."""

    truth: NDArray[np.uint8]
    """Values of ``MaskClass``."""
    kinds: NDArray[np.uint8]
    """Rows of the palette."""
    palette: Floats
    """(kind, band) reflectance of the surface."""
    texture: Floats
    """Factor of the ground's brightness, near 1."""
    sky: Sky
    sharp: Floats
    """Contrast with which the ground is seen through low cloud, 0 to 1."""

    @property
    def cover(self) -> NDArray[np.uint8]:
        """Values of ``Cover``."""
        return self.kinds // np.uint8(VARIANTS)

    def reflectance(self, band: int, level: str) -> Floats:
        """Give one band's reflectance by its ``band_id``, everywhere, no data or not."""
        light: Floats = self.palette[:, band].take(self.kinds)
        light *= self.texture
        sun = self.sky.sun * (1 - SKYLIGHT[band])
        sun += SKYLIGHT[band]
        light *= sun
        mean = self.palette[:, band].mean()
        light -= mean
        light *= self.sharp
        light += mean
        if level == "L1C":
            light *= CLEAR_AIR[band]
            light += HAZE[band]
        self.sky.low.veil(light, CLOUD[band])
        self.sky.high.veil(light, CIRRUS[band])
        return light


class Landscape:
    """The whole scene as a function of place."""

    def __init__(self, scene: Scene, view: View) -> None:
        """Fix what holds for all blocks.

        Args:
            scene: What it shall look like.
            view: Angles of the sun.
        """
        self._scene = scene
        self._ground = Ground(scene)
        self._clouds = Clouds(scene, view)

    def block(self, rows: slice, columns: slice) -> Block:
        """Compute a part, which may reach over the edge of the scene."""
        xs = np.arange(columns.start, columns.stop) + 0.5
        ys = np.arange(rows.start, rows.stop) + 0.5
        sky = self._clouds.over(rows, columns)
        kinds, texture = self._ground.kinds(xs, ys)
        depth = sky.low.depth + sky.high.depth
        truth = np.full(depth.shape, MaskClass.CLEAR, np.uint8)
        truth[sky.thrower >= SHADOW_DEPTH] = MaskClass.CLOUD_SHADOW
        truth[depth >= SEEN_DEPTH] = MaskClass.SEMI_TRANSPARENT
        truth[depth >= OPAQUE_DEPTH] = MaskClass.CLOUD
        if self._scene.swath < 1:
            truth[xs[None, :] > self.edge(ys)[:, None]] = MaskClass.NO_DATA
        sharp = np.exp(sky.low.depth * np.float32(-_BLUR))
        return Block(truth, kinds, self._ground.palette, texture, sky, sharp)

    def edge(self, ys: Places) -> Places:
        """Give the column at which data end in each row; only for a swath under 1."""
        middle = self._scene.height_px / 2
        edge: Places = self._scene.swath * self._scene.width_px + _EDGE_SLOPE * (ys - middle)
        return edge
