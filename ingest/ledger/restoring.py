"""Restoring: the ledger brought in line with what lies in storage."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg.types.json import Jsonb

from ingest.ledger.session import Session
from ingest.ledger.values import Lane
from producer import staging
from producer.product import ProductName

_PRIORITY = 5
"""Of a backfill; counts only once the product is wanted again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A mask that lies in storage and is published."""

    engine: str
    product: str
    source: str
    """Where the product lay when it was masked."""
    version: str
    """Of the engine."""
    record: str
    """Key of the record."""


class Restoring(Session):
    """What the ledger learns from storage."""

    def adopt(self, stored: Sequence[Stored]) -> int:
        """Note masks as done that the ledger has never heard of; tell how many.

        What it knows stays as it is: it may know of something later.
        """
        if not stored:
            return 0
        return self._run(
            "INSERT INTO ledger.products (engine, product, source, level, tile, sensed, state,"
            " lane, entry, priority, engine_version, record)"
            " SELECT engine, product, source, level, tile, sensed, 'done', 'publish',"
            " entry, %(priority)s, version, record"
            " FROM jsonb_to_recordset(%(stored)s) AS s (engine text, product text, source text,"
            " level text, tile text, sensed timestamptz, entry ledger.lane, version text,"
            " record text)"
            ' ORDER BY product COLLATE "C", engine COLLATE "C"'
            " ON CONFLICT (product, engine) DO NOTHING",
            {"stored": Jsonb([_facts(one) for one in stored]), "priority": _PRIORITY},
        )

    def correct(self, id: int, version: str, record: str) -> bool:  # noqa: A002 - its name in the ledger
        """Note which mask of a product that is done is there; tell whether it is still done."""
        return bool(
            self._run(
                "UPDATE ledger.products SET engine_version = %(version)s, record = %(record)s,"
                " updated = clock_timestamp() WHERE id = %(id)s AND state = 'done'",
                {"id": id, "version": version, "record": record},
            )
        )

    def mask_again(self, id: int) -> bool:  # noqa: A002 - its name in the ledger
        """Put a product on its way whose mask is gone; tell whether it was not on it already."""
        with self._still():
            changed = self._run(
                "UPDATE ledger.products SET state = ledger.ready(id), lane = entry, attempts = 0,"
                " due = clock_timestamp(), engine_version = NULL, record = NULL, staged = NULL,"
                " error_kind = NULL, error = NULL, updated = clock_timestamp()"
                " WHERE id = %(id)s AND state IN ('done', 'failed', 'aborted')",
                {"id": id},
            )
        return bool(changed)


def _facts(one: Stored) -> dict[str, Any]:
    name = ProductName.parse(one.product)
    return {
        **asdict(one),
        "level": name.level,
        "tile": name.tile,
        "sensed": name.sensed.isoformat(),
        "entry": Lane.STAGE if staging.is_remote(one.source) else Lane.MASK,
    }
