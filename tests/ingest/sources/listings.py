"""Product names by the dozen, and listings as a source gives them."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.filters import Filters
from ingest.sources import Candidate, Page, Source
from producer.product import ProductName

FIRST = datetime(2020, 5, 1, 9, 40, 41, tzinfo=UTC)
ANY = Filters()


def name(day: int = 0, tile: str = "33UUU", level: str = "L1C", baseline: str = "0209") -> str:
    sensed = FIRST + timedelta(days=day)
    return str(ProductName("S2A", level, sensed, baseline, 36, tile, f"{sensed:%Y%m%d}T111504"))


def place(product: str) -> str:
    """Path below ``Sentinel-2/MSI``, as CREODIAS has it."""
    parsed = ProductName.parse(product)
    return f"{parsed.level}/{parsed.sensed:%Y/%m/%d}/{product}.SAFE"


def lay_out(root: Path, *products: str) -> Path:
    for product in products:
        (root / "Sentinel-2/MSI" / place(product)).mkdir(parents=True)
    return root


def everything(
    source: Source, filters: Filters = ANY, cursor: str | None = None
) -> tuple[list[Candidate], Counter[str]]:
    found: list[Candidate] = []
    skipped: Counter[str] = Counter()
    for page in source.pages(filters, cursor):
        found.extend(page.candidates)
        skipped.update(page.skipped)
    return found, skipped


def one_page_a_process(source: Source, filters: Filters = ANY) -> Iterator[Page]:
    """List as if the process died after every page: each is asked for anew."""
    cursor = None
    while True:
        page = next(iter(source.pages(filters, cursor)))
        yield page
        cursor = page.cursor
        if cursor is None:
            return
