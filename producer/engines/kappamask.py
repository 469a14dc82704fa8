"""The KappaMask engine: KappaZeta's DeepLabv3+ at 10 m, rebuilt in torch.

M. Domnich et al., "KappaMask: AI-Based Cloudmask Processor for Sentinel-2", Remote Sensing
13 (20), 2021. The weights are KappaZeta's own, fetched or imported by ``nimbostac weights``.
"""

import hashlib
import json
from dataclasses import dataclass, replace

from producer.classes import VALID_CLASSES, MaskClass
from producer.decoding import decoder_for
from producer.engines import EngineOutput, Progress, Weights, silent, versions
from producer.kappamask.chain import Chain
from producer.kappamask.inference import predictor
from producer.kappamask.spectra import spectrum
from producer.kappamask.weights import WeightsCache, WeightsCard
from producer.options import Backend, EngineOptions, Mode, Precision
from producer.safe import Product
from producer.settings import ProducerSettings

NAME = "kappamask"


def load(level: str, options: EngineOptions) -> "KappaMask":
    """Load the network of one level from the cache of weights.

    Raises:
        WeightsMissingError: Its weights are not in the cache.
        WeightsDigestError: They have changed since they were imported.
        BackendError: The device or backend is not there.
    """
    settings = ProducerSettings()
    wanted = spectrum(level, options.architecture)
    network, card = WeightsCache.of(settings).load(wanted.weights_name)
    reference = None
    if options.precision is not Precision.FLOAT32:
        # Not OpenVINO: it takes longer to load than this is used.
        exact = replace(options, precision=Precision.FLOAT32, backend=Backend.TORCH)
        reference = predictor(network, exact, settings.threads)
    chain = Chain(
        spectrum=wanted,
        predictor=predictor(network, options, settings.threads),
        options=options,
        threads=settings.threads,
        decoder=decoder_for(options.device),
        reference=reference,
    )
    return KappaMask(chain, card)


@dataclass(frozen=True, slots=True)
class KappaMask:
    """The network of one level, ready for many products."""

    chain: Chain
    card: WeightsCard

    @property
    def name(self) -> str:
        """Registry name."""
        return NAME

    @property
    def version(self) -> str:
        """Release, what differs from a plain run, and the weights.

        For example ``2.4+1f0c9a2b``, ``2.4-legacy+1f0c9a2b``, ``2.4-bf16-aoi5e884898+1f0c9a2b``.
        Backends are not told apart: they agree but for single pixels.
        """
        options, parts = self.chain.options, [versions.KAPPAMASK]
        if options.mode is Mode.LEGACY:
            parts.append("legacy")
        if options.precision is not Precision.FLOAT32:
            parts.append(options.precision.value)
        if options.aoi is not None:
            text = json.dumps(options.aoi, sort_keys=True)
            parts.append(f"aoi{hashlib.sha256(text.encode()).hexdigest()[:8]}")
        return f"{'-'.join(parts)}+{self.card.sha256[:8]}"

    @property
    def level(self) -> str:
        """Product level that it was loaded for."""
        return self.chain.spectrum.level

    @property
    def classes(self) -> tuple[MaskClass, ...]:
        """All of them."""
        return (*VALID_CLASSES, MaskClass.MISSING)

    @property
    def weights(self) -> Weights:
        """KappaZeta's file of weights."""
        return Weights(f"{self.card.name}.hdf5", self.card.sha256)

    def mask(self, product: Product, progress: Progress = silent) -> EngineOutput:
        """Mask one product.

        Raises:
            SafeError: The product cannot be read.
            AreaError: The area of interest lies outside of it.
        """
        masked = self.chain.mask(product, progress)
        notes: tuple[str, ...] = ()
        if masked.agreement is not None:
            share = f"{self.chain.options.precision}: {100 * masked.agreement:.3f} %"
            notes = (f"{share} of one tile's pixels get the class that float32 gives.",)
        return EngineOutput(masked.mask, masked.timings_s, masked.probabilities, notes)
