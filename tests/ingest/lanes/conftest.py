"""Lanes for the tests: a database, a queue and storage, with everything quick."""

import pytest

from producer.storage import Storage
from tests.ingest.lanes.platform import quick_turns


@pytest.fixture(autouse=True)
def _servers(
    pgstac: str,
    redis_url: str,
    store: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Have servers, and dispatchers that never wait."""
    quick_turns(monkeypatch)
