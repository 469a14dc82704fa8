import pytest
import torch
from torch import nn

from producer.kappamask.layers import MirroredPad
from producer.kappamask.winograd import WinogradConvolution


@pytest.mark.parametrize(
    ("size", "dilation"), [(128, 1), (32, 6), (32, 12), (32, 18), (30, 1), (17, 5)]
)
def test_fewer_products_give_the_sums_of_a_plain_convolution(size: int, dilation: int) -> None:
    torch.manual_seed(size + dilation)
    convolution = nn.Conv2d(24, 8, 3, dilation=dilation)
    images = torch.randn(2, 24, size, size)
    with torch.inference_mode():
        got = WinogradConvolution(convolution, size)(images)
        wanted = convolution.double()(MirroredPad(3, 1, dilation)(images).double())
    assert got.shape == wanted.shape
    assert (got - wanted).abs().max() <= 1e-5 * wanted.abs().max()


def test_the_largest_convolutions_need_far_fewer_products() -> None:
    # (edge of the image, dilation) of the decoder and of the pyramid.
    for size, dilation, share in ((128, 1, 0.26), (32, 6, 0.4), (32, 12, 0.4), (32, 18, 0.57)):
        filters = WinogradConvolution(nn.Conv2d(1, 1, 3, dilation=dilation), size)
        assert len(filters.patches) <= share * 9 * size**2
