"""The same network in TensorFlow, as km_predict runs it: ``predict`` of a Keras model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from producer.kappamask.deeplab import DeepLab
from producer.kappamask.layers import ConvolutionBlock, SeparableBlock, padding


def way(network: DeepLab, example: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Give a call that classifies tiles like the example, (tile, channel, row, column)."""
    import tensorflow as tf

    layer = tf.keras.Input((512, 512, example.shape[1]))
    model = tf.keras.Model(layer, tf.keras.layers.Lambda(_Forward(tf, network))(layer))

    def classify(tiles: np.ndarray) -> np.ndarray:
        pixels = np.ascontiguousarray(tiles.transpose(0, 2, 3, 1))
        return model.predict(pixels, verbose=0).argmax(-1)

    return classify


class _Forward:
    """Walks through our modules with TensorFlow's operations, (tile, row, column, channel)."""

    def __init__(self, tf: Any, network: DeepLab) -> None:
        self.tf, self.network = tf, network

    def __call__(self, x: Any) -> Any:
        tf, net, relu = self.tf, self.network, self.tf.nn.relu
        encoder, pyramid, decoder = net.encoder, net.pyramid, net.decoder
        x = relu(self._block(encoder.convolution_1, x))
        shortcut = x = relu(self._block(encoder.convolution_2, x))
        low = x
        for block in (encoder.entry_1, encoder.entry_2, encoder.entry_3):
            x = self._block(block.separable_1, x if block.first else relu(x))
            x = full = self._block(block.separable_2, relu(x))
            low = full if block is encoder.entry_2 else low
            x = tf.nn.max_pool2d(self._padded(x, 3, 2, 1), 3, 2, "VALID")
            shortcut = self._block(block.shortcut, shortcut)
            x = shortcut + x
        for block in encoder.middle:
            y = relu(self._block(block.separable_1, relu(x)))
            y = relu(self._block(block.separable_2, y))
            x = x + relu(self._block(block.separable_3, y))
        x = self._block(encoder.exit_1, relu(x))
        x = self._block(encoder.exit_2, relu(x))
        pooled = relu(self._block(pyramid.pooled, tf.reduce_mean(x, (1, 2), keepdims=True)))
        scales = [tf.image.resize(pooled, (32, 32)), relu(self._block(pyramid.near, x))]
        scales += [relu(self._block(far, x)) for far in pyramid.far]
        x = relu(self._block(pyramid.mix, tf.concat(scales, -1)))
        low = relu(self._block(decoder.squeeze, low))
        x = tf.concat([tf.image.resize(x, (128, 128)), low], -1)
        x = relu(self._block(decoder.convolution_1, x))
        x = tf.image.resize(relu(self._block(decoder.convolution_2, x)), (512, 512))
        return tf.nn.softmax(self._convolved(net.head, x))

    def _block(self, block: ConvolutionBlock | SeparableBlock, x: Any) -> Any:
        tf, norm = self.tf, block.normalisation
        if isinstance(block, SeparableBlock):
            deep, point = block.convolution.depthwise, block.convolution.pointwise
            x = tf.nn.separable_conv2d(
                self._padded(x, 3, 1, 1),
                _array(deep.weight.permute(2, 3, 0, 1)),
                _array(point.weight.permute(2, 3, 1, 0)),
                (1, 1, 1, 1),
                "VALID",
            )
        else:
            x = self._convolved(block.convolution, x)
        values = (norm.running_mean, norm.running_var, norm.bias, norm.weight)
        mean, variance, offset, scale = (_array(value) for value in values)
        return tf.nn.batch_normalization(x, mean, variance, offset, scale, norm.eps)

    def _convolved(self, layer: torch.nn.Conv2d, x: Any) -> Any:
        kernel, stride, dilation = layer.kernel_size[0], layer.stride[0], layer.dilation[0]
        x = self._padded(x, kernel, stride, dilation)
        weight = _array(layer.weight.permute(2, 3, 1, 0))
        x = self.tf.nn.conv2d(x, weight, stride, "VALID", dilations=dilation)
        return x if layer.bias is None else x + _array(layer.bias)

    def _padded(self, x: Any, kernel: int, stride: int, dilation: int) -> Any:
        rows = padding(x.shape[1], kernel, stride, dilation)
        columns = padding(x.shape[2], kernel, stride, dilation)
        return self.tf.pad(x, ((0, 0), rows, columns, (0, 0)), "SYMMETRIC")


def _array(value: Any) -> np.ndarray:
    return np.ascontiguousarray(value.detach().numpy())
