"""A landscape under clouds, computed by blocks: what is where, and how bright it is."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producer.classes import MaskClass
from producer.synthetic.facts import View
from producer.synthetic.noise import Floats, Places, fractal, hashed, smooth
from producer.synthetic.scene import Scene
from producer.synthetic.spectra import (
    CIRRUS,
    CLEAR_AIR,
    CLOUD,
    GROUND,
    HAZE,
    SKYLIGHT,
    Cover,
)

THICK = 0.6
"""Opacity from which a cloud counts as thick."""
THIN = 0.15
"""Opacity from which anything counts as cloud."""
_SHADOW = 0.5
_PROBES = 192
# Of noise that lies mostly near 0.5: about a third forest, a tenth water, some of the others.
_FOREST_ABOVE, _TOWN_ABOVE, _SAND_BELOW, _WATER_BELOW = 0.56, 0.68, 0.27, 0.36
# A sun at the horizon would throw shadows to the next country.
_LOWEST_SUN_DEG = 80.0
_EDGE_SLOPE = -0.2
"""Columns by which the swath's edge moves a row: the track is tilted by about 11 degrees."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the scene on the 10 m grid; every array is (row, column)."""

    truth: NDArray[np.uint8]
    """Values of ``MaskClass``."""
    cover: NDArray[np.uint8]
    """Values of ``Cover``."""
    texture: Floats
    """Factor of the ground's brightness, near 1."""
    thick: Floats
    """Opacity of low cloud, 0 to 1."""
    thin: Floats
    """Opacity of high cloud, 0 to 1."""
    shadow: Floats
    """Share of the sun that low cloud takes away, 0 to 1."""

    def reflectance(self, band: int, level: str) -> Floats:
        """Give one band's reflectance by its ``band_id``, everywhere, no data or not."""
        light = GROUND[:, band].take(self.cover)
        light *= self.texture
        light *= 1 - self.shadow * (1 - SKYLIGHT[band])
        if level == "L1C":
            light *= CLEAR_AIR[band]
            light += HAZE[band]
        light += self.thick * (CLOUD[band] * (0.6 + 0.4 * self.thick) - light)
        light += self.thin * (CIRRUS[band] - light)
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
        extent = max(scene.width_px, scene.height_px)
        # In a small scene all is smaller, so that it still has some of everything.
        self._thick_cell = min(220.0, max(6.0, extent / 5))
        self._thin_cell = min(600.0, max(10.0, extent / 2))
        self._land_cell = min(400.0, max(8.0, extent / 3))
        self._field = min(30.0, max(3.0, extent / 20))
        tilt = math.tan(math.radians(min(view.sun_zenith, _LOWEST_SUN_DEG)))
        reach = scene.cloud_height_m * tilt / 10
        azimuth = math.radians(view.sun_azimuth)
        self.shift = (round(reach * math.sin(azimuth)), round(-reach * math.cos(azimuth)))
        """Columns and rows from a shadow to the cloud that throws it."""
        xs = np.linspace(0, scene.width_px, _PROBES)
        ys = np.linspace(0, scene.height_px, _PROBES)
        self._thick_from = _level(self._thick_noise(xs, ys), scene.cloud)
        self._thin_from = _level(self._thin_noise(xs, ys), scene.thin_cloud)

    def block(self, rows: slice, columns: slice) -> Block:
        """Compute a part, which may reach over the edge of the scene."""
        xs = np.arange(columns.start, columns.stop) + 0.5
        ys = np.arange(rows.start, rows.stop) + 0.5
        thick = self._thick(xs, ys)
        thin = _opacity(self._thin_noise(xs, ys), self._thin_from, 0.12) * np.float32(0.55)
        shadow = self._thick(xs + self.shift[0], ys + self.shift[1])
        cover, texture = self._land(xs, ys)
        truth = np.full(thick.shape, MaskClass.CLEAR, np.uint8)
        truth[shadow >= _SHADOW] = MaskClass.CLOUD_SHADOW
        truth[(thick >= THIN) | (thin >= THIN)] = MaskClass.SEMI_TRANSPARENT
        truth[thick >= THICK] = MaskClass.CLOUD
        if self._scene.swath < 1:
            truth[xs[None, :] > self.edge(ys)[:, None]] = MaskClass.NO_DATA
        return Block(truth, cover, texture, thick, thin, shadow)

    def edge(self, ys: Places) -> Places:
        """Give the column at which data end in each row; only for a swath under 1."""
        middle = self._scene.height_px / 2
        edge: Places = self._scene.swath * self._scene.width_px + _EDGE_SLOPE * (ys - middle)
        return edge

    def _thick(self, xs: Places, ys: Places) -> Floats:
        return _opacity(self._thick_noise(xs, ys), self._thick_from, 0.05)

    def _thick_noise(self, xs: Places, ys: Places) -> Floats:
        return fractal(self._scene.seed * 101 + 1, xs, ys, self._thick_cell, 5)

    def _thin_noise(self, xs: Places, ys: Places) -> Floats:
        # Stretched: high cloud comes in bands.
        return fractal(self._scene.seed * 101 + 2, xs, ys * 2.5, self._thin_cell, 3)

    def _land(self, xs: Places, ys: Places) -> tuple[NDArray[np.uint8], Floats]:
        seed, cell = self._scene.seed * 101, self._land_cell
        bend = 40 * smooth(seed + 3, xs, ys, cell)
        across = np.floor((xs[None, :] * 0.94 + ys[:, None] * 0.34 + bend) / self._field)
        along = np.floor((ys[:, None] * 0.94 - xs[None, :] * 0.34 + bend) / (self._field * 1.5))
        field = hashed(seed + 4, across.astype(np.int64), along.astype(np.int64))
        kinds = np.array([Cover.GREEN_FIELD, Cover.DRY_FIELD, Cover.BARE_FIELD], np.uint8)
        cover = kinds.take((field * len(kinds)).astype(np.intp))
        cover[fractal(seed + 5, xs, ys, cell / 2, 4) > _FOREST_ABOVE] = Cover.FOREST
        built = fractal(seed + 6, xs, ys, cell / 2, 3)
        cover[built > _TOWN_ABOVE] = Cover.TOWN
        cover[built < _SAND_BELOW] = Cover.SAND
        cover[fractal(seed + 7, xs, ys, cell, 4) < _WATER_BELOW] = Cover.WATER
        grain = hashed(
            seed + 8, np.floor(xs).astype(np.int64)[None, :], np.floor(ys).astype(np.int64)[:, None]
        )
        texture = 0.9 + 0.1 * grain + 0.1 * np.modf(field * 31)[0]
        return cover, texture.astype(np.float32, copy=False)


def _level(noise: Floats, share: float) -> float:
    """Give the value above which lies a share of the noise."""
    return math.inf if share <= 0 else float(np.quantile(noise, max(0.0, 1 - share)))


def _opacity(noise: Floats, level: float, width: float) -> Floats:
    """Rise from 0 to 1 over a width around a level, at which a cloud counts as thick."""
    if math.isinf(level):
        return np.zeros_like(noise)
    opacity: Floats = np.clip(
        (noise - np.float32(level)) / np.float32(width) + np.float32(THICK), 0, 1
    )
    return opacity
