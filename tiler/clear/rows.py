"""Rows of an answer: one a product, or one an acquisition."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from tiler.clear.acquisitions import Acquisition, common_lattice, grouped, merge
from tiler.clear.candidates import Candidate, Catalogue
from tiler.clear.coverage import Classes, Field
from tiler.clear.fractions import Fractions
from tiler.clear.lattice import Lattice
from tiler.clear.measuring import Meter
from tiler.clear.polygons import Area
from tiler.clear.pool import Work
from tiler.clear.question import Selection
from tiler.errors import MaskUnreadableError, NoMaskCogError

logger = logging.getLogger(__name__)

T = TypeVar("T")
S = TypeVar("S")

_CHUNK = 8
_NOTHING = Fractions(None, 0.0, 0, 0.0)
UNREADABLE = "a mask of this row cannot be read; the log of the server says why"


@dataclass(frozen=True, slots=True)
class Row:
    """What some products say about a polygon."""

    products: tuple[Candidate, ...]
    """One, or all of an acquisition."""
    fractions: Fractions
    acquisition: str | None = None
    """Name of the datatake, where products are merged."""
    problem: str | None = None
    """Why there are no shares, where a mask cannot be read."""

    @property
    def first(self) -> Candidate:
        """The product that stands for the row."""
        return self.products[0]

    @property
    def datetime(self) -> str:
        """Time of sensing."""
        return str(self.first.properties.get("datetime") or "")

    def value(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Give a property by name; also ``id`` and ``collection``."""
        if name in {"id", "collection"}:
            return getattr(self.first, name)
        if name == "aoi:clear_seen":
            return self.fractions.clear_seen
        if name.startswith("aoi:"):
            return self.fractions.properties().get(name)
        return self.first.properties.get(name)

    def properties(self) -> dict[str, Any]:
        """Give what the masks say, as properties of an Item."""
        found = self.fractions.properties()
        if self.acquisition is not None:
            found["aoi:acquisition"] = self.acquisition
            found["aoi:items"] = [product.id for product in self.products]
        if self.problem is not None:
            found["aoi:problem"] = self.problem
        return found


@dataclass(frozen=True, slots=True)
class Sky:
    """Looks at masks within polygons, for one request."""

    catalogue: Catalogue
    meter: Meter
    work: Work

    def products(self, place: Selection, area: Area) -> list[Candidate]:
        """Find the products that a question is about."""
        return self.catalogue.candidates(place.stored(area), self.work.left_s())

    def rows(self, products: Sequence[Candidate], field: Field) -> list[Row]:
        """Look at products one by one."""
        return self.mapped(partial(self._row, field), products)

    def acquisitions(self, products: Sequence[Candidate], field: Field) -> list[Row]:
        """Look at acquisitions, every pixel of the polygon once."""
        return self.pictures(products, field, lambda row, _: row)

    def pictures(
        self,
        products: Sequence[Candidate],
        field: Field,
        keep: Callable[[Row, Classes | None], S],
    ) -> list[S]:
        """Look at acquisitions, and keep what is wanted of their pixels.

        Args:
            products: They are put together by datatake.
            field: The polygon.
            keep: Gets a row, and the class of every pixel of the polygon; ``None`` where a mask
                cannot be read. All pixels of all acquisitions would not fit into memory.
        """
        acquisitions = grouped(products)
        readable = [product for product in products if self._opens(product)]
        if not readable:
            return [keep(_unreadable(each.products, each.name), None) for each in acquisitions]
        lattice = common_lattice(self.meter, field, readable)
        return self.mapped(lambda each: keep(*self._picture(field, lattice, each)), acquisitions)

    def mapped(self, function: Callable[[T], S], values: Sequence[T]) -> list[S]:
        """Do the same to many values, a few at a time in each thread."""
        chunks = [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]
        done = self.work.map(lambda chunk: [function(each) for each in chunk], chunks)
        return [each for chunk in done for each in chunk]

    def _opens(self, product: Candidate) -> bool:
        self.work.left_s()
        try:
            self.meter.rasters.open(product.mask)
        except (MaskUnreadableError, NoMaskCogError):
            return False
        return True

    def _row(self, field: Field, product: Candidate) -> Row:
        self.work.left_s()
        try:
            return Row((product,), self.meter.fractions(product.mask, field))
        except (MaskUnreadableError, NoMaskCogError) as error:
            logger.warning("%s: %s", product.id, error)
            return _unreadable((product,))

    def _picture(
        self, field: Field, lattice: Lattice, acquisition: Acquisition
    ) -> tuple[Row, Classes | None]:
        self.work.left_s()
        try:
            merged = merge(self.meter, field, lattice, acquisition)
        except (MaskUnreadableError, NoMaskCogError) as error:
            logger.warning("%s: %s", acquisition.name, error)
            return _unreadable(acquisition.products, acquisition.name), None
        row = Row(acquisition.products, merged.fractions, acquisition.name)
        return row, merged.classes


def _unreadable(products: tuple[Candidate, ...], acquisition: str | None = None) -> Row:
    return Row(products, _NOTHING, acquisition, UNREADABLE)
