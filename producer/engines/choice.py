"""Which engine ``auto`` stands for: KappaMask if it can run here, else ukis-csmask."""

from dataclasses import dataclass
from importlib.util import find_spec

from producer.engines import Progress, entry, silent
from producer.errors import WeightsError, WeightsMissingError
from producer.options import EngineOptions
from producer.settings import ProducerSettings

AUTO = "auto"
_PACKAGES = ("torch", "safetensors", "h5py")


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and why it was taken."""

    engine: str
    reason: str
    """One sentence for people."""


def choose(
    level: str,
    options: EngineOptions,
    settings: ProducerSettings,
    progress: Progress = silent,
) -> Choice:
    """Choose an engine, fetching KappaMask's weights if they are not in the cache.

    Args:
        level: Product level.
        options: What the engine will be told; says which network.
        settings: Where weights are kept, and where they are fetched from.
        progress: Told ``fetch``, the bytes so far and all of them.

    Raises:
        WeightsFileError: What is in the cache cannot be read.
        LevelError: No engine takes this level.
    """
    lacking = [package for package in _PACKAGES if find_spec(package) is None]
    if lacking:
        extra = entry("kappamask").extra
        return _fallback(f"{', '.join(lacking)} not installed (nimbostac[{extra}] brings it)")
    # Only now: these need torch.
    from producer.kappamask.fetching import fetch  # noqa: PLC0415
    from producer.kappamask.spectra import spectrum  # noqa: PLC0415
    from producer.kappamask.weights import WeightsCache  # noqa: PLC0415

    name = spectrum(level, options.architecture).weights_name
    cache = WeightsCache.of(settings)
    try:
        card = cache.card(name)
    except WeightsMissingError:
        addresses = tuple(settings.weights_url.split())
        if not addresses:
            return _fallback(f"its weights {name} are not in {cache.folder}, and no address is set")
        try:
            card = fetch(cache, name, addresses, progress)
        except (WeightsError, OSError) as error:
            return _fallback(f"its weights {name} are not there: {error}")
        how = f"fetched from {card.source}, taken on {card.trust}"
    else:
        how = f"imported from {card.source}"
    return Choice("kappamask", f"KappaMask: its weights {name} ({card.sha256[:8]}) were {how}.")


def _fallback(problem: str) -> Choice:
    return Choice("ukis-csmask", f"ukis-csmask, because KappaMask cannot run: {problem}")
