"""Tapers and mirrored edges."""

import numpy as np
import pytest

from producer.patches import mirrored, taper


@pytest.mark.parametrize(("size_px", "overlap_px"), [(256, 52), (8, 4), (8, 1), (8, 0)])
def test_overlapping_tapers_add_up_to_one(size_px: int, overlap_px: int) -> None:
    step = size_px - overlap_px
    total = np.zeros((size_px + 2 * step,) * 2)
    for top in (0, step, 2 * step):
        for left in (0, step, 2 * step):
            total[top : top + size_px, left : left + size_px] += taper(size_px, overlap_px)
    inside = slice(overlap_px, total.shape[0] - overlap_px)
    assert np.allclose(total[inside, inside], 1)
    assert taper(size_px, overlap_px).min() > 0


def test_an_overlap_that_leaves_no_pixel_to_one_patch_is_refused() -> None:
    with pytest.raises(ValueError, match="129 px in a patch of 256 px"):
        taper(256, 129)


@pytest.mark.parametrize("length", [1, 2, 5, 40])
def test_a_line_goes_on_as_numpy_pads_symmetrically(length: int) -> None:
    padded = np.pad(np.arange(length), (13, 17), mode="symmetric")
    assert mirrored(-13, length + 17, length).tolist() == padded.tolist()
