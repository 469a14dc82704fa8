"""Where questions about polygons are answered, over HTTP, on the command line or in Python.

::

    from tiler.clear.desk import opened
    from tiler.clear.question import ClearSearch

    with opened() as desk:
        question = ClearSearch(intersects=field, datetime="2024-01-01/2024-12-31", min_clear=0.9)
        answer = desk.search(question, desk.work())
        best = [(row.datetime, row.fractions.clear) for row in answer.rows]

The database is named by the usual ``PG*`` variables.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg_pool import PoolTimeout

from producer.storage import Storage
from tiler.clear.candidates import Catalogue
from tiler.clear.cover import Seen, Step, smallest
from tiler.clear.coverage import Classes, Field
from tiler.clear.measuring import Meter
from tiler.clear.polygons import Area, Limits
from tiler.clear.pool import Pool, Work
from tiler.clear.question import ClearSearch, CoverSearch, Place, StatisticsSearch
from tiler.clear.rows import Row, Sky
from tiler.clear.statistics import around, statistics, zones_of
from tiler.database import Pool as Database
from tiler.database import open_pool
from tiler.errors import CatalogueAwayError
from tiler.rasters import Rasters
from tiler.settings import TilerSettings


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of rows."""

    rows: list[Row]
    matched: int
    """Rows of all pages."""
    token: str | None
    """Of the next page."""


class Desk:
    """Holds what all questions share: connections, open masks, threads and limits."""

    def __init__(self, settings: TilerSettings, database: Database, rasters: Rasters) -> None:
        self.settings = settings
        self.catalogue = Catalogue(database, settings.clear_items)
        self.store = Storage.from_url(settings.store_url) if settings.store_url else None
        self.limits = Limits(settings.clear_vertices, settings.clear_area_km2)
        self.pool = Pool(
            settings.clear_threads,
            settings.clear_requests,
            settings.clear_queue,
            settings.clear_timeout_s,
        )
        self._meter = Meter(rasters, settings.clear_exact_km2)

    def close(self) -> None:
        """Let the threads go."""
        self.pool.close()

    def work(self) -> Work:
        """Begin a question; its time counts from now."""
        return self.pool.work()

    def sky(self, work: Work) -> Sky:
        """Look at masks for a question."""
        return Sky(self.catalogue, self._meter, work)

    def area(self, place: Place) -> Area:
        """Read the polygon of a question.

        Raises:
            PolygonError: It is none.
            LimitError: It is too large.
        """
        return place.area(self.limits)

    def search(self, question: ClearSearch, work: Work) -> Answer:
        """Find products, or acquisitions, by the sky over a polygon.

        Raises:
            ClearError: The question cannot be answered, or is too much.
        """
        order, area = question.order(), self.area(question)
        rows = self.looked(question, area, work, grouped=question.is_grouped)
        page, token = order.page(rows, question.token, question.limit)
        if question.best is None:
            return Answer(page, len(rows), token)
        best, _ = order.page(rows, None, question.best)
        return Answer(best, len(best), None)

    def looked(self, place: Place, area: Area, work: Work, *, grouped: bool) -> list[Row]:
        """Give all rows that meet the conditions, in no order.

        Raises:
            ClearError: The question cannot be answered, or is too much.
        """
        holds, sky, field = place.condition(), self.sky(work), Field(area)
        products = sky.products(place, area)
        rows = sky.acquisitions(products, field) if grouped else sky.rows(products, field)
        return [row for row in rows if holds(row)]

    def acquisitions(self, place: Place, work: Work) -> list[Row]:
        """Give all acquisitions that meet the conditions, in no order.

        Raises:
            ClearError: The question cannot be answered, or is too much.
        """
        return self.looked(place, self.area(place), work, grouped=True)

    def cover(self, question: CoverSearch, work: Work) -> list[Step]:
        """Choose the acquisitions that together see a polygon clear.

        Raises:
            ClearError: The question cannot be answered, or is too much.
        """
        area, holds, sky = self.area(question), question.condition(), self.sky(work)
        field = Field(area)

        def keep(row: Row, classes: Classes | None) -> Seen | None:
            return None if classes is None or not holds(row) else Seen.of(row, classes)

        found = sky.pictures(sky.products(question, area), field, keep)
        return smallest([one for one in found if one], question.share, question.most)

    def statistics(self, question: StatisticsSearch, work: Work) -> list[dict[str, Any]]:
        """Measure a mosaic of products, the latest on top, within many features.

        Raises:
            ClearError: The question cannot be answered, or is too much.
        """
        features = question.features.features
        zones = zones_of(features, self.limits, self.settings.clear_features)
        sky = self.sky(work)
        return statistics(sky, zones, sky.products(question, around(zones)))


@contextmanager
def opened(settings: TilerSettings | None = None) -> Iterator[Desk]:
    """Open a desk while the block runs.

    Raises:
        CatalogueAwayError: The database does not answer.
    """
    settings = settings or TilerSettings()
    with open_pool(settings) as database:
        try:
            database.wait(settings.db_timeout_s)
        except PoolTimeout as error:
            raise CatalogueAwayError from error
        desk = Desk(settings, database, Rasters(settings))
        try:
            yield desk
        finally:
            desk.close()
