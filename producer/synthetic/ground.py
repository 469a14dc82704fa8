"""The ground: fields, woods, waters and towns, and how bright they are in their season."""

import math
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from producer.synthetic.noise import Floats, Places, hashed, interpolated, smooth, turned
from producer.synthetic.scene import Scene
from producer.synthetic.spectra import GROUND, Cover

VARIANTS = 16
"""Kinds of each cover: crops, ages of wood, depths of water."""
_TABLE = 128
"""Fields, by row and column, after which the pattern repeats."""
_BANDS = "CDEFGHJKLMNPQRSTUVWX"
"""Of latitude in MGRS, 8 degrees each, from 80 degrees south."""
_COLDEST_DAY = 20
_YEAR_DAYS = 365.25
# Of noise with a deviation of about 0.25 around 0: a quarter wood, a twentieth water.
_WOOD_ABOVE, _TOWN_ABOVE, _PIT_BELOW, _WATER_BELOW, _RIVER = 0.14, 0.42, -0.5, -0.36, 0.004
_JOINED = 0.4
_LANE = 0.03
"""Half the share of a field that its lanes and hedges take, one side."""
_SPREAD = np.array([0.15, 0.12, 0.16, 0.2, 0.28, 0.15, 0.22])
"""Deviation of brightness between the variants of each cover."""
_GRAIN = np.array([0.04, 0.24, 0.2, 0.18, 0.18, 0.15, 0.34], np.float32)
"""How much each cover changes from pixel to pixel: crowns and roofs most, water least."""


class Ground:
    """All the ground of a scene as a function of place."""

    def __init__(self, scene: Scene) -> None:
        """Fix what holds for all blocks.

        Args:
            scene: What it shall look like.
        """
        self._seed = scene.seed * 101
        extent = max(scene.width_px, scene.height_px)
        # In a small scene all is smaller, so that it still has some of everything.
        self._cell = min(400.0, max(8.0, extent / 3))
        self._field = min(36.0, max(3.0, extent / 20))
        latitude = 8 * _BANDS.index(scene.product.tile[2]) - 76
        summer = summerness(scene.sensed or scene.product.sensed, latitude)
        self.palette = _palette(summer)
        """(kind, band) reflectance; kinds are ``Cover`` times 16 plus a variant."""
        self._crops = self._fields(summer)
        table = np.arange(_TABLE)
        self._bricks = hashed(self._seed + 13, table, table)
        self._grain = hashed(self._seed + 8, table[None, :], table[:, None]) - np.float32(0.5)

    def kinds(self, xs: Places, ys: Places) -> tuple[NDArray[np.uint8], Floats]:
        """Give what lies where.

        Returns:
            (row, column) rows of the palette, and factors of their brightness, near 1.
        """
        step = max(1, int(self._cell / 64))
        wood = interpolated(self._woods, xs, ys, step)
        water = interpolated(self._waters, xs, ys, step)
        town = interpolated(self._towns, xs, ys, step)
        stand = smooth(self._seed + 9, xs, ys, self._cell / 6)
        variant = (stand * np.float32(VARIANTS)).astype(np.uint8)
        kinds = self._crop(xs, ys)
        for cover, found in (
            (Cover.FOREST, wood > _WOOD_ABOVE),
            (Cover.TOWN, town > _TOWN_ABOVE),
            (Cover.SAND, town < _PIT_BELOW),
            (Cover.WATER, (water < _WATER_BELOW) | (np.abs(water) < _RIVER)),
        ):
            np.copyto(kinds, variant + np.uint8(cover * VARIANTS), where=found)
        return kinds, self._texture(xs, ys, kinds)

    def _texture(self, xs: Places, ys: Places, kinds: NDArray[np.uint8]) -> Floats:
        """Vary the ground at 100, 40 and 10 m, each cover as much as it does."""
        fine = smooth(self._seed + 10, xs, ys, 9.7)
        fine += smooth(self._seed + 11, xs, ys, 3.9)
        fine -= 1
        column = np.floor(xs).astype(np.int64)
        row = np.floor(ys).astype(np.int64)
        # Two tables of which each repeats, but not together.
        fine += self._grain.take(row % 127, axis=0).take(column % 113, axis=1)
        fine += self._grain.take(row % 101, axis=0).take(column % 109, axis=1)
        fine *= _GRAIN.repeat(VARIANTS).take(kinds)
        fine += 1
        return fine

    def _crop(self, xs: Places, ys: Places) -> NDArray[np.uint8]:
        bend = np.float32(110 / self._field) * interpolated(self._bends, xs, ys, 8)
        across = (xs / self._field * 0.94).astype(np.float32)[None, :] + bend
        across += (ys / self._field * 0.34).astype(np.float32)[:, None]
        along = (ys / self._field * 0.7).astype(np.float32)[:, None] + bend
        along -= (xs / self._field * 0.25).astype(np.float32)[None, :]
        column = np.floor(across)
        # Like bricks, for fields meet at three corners more often than at four.
        along += self._bricks.take(np.mod(column, _TABLE).astype(np.int32))
        row = np.floor(along)
        across -= column
        along -= row
        where = np.mod(row, _TABLE) * _TABLE + np.mod(column, _TABLE)
        kinds = self._crops.take(where.astype(np.int32))
        np.copyto(kinds, np.uint8(Cover.FOREST * VARIANTS + 9), where=across < _LANE)
        np.copyto(kinds, np.uint8(Cover.DRY_FIELD * VARIANTS + 8), where=along < _LANE * 0.7)
        return kinds

    def _fields(self, summer: float) -> NDArray[np.uint8]:
        """Sow: in summer half is green, in winter less than a third."""
        place = np.arange(_TABLE)
        crop = hashed(self._seed + 4, place[None, :], place[:, None])
        variant = hashed(self._seed + 14, place[None, :], place[:, None]) * VARIANTS
        green = 0.28 + 0.25 * summer
        cover = np.select(
            [crop < green, crop < green + 0.25],
            [Cover.GREEN_FIELD, Cover.DRY_FIELD],
            Cover.BARE_FIELD,
        )
        sown = (cover * VARIANTS + variant.astype(np.int64)).astype(np.uint8)
        # Some go with their neighbour, so that not all are of one size.
        joined = hashed(self._seed + 16, place[None, :], place[:, None]) < _JOINED
        return np.where(joined, np.roll(sown, 1, axis=0), sown).ravel()

    def _woods(self, xs: Places, ys: Places) -> Floats:
        size = self._cell / 2
        return turned(self._seed + 5, xs[None, :] / size, ys[:, None] / size, 5, 0.6)

    def _towns(self, xs: Places, ys: Places) -> Floats:
        size = self._cell / 2
        return turned(self._seed + 6, xs[None, :] / size, ys[:, None] / size, 4, 0.6)

    def _waters(self, xs: Places, ys: Places) -> Floats:
        return turned(self._seed + 7, xs[None, :] / self._cell, ys[:, None] / self._cell, 4, 0.5)

    def _bends(self, xs: Places, ys: Places) -> Floats:
        return smooth(self._seed + 3, xs, ys, self._cell)


def summerness(when: datetime, latitude: float) -> float:
    """Give 0 for the depth of winter to 1 for the height of summer; the tropics have neither."""
    turn = 2 * math.pi * (when.timetuple().tm_yday - _COLDEST_DAY) / _YEAR_DAYS
    strength = min(1.0, abs(latitude) / 35) * math.copysign(1, latitude)
    return 0.5 - 0.5 * strength * math.cos(turn)


def _palette(summer: float) -> Floats:
    """Mix spectra: leaves thin out towards winter, and no two fields are alike."""
    numbers = np.arange(VARIANTS)
    rank = (numbers + 0.5) / VARIANTS - 0.5
    bright = 1 + _SPREAD[:, None] * math.sqrt(12) * rank
    # Leaves in another order than brightness, lest the dark fields be the green ones.
    leaves = np.clip(0.35 + 0.65 * summer + 0.4 * rank[numbers * 7 % VARIANTS], 0, 1)
    full = GROUND.copy()
    full[Cover.FOREST] = (GROUND[Cover.FOREST] + GROUND[Cover.GREEN_FIELD]) / 2
    mixed = np.repeat(full[:, None, :], VARIANTS, axis=1).astype(np.float64)
    bare = GROUND[Cover.BARE_FIELD]
    for cover, dead in (
        (Cover.GREEN_FIELD, bare),
        (Cover.DRY_FIELD, bare),
        (Cover.FOREST, 0.8 * GROUND[Cover.FOREST]),
    ):
        share = (np.sort(leaves) if cover == Cover.FOREST else leaves)[:, None]
        mixed[cover] = share * mixed[cover] + (1 - share) * dead
    mixed *= bright[:, :, None]
    return mixed.reshape(-1, GROUND.shape[1]).astype(np.float32)
