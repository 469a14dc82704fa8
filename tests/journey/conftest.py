"""One product on its way through a whole stack."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import products
from tests.stacks import Stack

ENGINE = "ukis-csmask"


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small landscape under clouds."""
    folder = tmp_path_factory.mktemp("products")
    products.small_product(folder, products.NEW_L1C, size_px=480)
    return folder / f"{products.NEW_L1C}.SAFE"


@pytest.fixture(scope="session")
def outcome(running_stack: Stack, product: Path) -> dict[str, Any]:
    """What came of asking a worker for the mask, by the command line."""
    done = running_stack.run("backfill", str(product), "--engine", ENGINE, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
