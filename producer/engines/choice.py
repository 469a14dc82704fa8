"""Which engine ``auto`` stands for: KappaMask if it can run here, else ukis-csmask."""

from dataclasses import dataclass
from importlib.util import find_spec

from producer import engines
from producer.engines import Progress, silent
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
    """One sentence for people; empty where the engine was asked for by name."""


def resolve(
    name: str,
    level: str,
    options: EngineOptions | None = None,
    settings: ProducerSettings | None = None,
    progress: Progress = silent,
) -> Choice:
    """Tell which engine a name stands for, and why.

    For ``auto``, KappaMask's weights are fetched if they are not in the cache; where no network
    answers within seconds, it does without them.

    Args:
        name: ``auto``, or what an engine is called.
        level: Product level.
        options: What the engine will be told; says which network.
        settings: Where weights are kept, and where they are fetched from.
        progress: Told ``fetch``, the bytes so far and all of them.

    Raises:
        UnknownEngineError: No engine has this name.
        WeightsFileError: What is in the cache cannot be read.
        LevelError: No engine takes this level.
    """
    if name != AUTO:
        return Choice(engines.entry(name).name, "")
    return _choose(level, options or EngineOptions(), settings or ProducerSettings(), progress)


def _choose(
    level: str, options: EngineOptions, settings: ProducerSettings, progress: Progress
) -> Choice:
    lacking = [package for package in _PACKAGES if find_spec(package) is None]
    if lacking:
        extra = engines.entry("kappamask").extra
        return _fallback(f"{', '.join(lacking)} not installed (nimbostac[{extra}] brings it)")
    # Only now: these need torch.
    from producer.kappamask.fetching import Source, fetch  # noqa: PLC0415
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
            card = fetch(cache, name, Source(addresses, hurried=True), progress)
        except (WeightsError, OSError) as error:
            return _fallback(f"its weights {name} are not there: {error}")
        how = f"fetched from {card.source}, taken on {card.trust}"
    else:
        how = f"imported from {card.source}"
    return Choice("kappamask", f"KappaMask: its weights {name} ({card.sha256[:8]}) were {how}.")


def _fallback(problem: str) -> Choice:
    return Choice("ukis-csmask", f"ukis-csmask, because KappaMask cannot run: {problem}")
