"""What each network was trained on: its bands, in order, and what counts as full scale."""

from collections.abc import Mapping
from dataclasses import dataclass

from producer.errors import LevelError, UnknownNetworkError

ARCHITECTURES = ("deeplabv3plus", "unet", "unet6", "unet7")
"""Networks by name; ``unet`` has five levels."""

_L1C = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
_L2A = (
    "AOT", "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12",
    "WVP",
)  # fmt: skip

# Maxima of the training set as shares of 65535, from the code of km_predict 2.4.0.
_MAXIMA: Mapping[tuple[str, str], tuple[float, ...]] = {
    ("L1C", "deeplabv3plus"): (
        0.2065003365278244, 0.3510643243789673, 0.3327534794807434, 0.3624475598335266,
        0.29547569155693054, 0.29562827944755554, 0.29103532433509827, 0.3791866898536682,
        0.2850232720375061, 0.18451209366321564, 0.0799115002155304, 0.24786755442619324,
        0.24827954173088074,
    ),
    ("L2A", "deeplabv3plus"): (
        0.010711833834648132, 0.32552072405815125, 0.3022507131099701, 0.28221559524536133,
        0.2690470814704895, 0.27560845017433167, 0.2571450471878052, 0.2557412087917328,
        0.2529335618019104, 0.2544899582862854, 0.2657511234283447, 0.2381628155708313,
        0.2401922643184662, 0.14035248756408691,
    ),
    ("L1C", "unet"): (
        0.21, 0.326, 0.264, 0.298, 0.245, 0.258, 0.266, 0.364, 0.259, 0.165, 0.055, 0.203, 0.208,
    ),
    ("L2A", "unet"): (
        0.003906309604644775, 0.2833447754383087, 0.27905699610710144, 0.2668497860431671,
        0.2558480203151703, 0.250980406999588, 0.24597543478012085, 0.24182498455047607,
        0.24206912517547607, 0.2535133957862854, 0.2232242375612259, 0.23524834215641022,
        0.07557793706655502,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The input of one network."""

    level: str
    architecture: str
    bands: tuple[str, ...]
    """Band names, in the order of the network's channels."""
    maxima: tuple[float, ...]
    """What becomes 1, by band, as a share of 65535."""

    @property
    def weights_name(self) -> str:
        """What KappaZeta calls the weights of this network, without suffix."""
        return f"{self.level.lower()}_{self.architecture}"


def spectrum(level: str, architecture: str) -> Spectrum:
    """Look up the input of a network.

    Raises:
        UnknownNetworkError: No network has this name.
        LevelError: The level is not L1C or L2A.
    """
    if architecture not in ARCHITECTURES:
        raise UnknownNetworkError(architecture, ARCHITECTURES)
    if level not in ("L1C", "L2A"):
        raise LevelError("kappamask", level, ("L1C", "L2A"))
    family = "unet" if architecture.startswith("unet") else architecture
    bands: tuple[str, ...] = _L1C if level == "L1C" else _L2A
    if level == "L2A" and family == "unet":
        bands = tuple(band for band in bands if band != "B07")
    return Spectrum(level, architecture, bands, _MAXIMA[level, family])
