"""Time series: the sky over a polygon, acquisition by acquisition."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tiler.clear.fractions import COVERED
from tiler.clear.rows import Row

COLUMNS = (
    "datetime",
    "collection",
    "acquisition",
    *(info.name for info in COVERED),
    "coverage",
    "error",
    "items",
)
"""What each acquisition is told by, in the order of a table."""


@dataclass(frozen=True, slots=True)
class Series:
    """Acquisitions in the order of time."""

    rows: tuple[Row, ...]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Series":
        """Order acquisitions by the time of sensing of their first product."""
        return cls(tuple(sorted(rows, key=lambda row: (row.datetime, row.value("collection")))))

    def records(self) -> list[dict[str, Any]]:
        """Give one record an acquisition."""
        return [
            {
                "datetime": row.datetime,
                "collection": row.first.collection,
                "acquisition": row.acquisition,
                **row.fractions.by_class(),
                "coverage": row.fractions.coverage,
                "error": row.fractions.error,
                "items": [product.id for product in row.products],
            }
            for row in self.rows
        ]

    def csv(self) -> str:
        """Write a table; ids of several products are separated by blanks."""
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
        table.writeheader()
        for record in self.records():
            table.writerow({**record, "items": " ".join(record["items"])})
        return text.getvalue()
