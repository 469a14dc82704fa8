"""How bright things are in the 13 bands of MSI: round numbers, near to published spectra.

Each row has a value a band in the order of ``BAND_IDS``. Ground follows the shapes of the ASTER
and USGS spectral libraries; air and cloud are rounded from clear and cloudy scenes at 50 degrees
of sun zenith. Plausible is all that they are: nothing is calibrated with them.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Cover(IntEnum):
    """What lies on the ground."""

    WATER = 0
    FOREST = 1
    GREEN_FIELD = 2
    DRY_FIELD = 3
    BARE_FIELD = 4
    SAND = 5
    TOWN = 6


def _rows(*rows: str) -> NDArray[np.float32]:
    return np.array([[float(word) for word in row.split()] for row in rows], np.float32)


#       B01  B02  B03  B04  B05  B06  B07  B08  B8A  B09  B10  B11  B12
GROUND = _rows(
    ".040 .045 .050 .030 .025 .020 .020 .016 .015 .012 .000 .008 .005",
    ".020 .025 .040 .025 .070 .200 .250 .270 .280 .280 .000 .130 .060",
    ".030 .040 .080 .040 .120 .330 .420 .450 .460 .460 .000 .200 .100",
    ".060 .080 .120 .140 .190 .240 .270 .300 .320 .320 .000 .330 .220",
    ".080 .100 .140 .180 .210 .230 .250 .270 .290 .300 .000 .360 .300",
    ".180 .220 .300 .380 .410 .430 .450 .470 .480 .480 .000 .550 .500",
    ".120 .140 .160 .180 .200 .210 .220 .230 .240 .240 .000 .250 .220",
)
"""(cover, band) reflectance of the surface."""

HAZE = _rows(".100 .075 .045 .022 .018 .014 .012 .010 .009 .006 .0012 .002 .001")[0]
"""What clear air itself sends up, by band."""

CLEAR_AIR = _rows(".85 .88 .90 .93 .94 .95 .95 .95 .96 .35 .00 .97 .93")[0]
"""Share of the ground's light that clear air lets through, by band; B10 sees no ground."""

CLOUD = _rows(".97 .97 .97 .97 .97 .98 .98 .98 .98 .62 .008 .79 .60")[0]
"""Reflectance of endless low cloud, by band: drops are white but for their water in SWIR, and
vapour above takes from B09 and all but a trace of B10."""

CIRRUS = _rows(".97 .97 .97 .97 .97 .97 .97 .97 .97 .88 .50 .58 .46")[0]
"""Reflectance of endless ice cloud, by band; its own mark is B10, as it is above the vapour."""

SKYLIGHT = _rows(".45 .40 .32 .26 .24 .22 .20 .19 .18 .18 .90 .12 .08")[0]
"""Share of the light that still reaches ground in shadow, by band: the sky is blue."""
