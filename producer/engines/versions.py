"""Versions of engines, told without loading a model."""

import json
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

from producer.engines import entry
from producer.settings import ProducerSettings

KAPPAMASK = "2.4"
"""The version of km_predict whose masks KappaMask's are."""


def version(name: str, level: str, settings: ProducerSettings | None = None) -> str | None:
    """Tell the version that an engine has here; ``None`` where it cannot run.

    That of the engine as it is when nothing is asked of it: options change it.

    Args:
        name: Registry name.
        level: ``L1C`` or ``L2A``.
        settings: Where weights are kept.

    Raises:
        UnknownEngineError: No engine has this name.
    """
    if entry(name).name == "kappamask":
        folder = (settings or ProducerSettings()).cache_dir.expanduser() / "kappamask"
        try:
            # The card beside the weights; the module that writes it needs torch.
            card = json.loads((folder / f"{level.lower()}_deeplabv3plus.json").read_bytes())
            return f"{KAPPAMASK}+{card['sha256'][:8]}"
        except (OSError, ValueError, KeyError, TypeError):
            return None
    try:
        return version_of(name)
    except PackageNotFoundError:
        return None
