"""3 x 3 convolutions in half of the multiplications or fewer, by Winograd's minimal filtering."""

import numpy as np
import torch
from numpy.polynomial import polynomial
from numpy.typing import NDArray
from torch import Tensor, nn

from producer.kappamask.layers import mirrored

_POINTS = (0.0, 1.0, -1.0, 0.5, -2.0)
"""Where polynomials are evaluated; these round the least of those that are easily had."""
_OUTPUTS = (2, 3, 4)
"""Edges of what one patch may give, pixels; beyond that, rounding grows faster than is saved."""
_TAPS = 3


class WinogradConvolution(nn.Module):
    """Pads with mirrored edges and convolves, as ``MirroredPad`` and ``nn.Conv2d`` do.

    The image is cut into patches that overlap, patches and filters are brought to a basis in which
    a convolution is a product of numbers, and what comes out is brought back: A. Lavin and S. Gray,
    "Fast Algorithms for Convolutional Neural Networks", 2016, section 4. A dilated convolution is
    one of many coarser images, whose pixels lie as far apart as the taps.
    """

    patches: Tensor
    places: Tensor
    forth: Tensor
    back: Tensor
    filters: Tensor

    def __init__(self, convolution: nn.Conv2d, size: int) -> None:
        """Take the weights over.

        Args:
            convolution: 3 x 3, stride 1, unpadded.
            size: Edge of the square image, pixels.
        """
        super().__init__()
        dilation = convolution.dilation[0]
        outputs = min(_OUTPUTS, key=lambda outputs: _products(size, dilation, outputs))
        back, filters, forth = _transforms(outputs)
        patches, places = _cut(size, dilation, outputs)
        weight = convolution.weight.detach().double().numpy()
        moved = np.einsum("ia,ocab,jb->ijco", filters, weight, filters)
        self.register_buffer("patches", patches)
        self.register_buffer("places", places)
        self.register_buffer("forth", torch.from_numpy(np.kron(forth, forth)).float())
        self.register_buffer("back", torch.from_numpy(np.kron(back, back)).float())
        flat = moved.reshape(-1, *moved.shape[2:])
        self.register_buffer("filters", torch.from_numpy(flat).float())
        self.bias = convolution.bias

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (image, channel, row, column)."""
        images, channels, height, width = x.shape
        across, _, out = self.filters.shape
        pixels = x.permute(0, 2, 3, 1).reshape(images, height * width, channels)
        cut = pixels.index_select(1, self.patches).reshape(images, across, -1)
        moved = (self.forth @ cut).reshape(images, across, -1, channels)
        told = (moved @ self.filters).reshape(images, across, -1)
        laid = (self.back @ told).reshape(images, -1, out).index_select(1, self.places)
        if self.bias is not None:
            laid = laid + self.bias
        return laid.reshape(images, height, width, out).permute(0, 3, 1, 2)


def _transforms(
    outputs: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Derive the matrices of F(outputs, 3) by the method of Toom and Cook.

    Two polynomials are multiplied by evaluating both at some points and at infinity, and
    interpolating; filtering is the transpose of that.

    Returns:
        (outputs, n) from products to pixels, (n, 3) of the filter and (n, n) of a patch, where n
        is ``outputs + 2``.
    """
    points = np.array(_POINTS[: outputs + 1])
    edge = len(points) + 1
    back, filters, forth = (
        np.zeros((outputs, edge)),
        np.zeros((edge, _TAPS)),
        np.zeros((edge, edge)),
    )
    back[:, :-1] = points ** np.arange(outputs)[:, None]
    back[-1, -1] = filters[-1, -1] = 1
    for row, point in enumerate(points):
        others = np.delete(points, row)
        filters[row] = point ** np.arange(_TAPS) / np.prod(point - others)
        forth[row, :-1] = polynomial.polyfromroots(others)
    forth[-1] = polynomial.polyfromroots(points)
    return back, filters, forth


def _patches(size: int, dilation: int, outputs: int) -> int:
    """Count the patches along an axis, each of every ``dilation``-th pixel."""
    return dilation * -(-size // (dilation * outputs))


def _products(size: int, dilation: int, outputs: int) -> int:
    """Count the multiplications, by channel and filter."""
    return ((outputs + _TAPS - 1) * _patches(size, dilation, outputs)) ** 2


def _cut(size: int, dilation: int, outputs: int) -> tuple[Tensor, Tensor]:
    """Say which pixels each patch sees, and which of the patches' outputs each pixel is.

    Returns:
        Indices of pixels by (place in the patch, patch), and of outputs by pixel: an output's
        number is (place in what a patch gives, patch).
    """
    edge = outputs + _TAPS - 1
    patches = _patches(size, dilation, outputs)
    patch = np.arange(patches)
    first = patch % dilation + patch // dilation * dilation * outputs
    seen = first + dilation * (np.arange(edge)[:, None] - 1)
    # Patches that reach far beyond the image are cut off again; any pixel will do for them.
    inside = mirrored(size, dilation, dilation).numpy()
    seen = inside[np.minimum(seen + dilation, len(inside) - 1)]
    rows, columns = seen[:, None, :, None], seen[None, :, None, :]
    given = first + dilation * np.arange(outputs)[:, None]
    place, which = np.nonzero(given < size)
    order = np.argsort(given[place, which])
    place, which = place[order], which[order]
    places = (place[:, None] * outputs + place) * patches**2 + which[:, None] * patches + which
    return torch.from_numpy((rows * size + columns).ravel()), torch.from_numpy(places.ravel())
