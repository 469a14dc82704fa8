"""Acquisitions: the products of one datatake, which share the sky and often a polygon."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from producer.classes import MaskClass
from tiler.clear.candidates import Candidate
from tiler.clear.coverage import CLASS_COUNT, Classes, Field
from tiler.clear.fractions import Fractions
from tiler.clear.lattice import Lattice, Place
from tiler.clear.measuring import Meter
from tiler.clear.polygons import central_meridian

_KM2 = 1e6
_MOST_PIXELS = 1_000_000


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Products of one Collection and datatake."""

    products: tuple[Candidate, ...]

    @property
    def name(self) -> str:
        """What all of its products have in common."""
        return acquisition_of(self.products[0])


def acquisition_of(product: Candidate) -> str:
    """Name the datatake of a product, by ESA's id where it is known.

    Else by what tells datatakes apart: platform, relative orbit, and time of sensing to the hour.
    """
    said = product.properties.get("nimbostac:datatake")
    if said:
        return str(said)
    words = (product.properties.get(name) for name in ("platform", "sat:relative_orbit"))
    sensed = str(product.properties.get("datetime") or product.id)[:13]
    return "_".join(str(word) for word in (*words, sensed))


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

    Where tiles overlap the first product counts, in the order of names, unless it has nothing
    valid there. Products of another UTM zone than the lattice's give the class of the pixel in
    which a centre of the lattice lies.

    Raises:
        MaskUnreadableError: Storage does not give a mask.
        NoMaskCogError: A file is no mask of ours.
    """
    _, total = field.pixels(lattice)
    merged = np.zeros(total, np.uint8)
    correction, error = np.zeros(CLASS_COUNT), 0.0
    for product in acquisition.products:
        cog = meter.rasters.open(product.mask)
        number = max(
            (
                n
                for n, level in enumerate(cog.levels)
                if cog.resolution_of(level) <= lattice.width * 1.2
            ),
            default=0,
        )
        coverage = field.sampled(cog, number, lattice)
        blocks = meter.rasters.blocks(product.mask.href, cog, number, coverage.blocks)
        found = coverage.classes(blocks)
        wanted = (found != MaskClass.NO_DATA) & (merged == MaskClass.NO_DATA)
        wanted |= (found != MaskClass.NO_DATA) & (merged == MaskClass.MISSING)
        merged[wanted] = found[wanted]
        if number:
            whole = meter.fractions(product.mask, field)
            counts = np.bincount(found, minlength=CLASS_COUNT)
            covered = counts[1:].sum()
            if whole.shares is not None and covered:
                error += whole.error * float(covered)
                correction[1:] += (whole.shares - counts[1:] / covered) * np.count_nonzero(wanted)
    counts = np.bincount(merged, minlength=CLASS_COUNT)[:CLASS_COUNT]
    exact = Fractions.of(counts, total, lattice.width)
    covered = int(counts[1:].sum())
    if not covered or not error:
        return Merged(merged, exact)
    shares = np.maximum(counts[1:] + correction[1:], 0)
    shares /= shares.sum()
    return Merged(
        merged,
        replace(exact, shares=tuple(shares.tolist()), error=min(error / covered, 1.0)),
    )
