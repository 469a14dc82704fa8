"""The networks by name, built for one level."""

from producer.kappamask.deeplab import DeepLab
from producer.kappamask.spectra import Spectrum
from producer.kappamask.unet import UNet

Network = DeepLab | UNet


def build(spectrum: Spectrum) -> Network:
    """Build a network with random weights, ready for inference.

    Build it under ``torch.device("meta")`` where the weights are loaded next.
    """
    channels = len(spectrum.bands)
    network: Network
    if spectrum.architecture == "deeplabv3plus":
        network = DeepLab(channels)
    else:
        network = UNet(channels, levels=int(spectrum.architecture.removeprefix("unet") or 5))
    return network.eval().requires_grad_(requires_grad=False)
