import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from producer.errors import LevelError, UnknownNetworkError
from producer.kappamask.deeplab import DeepLab
from producer.kappamask.layers import ConvolutionBlock, SeparableBlock, mirrored, padding
from producer.kappamask.networks import build
from producer.kappamask.spectra import spectrum
from producer.kappamask.unet import Rise, UNet


@pytest.mark.parametrize(
    ("level", "architecture", "count"),
    [
        ("L1C", "deeplabv3plus", 24_601_390),
        ("L2A", "deeplabv3plus", 24_601_678),
        ("L1C", "unet", 31_038_612),
        ("L2A", "unet", 31_038_612),
        ("L1C", "unet6", 124_369_044),
        ("L1C", "unet7", 497_676_436),
    ],
)
def test_a_network_has_as_many_parameters_as_keras_counts(
    level: str, architecture: str, count: int
) -> None:
    with torch.device("meta"):
        held = build(spectrum(level, architecture)).state_dict()
    # Keras counts the moving means and variances too, but knows no number of batches.
    values = [each.numel() for name, each in held.items() if "num_batches" not in name]
    assert sum(values) == count


def test_an_unknown_network_or_level_is_refused_by_name() -> None:
    with pytest.raises(UnknownNetworkError, match=r"'segnet'.*deeplabv3plus, unet, unet6, unet7"):
        spectrum("L1C", "segnet")
    with pytest.raises(LevelError, match="L1C and L2A, not L1B"):
        spectrum("L1B", "unet")


def test_padding_is_shared_out_as_tensorflow_does() -> None:
    assert padding(512, 3, 1, 1) == (1, 1)
    assert padding(512, 3, 2, 1) == (0, 1)
    assert padding(512, 1, 2, 1) == (0, 0)
    assert [padding(32, 3, 1, rate) for rate in (6, 12, 18)] == [(6, 6), (12, 12), (18, 18)]


def test_the_mirror_holds_the_edge_pixel_itself() -> None:
    line = np.arange(5)
    assert line[mirrored(5, 3, 4)].tolist() == np.pad(line, (3, 4), mode="symmetric").tolist()


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), [(3, 1, 1), (3, 2, 1), (1, 2, 1), (3, 1, 6)]
)
def test_a_convolution_block_is_a_sum_over_a_mirrored_neighbourhood(
    kernel: int, stride: int, dilation: int
) -> None:
    torch.manual_seed(1)
    block = ConvolutionBlock(3, 2, kernel, stride=stride, dilation=dilation).eval()
    _shuffle(block.normalisation)
    image = np.random.default_rng(2).standard_normal((3, 16, 16))
    with torch.no_grad():
        got = block(torch.from_numpy(image)[None].float())[0].numpy()
    wanted = _convolved(image, _array(block.convolution.weight), stride, dilation)
    np.testing.assert_allclose(got, _normalised(wanted, block.normalisation), atol=1e-5)


def test_a_separable_block_filters_each_channel_and_mixes_then() -> None:
    torch.manual_seed(3)
    block = SeparableBlock(3, 5).eval()
    _shuffle(block.normalisation)
    image = np.random.default_rng(4).standard_normal((3, 9, 11))
    with torch.no_grad():
        got = block(torch.from_numpy(image)[None].float())[0].numpy()
    depthwise = _array(block.convolution.depthwise.weight)
    filtered = np.concatenate(
        [_convolved(image[c : c + 1], depthwise[c : c + 1], 1, 1) for c in range(3)]
    )
    wanted = np.einsum(
        "oc,cyx->oyx", _array(block.convolution.pointwise.weight)[..., 0, 0], filtered
    )
    np.testing.assert_allclose(got, _normalised(wanted, block.normalisation), atol=1e-5)


def test_scoring_before_the_last_enlargement_gives_the_same_as_after_it() -> None:
    torch.manual_seed(5)
    network = DeepLab(13)
    features = torch.randn(1, 256, 32, 32, dtype=torch.float64)
    head = network.head.double()
    enlarge = nn.Upsample(scale_factor=4, mode="bilinear", align_corners=False)
    with torch.no_grad():
        torch.testing.assert_close(enlarge(head(features)), head(enlarge(features)))


def test_an_even_kernel_of_the_u_net_is_padded_below_and_right() -> None:
    torch.manual_seed(6)
    rise = Rise(4, 2).eval()
    image = np.random.default_rng(7).standard_normal((4, 3, 3))
    doubled = image.repeat(2, axis=1).repeat(2, axis=2)
    padded = np.pad(doubled, ((0, 0), (0, 1), (0, 1)))
    kernel, bias = _array(rise.convolution.weight), _array(rise.convolution.bias)
    wanted = np.zeros((2, 6, 6))
    for row in range(6):
        for column in range(6):
            window = padded[:, row : row + 2, column : column + 2]
            wanted[:, row, column] = (kernel * window).sum((1, 2, 3)) + bias
    seen: list[torch.Tensor] = []
    rise.pair.register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    with torch.no_grad():
        rise(torch.from_numpy(image)[None].float(), torch.zeros(1, 2, 6, 6))
    np.testing.assert_allclose(seen[0][0, 2:].numpy(), np.maximum(wanted, 0), atol=1e-5)


def test_the_u_net_keeps_the_shape_and_scores_each_class_on_its_own() -> None:
    torch.manual_seed(8)
    network = UNet(13).eval()
    with torch.no_grad():
        logits = network(torch.rand(1, 13, 32, 64))
    assert logits.shape == (1, 6, 32, 64)
    np.testing.assert_allclose(
        network.probabilities(logits).numpy(), 1 / (1 + np.exp(-logits.numpy())), atol=1e-6
    )


def _array(value: torch.Tensor | None) -> NDArray[np.float64]:
    assert value is not None
    return value.detach().numpy().astype(np.float64)


def _shuffle(normalisation: nn.BatchNorm2d) -> None:
    for value in normalisation.state_dict().values():
        if value.dtype == torch.float32:
            value.uniform_(0.5, 1.5)


def _normalised(x: NDArray[np.float64], layer: nn.BatchNorm2d) -> NDArray[np.float64]:
    mean, variance = _array(layer.running_mean), _array(layer.running_var)
    scale = _array(layer.weight) / np.sqrt(variance + 0.001)
    shift = _array(layer.bias) - mean * scale
    return x * scale[:, None, None] + shift[:, None, None]


def _convolved(
    image: NDArray[np.float64], kernel: NDArray[np.float64], stride: int, dilation: int
) -> NDArray[np.float64]:
    """Sum explicitly over the taps; ``same`` padding puts the odd pixel last."""
    size = kernel.shape[-1]
    height, width = image.shape[1:]
    total = max((size - 1) * dilation + 1 - stride, 0)
    before, after = total // 2, total - total // 2
    padded = np.pad(image, ((0, 0), (before, after), (before, after)), mode="symmetric")
    out = np.zeros((len(kernel), -(-height // stride), -(-width // stride)))
    for row in range(out.shape[1]):
        for column in range(out.shape[2]):
            rows = row * stride + dilation * np.arange(size)
            columns = column * stride + dilation * np.arange(size)
            out[:, row, column] = (kernel * padded[:, rows][:, :, columns]).sum((1, 2, 3))
    return out
