"""Rewrites a network for inference: the same sums in fewer operations."""

import copy
from typing import cast

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from producer.kappamask.commuting import CommutedDecoder
from producer.kappamask.deeplab import COARSENESS, FINENESS, DeepLab
from producer.kappamask.layers import ConvolutionBlock, SeparableBlock
from producer.kappamask.networks import Network
from producer.kappamask.tiling import SIZE_PX
from producer.kappamask.winograd import WinogradConvolution


def folded(network: Network, *, few_products: bool) -> Network:
    """Copy a network for tiles of 512 x 512, in fewer operations.

    Each batch normalisation is folded into the convolution before it, and DeepLabv3+'s decoder
    works at the coarse resolution where it can. What is computed stays the same but for rounding.

    Args:
        network: Left as it is.
        few_products: Whether to save multiplications by moving more data, in DeepLabv3+'s largest
            convolutions: gains time on a CPU, and wants float32.
    """
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, ConvolutionBlock):
            module.convolution = fuse_conv_bn_eval(module.convolution, module.normalisation)
        elif isinstance(module, SeparableBlock):
            separable = module.convolution
            separable.pointwise = fuse_conv_bn_eval(separable.pointwise, module.normalisation)
        else:
            continue
        module.normalisation = nn.Identity()  # type: ignore[assignment]
    if isinstance(network, DeepLab):
        coarse = SIZE_PX // COARSENESS
        network.decoder = CommutedDecoder(network.decoder, coarse)  # type: ignore[assignment]
        if few_products:
            fine = SIZE_PX // FINENESS
            _save_products(network.decoder.convolution_2, fine)
            for block in network.pyramid.far:
                _save_products(cast("ConvolutionBlock", block), coarse)
    return network


def _save_products(block: ConvolutionBlock, size: int) -> None:
    block.pad = nn.Identity()  # type: ignore[assignment]
    block.convolution = WinogradConvolution(block.convolution, size)  # type: ignore[assignment]
