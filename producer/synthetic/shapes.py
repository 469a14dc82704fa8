"""Where cloud is and how deep: broken cumulus, sheets of stratus, streaks of cirrus."""

import math

import numpy as np

from producer.synthetic.noise import Floats, Places, interpolated, turned
from producer.synthetic.scene import Scene

OPAQUE_DEPTH = 3.6
"""Optical depth from which a cloud counts as thick: the limit of ISCCP between thin and medium
cloud (Rossow and Schiffer 1999)."""
SEEN_DEPTH = 0.3
"""Optical depth from which anything counts as cloud: about what ISCCP finds over land."""
SHADOW_DEPTH = 2.0
"""Optical depth from which a cloud throws what counts as shadow: a third of the sun is lost."""
FULL_CELL_PX = 220.0
"""Size of groups of cumulus in a large scene."""
_DEEPEST, _DEEPEST_CIRRUS = 70.0, 3.0
_PROBES = 192
_FINEST_PX = 3.5
_STEEPNESS, _STEEPNESS_CIRRUS = 0.085, 0.2
"""Of the noise that makes clouds: how much stands between nothing and what counts."""


class Shapes:
    """Optical depth of all clouds of a scene as a function of place."""

    def __init__(self, scene: Scene) -> None:
        """Fix what holds for all blocks.

        Args:
            scene: What it shall look like.
        """
        self._seed = scene.seed * 101 + scene.sky * 10_007
        extent = max(scene.width_px, scene.height_px)
        # In a small scene all is smaller, so that it still has some of everything.
        self.cell = min(FULL_CELL_PX, max(6.0, extent / 5))
        """Size of groups of cumulus, pixels."""
        self._streak = min(300.0, max(8.0, extent / 4))
        xs = np.linspace(0, scene.width_px, _PROBES)
        ys = np.linspace(0, scene.height_px, _PROBES)
        field = self._field(self._lumps(xs, ys), self._puffs(xs, ys), self._roughness(xs, ys))
        self._opaque_from = _level(field, scene.cloud)
        self._seen_from = _level(self._streaks(xs, ys), scene.thin_cloud)

    def low(self, xs: Places, ys: Places) -> Floats:
        """Give the depth of water cloud: lumps of all sizes, the finer ones puffy."""
        if math.isinf(self._opaque_from):
            return np.zeros((len(ys), len(xs)), np.float32)
        step = max(1, int(self.cell / 28))
        depth = self._field(
            interpolated(self._lumps, xs, ys, step),
            interpolated(self._puffs, xs, ys, 1 if self.cell < FULL_CELL_PX / 2 else 2),
            interpolated(self._roughness, xs, ys, step),
        )
        depth -= np.float32(self._opaque_from)
        depth *= np.float32(1 / _STEEPNESS)
        depth += 1
        np.maximum(depth, 0, out=depth)
        depth *= np.sqrt(depth)
        return _capped(depth, OPAQUE_DEPTH, _DEEPEST)

    def high(self, xs: Places, ys: Places) -> Floats:
        """Give the depth of ice cloud."""
        if math.isinf(self._seen_from):
            return np.zeros((len(ys), len(xs)), np.float32)
        depth = interpolated(self._streaks, xs, ys, max(1, int(self._streak / 75)))
        depth -= np.float32(self._seen_from)
        depth *= np.float32(1 / _STEEPNESS_CIRRUS)
        depth += 1
        np.maximum(depth, 0, out=depth)
        depth *= depth
        return _capped(depth, SEEN_DEPTH, _DEEPEST_CIRRUS)

    @staticmethod
    def _field(lumps: Floats, puffs: Floats, rough: Floats) -> Floats:
        puffs *= rough
        lumps += puffs
        return lumps

    def _puffs(self, xs: Places, ys: Places) -> Floats:
        """Give lumps of 300 m down to 40 m, round at the top and sharp in the valleys between."""
        x, y = xs[None, :], ys[:, None]
        puffs = np.zeros((len(ys), len(xs)), np.float32)
        strength, cell, seed = 0.24, self.cell / 7, self._seed + 20
        while cell >= _FINEST_PX:
            # Each octave turned otherwise, lest folds run along rows and columns.
            x, y = 0.8 * x - 0.6 * y, 0.6 * x + 0.8 * y
            part = turned(seed, x / cell, y / cell, 1, 1)
            np.abs(part, out=part)
            part *= np.float32(strength)
            puffs += part
            strength, cell, seed = strength * 0.66, cell / 2, seed + 1
        return puffs

    def _lumps(self, xs: Places, ys: Places) -> Floats:
        seed = self._seed + 1
        x, y = xs[None, :] / self.cell, ys[:, None] / self.cell
        bend = turned(seed + 1, x, y, 1, 1)
        groups = turned(seed + 2, x / 5, y / 5, 2, 0.6)
        cumulus = turned(seed, x + bend, y - bend, 4, 0.6) + np.float32(0.45) * groups
        sheet = turned(seed + 3, x / 4, y / 4, 4, 0.5)
        waves = np.sin(2 * np.pi * (2.1 * x + 1.3 * y + 1.5 * bend)).astype(np.float32)
        sheet += np.float32(0.05) * waves + np.float32(0.05)
        cumulus += (sheet - cumulus) * self._evenness(xs, ys)
        return cumulus

    def _roughness(self, xs: Places, ys: Places) -> Floats:
        return 1 - np.float32(0.6) * self._evenness(xs, ys)

    def _evenness(self, xs: Places, ys: Places) -> Floats:
        """Tell cumulus, 0, from sheets, 1."""
        size = 9 * self.cell
        place = turned(self._seed + 5, xs[None, :] / size, ys[:, None] / size, 1, 1)
        even: Floats = np.clip(np.float32(0.35) + np.float32(3.5) * place, 0, 1)
        return even

    def _streaks(self, xs: Places, ys: Places) -> Floats:
        seed = self._seed + 50
        x, y = xs[None, :] / self._streak, ys[:, None] / self._streak
        bend = 0.8 * turned(seed + 1, x / 3, y / 3, 2, 0.5)
        along, across = 0.85 * x + 0.53 * y, 0.85 * y - 0.53 * x + bend
        where = turned(seed + 2, x / 2, y / 2, 2, 0.5)
        # Fall streaks: long along the wind of their height, fine across it.
        fibres = turned(seed + 3, along / 3, across * 1.5, 1, 1)
        for octave, finer in enumerate((4, 9, 20)):
            part = turned(seed + 4 + octave, along * finer / 10, across * finer, 1, 1)
            fibres += np.float32(0.6 ** (octave + 1)) * part
        return where + np.float32(0.6) * fibres


def _level(noise: Floats, share: float) -> float:
    """Give the value above which lies a share of the noise."""
    return math.inf if share <= 0 else float(np.quantile(noise, max(0.0, 1 - share)))


def _capped(relative: Floats, unit: float, most: float) -> Floats:
    """Turn 0, 1 and endless into depths of 0, a unit and the most there is."""
    relative *= np.float32(unit)
    relative /= (relative + np.float32(most - unit)) * np.float32(1 / most)
    return relative
