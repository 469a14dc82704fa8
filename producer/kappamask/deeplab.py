"""DeepLabv3+ with KappaZeta's Xception backbone, KappaMask's network.

L.-C. Chen et al., "Encoder-Decoder with Atrous Separable Convolution for Semantic Image
Segmentation", 2018, figure 2. Modules stand in the order in which Keras creates its layers:
weights are matched by that order.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from producer.kappamask.layers import ConvolutionBlock, SeparableBlock

RATES = (6, 12, 18)
"""Dilations of the pyramid's 3 x 3 convolutions."""

COARSENESS = 16
"""Input pixels to one of the pyramid's, along an axis."""
FINENESS = 4
"""Input pixels to one of the decoder's."""


class EntryBlock(nn.Module):
    """Two separable convolutions and a pooling, beside a shortcut of its own.

    Unlike Xception's, the shortcut runs from the previous shortcut, not from the sum.
    """

    def __init__(self, channels: int, shortcut: int, filters: int, *, first: bool) -> None:
        super().__init__()
        self.first = first
        self.separable_1 = SeparableBlock(channels, filters)
        self.separable_2 = SeparableBlock(filters, filters)
        self.shortcut = ConvolutionBlock(shortcut, filters, 1, stride=2)

    def forward(self, x: Tensor, shortcut: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Halve the resolution.

        Returns:
            The sum, the new shortcut, and what there was before the pooling.
        """
        # The first block's input has been rectified already.
        x = self.separable_1(x if self.first else x.relu())
        full = self.separable_2(x.relu())
        # The mirrored pixel that Keras pads with cannot win: this is pooling that rounds up.
        pooled = functional.max_pool2d(full, 3, 2, ceil_mode=True)
        shortcut = self.shortcut(shortcut)
        return shortcut + pooled, shortcut, full


class MiddleBlock(nn.Module):
    """Three separable convolutions around which the input is added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.separable_1 = SeparableBlock(channels, channels)
        self.separable_2 = SeparableBlock(channels, channels)
        self.separable_3 = SeparableBlock(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Refine; the third convolution is rectified too, before the sum."""
        y = self.separable_1(x.relu()).relu()
        y = self.separable_2(y).relu()
        out: Tensor = x + self.separable_3(y).relu()
        return out


class Xception(nn.Module):
    """The encoder: entry, middle and exit flow."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution_1 = ConvolutionBlock(channels, 32, 3, stride=2)
        self.convolution_2 = ConvolutionBlock(32, 64, 3)
        self.entry_1 = EntryBlock(64, 64, 128, first=True)
        self.entry_2 = EntryBlock(128, 128, 256, first=False)
        self.entry_3 = EntryBlock(256, 256, 728, first=False)
        self.middle = nn.Sequential(*(MiddleBlock(728) for _ in range(8)))
        self.exit_1 = SeparableBlock(728, 728)
        self.exit_2 = SeparableBlock(728, 1024)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (image, channel, row, column).

        Returns:
            256 channels at a quarter, 1024 at a sixteenth of the resolution, not rectified.
        """
        x = self.convolution_1(x).relu()
        stem = self.convolution_2(x).relu()
        x, shortcut, _ = self.entry_1(stem, stem)
        x, shortcut, low = self.entry_2(x, shortcut)
        x, shortcut, _ = self.entry_3(x, shortcut)
        x = self.middle(x)
        x = self.exit_1(x.relu())
        return low, self.exit_2(x.relu())


class Pyramid(nn.Module):
    """Atrous spatial pyramid pooling: one image seen at five scales."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.pooled = ConvolutionBlock(channels, filters, 1, bias=True)
        self.near = ConvolutionBlock(channels, filters, 1)
        self.far = nn.ModuleList(
            ConvolutionBlock(channels, filters, 3, dilation=rate) for rate in RATES
        )
        self.mix = ConvolutionBlock(filters * (2 + len(RATES)), filters, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (image, channel, row, column) to ``filters`` channels, rectified."""
        pooled = self.pooled(x.mean((2, 3), keepdim=True)).relu().expand(-1, -1, *x.shape[2:])
        scales = [pooled, self.near(x).relu(), *(far(x).relu() for far in self.far)]
        out: Tensor = self.mix(torch.cat(scales, 1)).relu()
        return out


class Decoder(nn.Module):
    """Joins the pyramid with the encoder's finer features."""

    def __init__(self, fine: int, coarse: int) -> None:
        super().__init__()
        self.squeeze = ConvolutionBlock(fine, 48, 1)
        self.convolution_1 = ConvolutionBlock(coarse + 48, 256, 3)
        self.convolution_2 = ConvolutionBlock(256, 256, 3)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Decode to 256 channels, rectified, at the resolution of ``fine``."""
        squeezed = self.squeeze(fine).relu()
        x = torch.cat([quadrupled(coarse), squeezed], 1)
        out: Tensor = self.convolution_2(self.convolution_1(x).relu()).relu()
        return out


class DeepLab(nn.Module):
    """KappaMask's default network."""

    def __init__(self, channels: int, classes: int = 6) -> None:
        super().__init__()
        self.channels = channels
        self.encoder = Xception(channels)
        self.pyramid = Pyramid(1024, 256)
        self.decoder = Decoder(256, 256)
        self.head = nn.Conv2d(256, classes, 1)

    def coarse_logits(self, x: Tensor) -> Tensor:
        """Score each class at a quarter of the resolution: all that has weights."""
        low, high = self.encoder(x)
        out: Tensor = self.head(self.decoder(low, self.pyramid(high)))
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Score each class.

        Keras enlarges 256 channels and scores then; scoring first is the same, as both are
        linear, and the rows of an interpolation sum to one.

        Args:
            x: (image, channel, 512, 512) normalised bands.

        Returns:
            (image, class, 512, 512) logits.
        """
        return self.enlarged(self.coarse_logits(x))

    @staticmethod
    def enlarged(logits: Tensor) -> Tensor:
        """Bring coarse scores to the resolution of the input."""
        return quadrupled(logits)

    @staticmethod
    def comparable(logits: Tensor) -> Tensor:
        """Give what the greatest is sought among; a softmax keeps the order."""
        return logits

    @staticmethod
    def probabilities(logits: Tensor) -> Tensor:
        """Turn scores to probabilities that sum to one over the classes."""
        return logits.softmax(1)


def quadrupled(x: Tensor) -> Tensor:
    """Enlarge four times, bilinear between the centres of pixels."""
    return functional.interpolate(x, scale_factor=4, mode="bilinear", align_corners=False)
