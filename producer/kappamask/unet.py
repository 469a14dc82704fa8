"""The U-Net that KappaMask offers beside DeepLabv3+.

O. Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015,
figure 1, with padded convolutions. Modules stand in the order in which Keras creates its layers.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Pair(nn.Module):
    """Two 3 x 3 convolutions, each rectified, their edges padded with zeros."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.convolution_1 = nn.Conv2d(channels, filters, 3, padding=1)
        self.convolution_2 = nn.Conv2d(filters, filters, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (image, channel, row, column) to as many channels as there are filters."""
        x = self.convolution_1(x).relu()
        out: Tensor = self.convolution_2(x).relu()
        return out


class Rise(nn.Module):
    """Doubles the resolution and joins the encoder's features of that resolution."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, filters, 2)
        self.pair = Pair(2 * filters, filters)

    def forward(self, x: Tensor, skipped: Tensor) -> Tensor:
        """Map half the resolution of ``skipped`` to all of it."""
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        # An even kernel has no middle: TensorFlow pads after.
        x = self.convolution(functional.pad(x, (0, 1, 0, 1))).relu()
        out: Tensor = self.pair(torch.cat([skipped, x], 1))
        return out


class UNet(nn.Module):
    """A U-Net of five, six or seven resolutions; 64 filters at the finest, doubled each time."""

    def __init__(self, channels: int, levels: int = 5, classes: int = 6) -> None:
        super().__init__()
        self.channels = channels
        filters = [64 * 2**level for level in range(levels)]
        self.falls = nn.ModuleList(
            Pair(before, after)
            for before, after in zip([channels, *filters], filters, strict=False)
        )
        self.rises = nn.ModuleList(Rise(2 * after, after) for after in filters[-2::-1])
        self.squeeze = nn.Conv2d(filters[0], 2, 3, padding=1)
        self.head = nn.Conv2d(2, classes, 1)

    def coarse_logits(self, x: Tensor) -> Tensor:
        """Score each class; a U-Net's scores have full resolution already."""
        skipped: list[Tensor] = []
        for fall in self.falls:
            x = fall(functional.max_pool2d(x, 2) if skipped else x)
            skipped.append(x)
        skipped.pop()
        for rise in self.rises:
            x = rise(x, skipped.pop())
        out: Tensor = self.head(self.squeeze(x).relu())
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Score each class.

        Args:
            x: (image, channel, row, column) normalised bands, edges divisible by
                2 to the power of ``levels - 1``.

        Returns:
            (image, class, row, column) logits.
        """
        return self.enlarged(self.coarse_logits(x))

    @staticmethod
    def enlarged(logits: Tensor) -> Tensor:
        """Bring scores to the resolution of the input, which they have."""
        return logits

    @staticmethod
    def comparable(logits: Tensor) -> Tensor:
        """Give what the greatest is sought among; of sigmoids that round to 1 the first wins."""
        return logits.sigmoid()

    @staticmethod
    def probabilities(logits: Tensor) -> Tensor:
        """Turn scores to probabilities, each class on its own: they need not sum to one."""
        return logits.sigmoid()
