"""An open ledger, and folders of products that hold nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from ingest import ledger
from ingest.backfills.spec import BackfillSpec
from ingest.ledger import Ledger
from tests.ingest.sources.listings import lay_out

States = Callable[[], dict[str, str]]


@pytest.fixture
def book(pgstac: str) -> Iterator[Ledger]:
    with ledger.opened() as opened:
        yield opened


@pytest.fixture
def states(pgstac: str) -> States:
    """Tell the state of every product that the ledger knows."""

    def look() -> dict[str, str]:
        with psycopg.connect() as connection:
            return dict(connection.execute("SELECT product, state::text FROM ledger.products"))

    return look


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., BackfillSpec]:
    """Ask for products that are laid out under a root of the test."""

    def ask(*products: str, root: str = "eodata", **told: object) -> BackfillSpec:
        place = lay_out(tmp_path / root, *products)
        source = {"kind": "folder", "address": str(place)}
        return BackfillSpec.read({"source": source, "engine": "ukis-csmask", **told})

    return ask
