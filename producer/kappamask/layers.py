"""The layers of which both networks are built, as Keras computes them."""

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-3
"""What Keras adds to a variance before it takes the root."""


def mirrored(length: int, before: int, after: int) -> Tensor:
    """Index one axis so that its edges are mirrored, the edge pixel included.

    Returns:
        ``before + length + after`` indices in 0 to ``length - 1``.
    """
    period = torch.arange(-before, length + after) % (2 * length)
    return torch.minimum(period, 2 * length - 1 - period)


def padding(length: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Share out the padding of one axis as TensorFlow's ``same`` does: the odd pixel comes last."""
    reach = kernel + (kernel - 1) * (dilation - 1)
    left_over = length % stride or stride
    total = max(reach - left_over, 0)
    return total // 2, total - total // 2


class MirroredPad(nn.Module):
    """Pads both axes for a convolution that follows, with mirrored edges."""

    def __init__(self, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride, self.dilation = kernel, stride, dilation

    def forward(self, x: Tensor) -> Tensor:
        """Pad (image, channel, row, column)."""
        rows = padding(x.shape[-2], self.kernel, self.stride, self.dilation)
        columns = padding(x.shape[-1], self.kernel, self.stride, self.dilation)
        if max(rows + columns) == 0:
            return x
        if max(rows + columns) == 1:
            # One pixel of mirror is the edge repeated, for which there is a fast kernel.
            return functional.pad(x, (*columns, *rows), mode="replicate")
        x = x.index_select(2, mirrored(x.shape[2], *rows).to(x.device))
        return x.index_select(3, mirrored(x.shape[3], *columns).to(x.device))


class ConvolutionBlock(nn.Module):
    """Mirrored padding, a convolution and its batch normalisation."""

    def __init__(  # noqa: PLR0913 - a convolution's own six numbers
        self,
        channels: int,
        filters: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.pad = MirroredPad(kernel, stride, dilation)
        self.convolution = nn.Conv2d(
            channels, filters, kernel, stride=stride, dilation=dilation, bias=bias
        )
        self.normalisation = nn.BatchNorm2d(filters, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Map (image, channel, row, column) to as many channels as there are filters."""
        out: Tensor = self.normalisation(self.convolution(self.pad(x)))
        return out


class SeparableConvolution(nn.Module):
    """A 3 x 3 filter a channel, then a 1 x 1 mix of channels, with nothing between them."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, filters, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map a padded image."""
        out: Tensor = self.pointwise(self.depthwise(x))
        return out


class SeparableBlock(nn.Module):
    """Mirrored padding, a separable convolution and its batch normalisation."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.pad = MirroredPad(3)
        self.convolution = SeparableConvolution(channels, filters)
        self.normalisation = nn.BatchNorm2d(filters, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Map (image, channel, row, column) to as many channels as there are filters."""
        out: Tensor = self.normalisation(self.convolution(self.pad(x)))
        return out
