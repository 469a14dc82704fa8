import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy import demo, sample
from deploy.errors import DemoError
from ingest.settings import IngestSettings
from tests import products
from tests.journey.conftest import ENGINE
from tests.stacks import Stack


def told(outcome: dict[str, Any], product: str = products.NEW_L1C) -> demo.Masked:
    return demo.Masked(product, outcome["collection"], ENGINE, before=False)


def silent(step: str, done: int, total: int) -> None:
    pass


def test_the_demo_shows_addresses_that_answer(
    running_stack: Stack, outcome: dict[str, Any]
) -> None:
    steps = []
    url = running_stack.status()["url"]
    shown = demo.show(url, told(outcome), lambda *step: steps.append(step))
    assert [done for _, done, _ in steps] == list(range(8))
    assert httpx.get(shown.stac, timeout=60).json()["features"][0]["id"] == products.NEW_L1C
    assert httpx.get(shown.thumbnail, timeout=60).headers["content-type"] == "image/png"
    assert "{z}/{x}/{y}" in shown.xyz
    assert shown.engine == ENGINE


def test_the_python_that_the_demo_prints_runs(
    running_stack: Stack, outcome: dict[str, Any]
) -> None:
    shown = demo.show(running_stack.status()["url"], told(outcome), silent)
    lines = demo.snippet(shown)
    assert len(lines.splitlines()) == 3
    done = subprocess.run(
        [sys.executable, "-c", lines], check=False, capture_output=True, text=True, cwd="/"
    )
    assert "'eo:cloud_cover'" in done.stdout, done.stderr


def test_a_mask_that_cannot_be_found_is_not_shown(
    running_stack: Stack, outcome: dict[str, Any]
) -> None:
    url = running_stack.status()["url"]
    with pytest.raises(DemoError, match="finds 0 Items, not one"):
        demo.show(url, told(outcome, products.OLD_L1C), silent)


def test_an_address_that_does_not_answer_is_told(outcome: dict[str, Any]) -> None:
    with pytest.raises(DemoError, match=r"http://127\.0\.0\.1:1 does not answer"):
        demo.show("http://127.0.0.1:1", told(outcome), silent)


def test_a_product_that_cannot_be_masked_is_told_with_the_reason(
    running_stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / f"{products.OLD_L2A}.SAFE"
    broken.mkdir()
    monkeypatch.setattr(sample, "fetch", lambda *_: broken)
    for variable, value in running_stack.servers.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(DemoError, match=f"{products.OLD_L2A} was not masked: .*manifest"):
        demo.mask(IngestSettings(), ENGINE, silent)
