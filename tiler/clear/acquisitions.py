"""Acquisitions: the products of one datatake, which share the sky and often a polygon."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from producer.classes import MaskClass
from producer.errors import ProductNameError
from producer.product import ProductName
from tiler.clear.candidates import Candidate
from tiler.clear.coverage import CLASS_COUNT, Classes, Field
from tiler.clear.fractions import Fractions
from tiler.clear.lattice import Lattice, Place
from tiler.clear.measuring import Meter
from tiler.clear.overview import FLOOR
from tiler.clear.polygons import central_meridian
from tiler.cog import Cog

_KM2 = 1e6
_MOST_PIXELS = 1_000_000
# Overviews of 10980 px are a little coarser than powers of two.
_COARSER = 1.01


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Products of one Collection and datatake."""

    products: tuple[Candidate, ...]

    @property
    def name(self) -> str:
        """What all of its products have in common."""
        return acquisition_of(self.products[0])


def acquisition_of(product: Candidate) -> str:
    """Name the datatake of a product.

    The name of a product says platform, orbit and when its datatake began, whatever baseline it
    was processed with. Other Items are told apart by ESA's id of the datatake or, without that,
    by platform, orbit and time of sensing to the hour.
    """
    try:
        name = ProductName.parse(product.id)
    except ProductNameError:
        said = product.properties.get("nimbostac:datatake")
        if said:
            return str(said)
        words = (product.properties.get(name) for name in ("platform", "sat:relative_orbit"))
        sensed = str(product.properties.get("datetime") or product.id)[:13]
        return "_".join(str(word) for word in (*words, sensed))
    return f"{name.platform}_{name.sensed:%Y%m%dT%H%M%S}_R{name.orbit:03}"


def grouped(products: Iterable[Candidate]) -> list[Acquisition]:
    """Put together what was taken together."""
    found: dict[tuple[str, str], list[Candidate]] = {}
    for product in products:
        found.setdefault((product.collection, acquisition_of(product)), []).append(product)
    return [Acquisition(tuple(sorted(each, key=lambda one: one.id))) for each in found.values()]


def common_lattice(meter: Meter, field: Field, products: Sequence[Candidate]) -> Lattice:
    """Choose the pixels in which all products are compared.

    They are the masks' own, of the UTM zone that lies nearest to the polygon; for a polygon of more
    than a million of those they are larger.
    """
    west, _, east, _ = field.area.shape.bounds
    places: dict[int, Lattice] = {}
    for product in products:
        cog = meter.rasters.open(product.mask)
        places.setdefault(cog.epsg, Place.of(cog, cog.levels[0]).lattice)

    def far(epsg: int) -> tuple[float, int]:
        off = (central_meridian(epsg) - (west + east) / 2 + 180) % 360 - 180
        return abs(off), epsg

    own = places[min(places, key=far)]
    return coarser(own, field.area.km2)


def coarser(lattice: Lattice, km2: float) -> Lattice:
    """Double the pixels until an area has no more than a million of them."""
    step = lattice.width
    while km2 * _KM2 / step**2 > _MOST_PIXELS:
        step *= 2
    if step == lattice.width:
        return lattice
    return Lattice(lattice.epsg, lattice.x % step, lattice.y % step, step, step)


@dataclass(frozen=True, slots=True)
class Merged:
    """What an acquisition says about a polygon, pixel by pixel."""

    classes: Classes
    """Class of each of the lattice's pixels of the polygon; no data where nothing covers it."""
    fractions: Fractions


def merge(meter: Meter, field: Field, lattice: Lattice, acquisition: Acquisition) -> Merged:
    """Count every pixel of the polygon once, however many products cover it.

    Where tiles overlap the first product counts, unless it has nothing valid there. Products of
    another UTM zone than the lattice's give the class of the pixel in which a centre of the
    lattice lies. In pixels larger than the masks' own every product is corrected by what is known
    of the whole of it within the polygon.

    Raises:
        MaskUnreadableError: Storage does not give a mask.
        NoMaskCogError: A file is no mask of ours.
    """
    _, total = field.pixels(lattice)
    merged = np.zeros(total, np.uint8)
    correction, error = np.zeros(CLASS_COUNT), 0.0
    for product in acquisition.products:
        lacking = (merged == MaskClass.NO_DATA) | (merged == MaskClass.MISSING)
        if not lacking.any():
            break
        cog = meter.rasters.open(product.mask)
        found = _sampled(meter, field, lattice, product, cog)
        wanted = lacking & (found != MaskClass.NO_DATA)
        merged[wanted] = found[wanted]
        if lattice.width > cog.resolution_m and wanted.any():
            whole = meter.fractions(product.mask, field)
            counts = np.bincount(found, minlength=CLASS_COUNT)[1:]
            error += max(whole.error, FLOOR) * float(counts.sum())
            if whole.shares is not None:
                off = whole.shares - counts / counts.sum()
                correction[1:] += off * np.count_nonzero(wanted)
    counts = np.bincount(merged, minlength=CLASS_COUNT)
    exact = Fractions.of(counts, total, lattice.width)
    if not error:
        return Merged(merged, exact)
    shares = np.maximum(counts[1:] + correction[1:], 0)
    shares /= shares.sum()
    error = min(float(error) / exact.pixels, 1.0)
    return Merged(merged, replace(exact, shares=tuple(shares.tolist()), error=error))


def _sampled(meter: Meter, field: Field, lattice: Lattice, product: Candidate, cog: Cog) -> Classes:
    """Give the class of every pixel of the polygon, from the overview that is just fine enough."""
    fine = [
        number
        for number, level in enumerate(cog.levels)
        if cog.resolution_of(level) <= lattice.width * _COARSER
    ]
    number = max(fine, default=0)
    coverage = field.sampled(cog, number, lattice)
    return coverage.classes(meter.rasters.blocks(product.mask.href, cog, number, coverage.blocks))
