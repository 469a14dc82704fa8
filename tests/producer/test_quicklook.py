"""Previews and thumbnails, against brute force."""

from collections import Counter

import numpy as np
import pytest

from producer.classes import MaskClass
from producer.grid import Grid
from producer.quicklook import preview_grid, stretch, thumbnail


@pytest.mark.parametrize(
    ("shape", "resolution_m", "coarse"),
    [
        ((10980, 10980), 60, (1830, 1830)),
        ((768, 1536), 10, (768, 1536)),
        ((1947, 1933), 20, (973, 966)),
    ],
)
def test_a_preview_has_sixty_metre_pixels_of_a_tile_and_all_of_a_crop(
    shape: tuple[int, int], resolution_m: float, coarse: tuple[int, int]
) -> None:
    grid = preview_grid(Grid(32633, 1, 2, 10, shape[1], shape[0]))
    assert (grid.resolution_m, grid.shape, grid.x_m, grid.y_m) == (resolution_m, coarse, 1, 2)


def test_a_thumbnail_pixel_is_the_commonest_class_of_its_block() -> None:
    mask = np.random.default_rng(3).integers(0, 6, (103, 61), np.uint8)
    small = thumbnail(mask, edge_px=11)
    assert small.shape == (11, 7)
    for row in range(11):
        for column in range(7):
            counts = Counter(mask[row * 10 : row * 10 + 10, column * 10 : column * 10 + 10].flat)
            most = max(counts.values())
            assert small[row, column] == min(value for value in counts if counts[value] == most)


def test_a_mask_that_is_small_already_is_its_own_thumbnail() -> None:
    mask = np.full((20, 512), MaskClass.CLOUD, np.uint8)
    assert np.array_equal(thumbnail(mask), mask)


def test_brightness_rises_with_reflectance_and_cloud_is_not_burnt() -> None:
    ramp = np.linspace(0, 1, 1001, dtype=np.float32)
    brightness, valid = stretch(np.broadcast_to(ramp, (3, 1, 1001)))
    assert valid.all()
    assert np.all(np.diff(brightness[0, 0].astype(int)) >= 0)
    assert brightness[0, 0, 100] > 90
    # Cloud of 0.6 and of 0.8 can still be told apart.
    assert brightness[0, 0, 800] - brightness[0, 0, 600] >= 8


def test_haze_is_taken_off_but_an_overcast_scene_stays_bright() -> None:
    hazy = np.tile(np.array([0.05, 0.07, 0.11], np.float32)[:, None, None], (1, 9, 9))
    assert stretch(hazy)[0].max() < 60
    overcast = np.full((3, 9, 9), 0.6, np.float32)
    assert stretch(overcast)[0].min() > 200


def test_a_pixel_that_lacks_one_band_is_transparent() -> None:
    reflectance = np.full((3, 2, 2), 0.2, np.float32)
    reflectance[1, 0, 0] = np.nan
    brightness, valid = stretch(reflectance)
    assert valid.tolist() == [[False, True], [True, True]]
    assert brightness[:, 0, 0].tolist() == [0, 0, 0]


def test_a_scene_without_any_data_is_all_transparent() -> None:
    brightness, valid = stretch(np.full((3, 4, 4), np.nan, np.float32))
    assert not valid.any()
    assert not brightness.any()
