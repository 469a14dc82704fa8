import math

import numpy as np
import pytest

from producer.kappamask.digital_numbers import decoding, normalisation, truncation
from producer.kappamask.resampling import enlarge, weights
from producer.kappamask.spectra import spectrum
from producer.options import Mode


@pytest.mark.parametrize("length", [256, 85])
def test_weights_are_those_of_a_blackman_windowed_sinc_cut_at_the_edges(length: int) -> None:
    matrix = weights(length)
    ratio = 512 / length
    for row in (0, 1, 7, 100, 255, 256, 300, 505, 511):
        centre = (row + 0.5) / ratio
        first, last = int(max(centre - 3.5, 0)), int(min(centre + 4.5, length))
        taps = {}
        for source in range(first, last):
            t = source - centre + 0.5
            sinc = math.sin(math.pi * t) / (math.pi * t) if t else 1.0
            taps[source] = sinc * (
                0.42 + 0.5 * math.cos(math.pi * t / 4) + 0.08 * math.cos(math.pi * t / 2)
            )
        total = sum(taps.values())
        wanted = np.array([taps.get(source, 0.0) / total for source in range(length)])
        np.testing.assert_allclose(matrix[row], wanted, atol=1e-14)


@pytest.mark.parametrize("length", [256, 85])
def test_a_tile_is_enlarged_down_first_and_rounded_after_each_pass(length: int) -> None:
    tile = np.random.default_rng(1).integers(0, 65536, (length, length), dtype=np.uint16)
    matrix = weights(length)
    down = np.floor(np.clip(matrix @ tile, 0, 65535) + 0.5)
    wanted = np.floor(np.clip(down @ matrix.T, 0, 65535) + 0.5)
    assert np.array_equal(enlarge(tile), wanted)


def test_an_even_tile_stays_even() -> None:
    assert np.unique(enlarge(np.full((85, 85), 1234, np.uint16))).tolist() == [1234]


def test_digital_numbers_lose_one_where_their_float_falls_short() -> None:
    table = truncation()
    numbers = np.arange(65536)
    lost = numbers - table
    assert set(lost.tolist()) == {0, 1}
    assert table[0] == 0
    assert lost.mean() == pytest.approx(0.51, abs=0.01)
    assert lost[:1000].mean() == pytest.approx(0.75, abs=0.01)


def test_an_offset_taken_off_gives_what_the_product_without_it_gives() -> None:
    old = np.arange(1, 20000)
    harmonised = decoding(Mode.HARMONISED, -1000)
    assert np.array_equal(harmonised[old + 1000], decoding(Mode.HARMONISED, 0)[old])
    assert harmonised[0] == 0
    assert not harmonised[:1001].any()


def test_full_scale_is_the_maximum_of_the_training_set() -> None:
    bands = spectrum("L1C", "deeplabv3plus")
    table = normalisation(bands, Mode.HARMONISED, {})
    assert table.shape == (13, 65536)
    b10 = bands.bands.index("B10")
    wanted = float(np.float32(3000) / np.float32(65535)) / 0.0799115002155304
    assert table[b10, 3000] == np.float32(wanted)
    assert table[b10, 65535] > 12


def test_legacy_takes_the_offset_off_once_below_and_twice_above() -> None:
    bands = spectrum("L1C", "deeplabv3plus")
    offsets = dict.fromkeys(bands.bands, -1000)
    table = normalisation(bands, Mode.LEGACY, offsets)
    maximum = bands.maxima[0]
    wanted = (float(np.float32(5000) / np.float32(65535)) - 1000 / 65535) / (maximum - 2000 / 65535)
    assert table[0, 5000] == np.float32(wanted)
    assert table[0, 900] == 0
    gain = (
        maximum / (maximum - 2000 / 65535),
        bands.maxima[10] / (bands.maxima[10] - 2000 / 65535),
    )
    assert gain == (pytest.approx(1.17, abs=0.01), pytest.approx(1.62, abs=0.01))


def test_legacy_never_sees_the_offsets_of_level_2a() -> None:
    bands = spectrum("L2A", "deeplabv3plus")
    offsets = dict.fromkeys(bands.bands, -1000)
    assert np.array_equal(
        normalisation(bands, Mode.LEGACY, offsets), normalisation(bands, Mode.LEGACY, {})
    )
    assert np.array_equal(decoding(Mode.LEGACY, -1000), truncation())
