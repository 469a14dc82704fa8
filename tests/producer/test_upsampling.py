"""Classes between coarse pixels, against SciPy's interpolation."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from producer.upsampling import likeliest


@pytest.mark.parametrize("size", [(300, 41), (1, 7)])
def test_the_class_is_the_likeliest_after_bilinear_interpolation(size: tuple[int, int]) -> None:
    probabilities = np.random.default_rng(1).random((3, *size), np.float32)
    shape = (size[0] * 3 - 1, size[1] * 3 - 2)
    places = [(np.arange(length) + 0.5) / 3 - 0.5 for length in shape]
    rows, columns = np.meshgrid(*places, indexing="ij")
    fine = np.stack(
        [
            map_coordinates(layer, [rows, columns], order=1, mode="reflect")
            for layer in probabilities
        ]
    )
    classes = likeliest(probabilities, 3, shape)
    assert classes.shape == shape
    # Where two classes are equally likely but for rounding, either is right.
    second, first = np.sort(fine, axis=0)[1:]
    clear = first - second > 1e-5
    assert clear.mean() > 0.99
    assert np.array_equal(classes[clear], fine.argmax(axis=0)[clear])
