"""DeepLabv3+'s decoder with its first convolution done before the enlargement, not after it."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from producer.kappamask.deeplab import Decoder
from producer.kappamask.layers import mirrored

_TAPS = 3


class CommutedDecoder(nn.Module):
    """Computes what ``Decoder`` does, with a sixth of the multiplications in its first convolution.

    There a 3 x 3 convolution sees features that were enlarged four times. Both are linear, so the
    channels can be mixed at the coarse resolution, once for each of the nine taps; what is left,
    shifting, enlarging and adding up, is one small matrix along each axis.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, decoder: Decoder, size: int) -> None:
        """Take the weights over.

        Args:
            decoder: Its batch normalisations are folded already.
            size: Edge of the coarse features, pixels.
        """
        super().__init__()
        convolution = decoder.convolution_1.convolution
        filters, channels = convolution.out_channels, convolution.in_channels
        fine = decoder.squeeze.convolution.out_channels
        self.squeeze = decoder.squeeze
        self.pad = decoder.convolution_1.pad
        self.fine = nn.Conv2d(fine, filters, _TAPS)
        self.fine.weight.data = convolution.weight[:, -fine:].clone()
        self.fine.bias = convolution.bias
        self.coarse = nn.Conv2d(channels - fine, filters * _TAPS * _TAPS, 1, bias=False)
        # By column tap, filter and row tap: what one matrix product wants side by side.
        taps = convolution.weight[:, :-fine].permute(3, 0, 2, 1)
        self.coarse.weight.data = taps.reshape(-1, channels - fine, 1, 1).clone()
        self.convolution_2 = decoder.convolution_2
        self.register_buffer("rows", _spread(size))
        # Kept transposed: OpenVINO 2026.4 ends the process over a transposed constant.
        self.register_buffer("columns", _spread(size).T.contiguous())

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Decode to 256 channels, rectified, at the resolution of ``fine``."""
        filters = self.fine.out_channels
        images, _, height, width = coarse.shape
        taps = self.coarse(coarse).reshape(images, _TAPS, filters * _TAPS * height, width)
        # Columns: (filter, row tap, row) x (column tap, column).
        x = torch.cat([taps[:, tap] for tap in range(_TAPS)], -1) @ self.columns
        # Rows: (row tap, row) x column, for each filter.
        x = self.rows @ x.reshape(images, filters, _TAPS * height, -1)
        x = (x + self.fine(self.pad(self.squeeze(fine).relu()))).relu()
        out: Tensor = self.convolution_2(x).relu()
        return out


def _spread(size: int) -> Tensor:
    """Enlarge one axis and shift it by each tap, the edge pixel repeated.

    Returns:
        (4 size, 3 size): beside each other, a matrix a tap.
    """
    eye = torch.eye(size)[None]
    grown = functional.interpolate(eye, scale_factor=4, mode="linear", align_corners=False)[0].T
    rows = mirrored(4 * size, 1, 1)
    return torch.cat([grown[rows[tap : tap + 4 * size]] for tap in range(_TAPS)], 1)
