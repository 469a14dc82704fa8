import numpy as np
import pytest

from producer.kappamask.tiling import Axis, tiles


def test_a_whole_product_has_529_tiles_that_decide_each_pixel_once() -> None:
    decided = np.zeros((10980, 10980), np.uint8)
    grid = list(tiles(10980, 10980))
    for tile in grid:
        decided[tile.outside] += 1
    assert len(grid) == 529
    assert decided.min() == decided.max() == 1


@pytest.mark.parametrize("shape", [(768, 1536), (1947, 1933), (100, 481), (512, 970), (1, 1)])
def test_crops_of_any_size_are_decided_whole(shape: tuple[int, int]) -> None:
    decided = np.zeros(shape, np.uint8)
    for tile in tiles(*shape):
        decided[tile.outside] += 1
        rows, columns = tile.inside
        assert 0 <= rows.start < rows.stop <= 512
        assert 0 <= columns.start < columns.stop <= 512
    assert decided.min() == decided.max() == 1


def test_neighbours_share_32_pixels_and_each_decides_half_of_them() -> None:
    axis = Axis(10980)
    assert [(axis.owned(tile).start, axis.owned(tile).stop) for tile in (0, 1, 2, 22)] == [
        (0, 496),
        (496, 976),
        (976, 1456),
        (10576, 10980),
    ]


def test_a_tile_covers_512_256_or_85_pixels_of_a_band() -> None:
    axis = Axis(10980)
    spans = {divisor: axis.seen(22, divisor) for divisor in (1, 2, 6)}
    assert {d: (span.start, span.stop) for d, span in spans.items()} == {
        1: (10560, 11072),
        2: (5280, 5536),
        6: (1760, 1845),
    }
