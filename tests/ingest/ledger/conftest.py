from collections.abc import Iterator

import pytest

from ingest import ledger
from ingest.ledger import Ledger


@pytest.fixture
def book(pgstac: str) -> Iterator[Ledger]:
    """Open an empty ledger."""
    with ledger.opened() as opened:
        yield opened
