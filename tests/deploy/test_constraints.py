import re
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

CONSTRAINTS = Path(__file__).parents[2] / "deploy" / "constraints.txt"


def pinned() -> dict[str, Version]:
    found = {}
    for line in CONSTRAINTS.read_text().splitlines():
        if not line.startswith("#"):
            name, _, text = line.partition("==")
            found[canonicalize_name(name)] = Version(text)
    return found


def needed(name: str, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]) -> set[str]:
    """Collect everything installed that a distribution brings in."""
    if (name, extras) in seen:
        return set()
    seen.add((name, extras))
    try:
        requires = distribution(name).requires or []
    except PackageNotFoundError:
        # For another platform, or an accelerator's build of torch.
        return set()
    found = {canonicalize_name(name)}
    for text in requires:
        requirement = Requirement(text)
        if requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in {"", *extras}
        ):
            found |= needed(requirement.name, frozenset(requirement.extras), seen)
    return found


def test_everything_that_is_installed_for_development_has_its_version_written_down() -> None:
    all_needed = needed("nimbostac", frozenset({"dev"}), set()) - {"nimbostac"}
    assert len(all_needed) > 100
    missing = {
        name for name in all_needed - set(pinned()) if not re.match(r"nvidia-|cuda-|triton$", name)
    }
    assert missing == set()


def test_what_is_installed_is_what_is_written_down() -> None:
    different = {}
    for name, wanted in pinned().items():
        try:
            installed = Version(version(name))
        except PackageNotFoundError:
            continue
        if installed.public != wanted.public:
            different[name] = f"{installed}, wanted {wanted}"
    assert different == {}
