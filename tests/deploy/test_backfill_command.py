"""``nimbostac backfill`` and ``nimbostac worker`` as a person runs them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from ingest.errors import QueueUnreachableError
from producer.storage import Storage
from producer.synthetic import Scene, build
from tests import servers

NAMES = [f"S2A_MSIL1C_201706{day}T102021_N0205_R065_T33UUU_201706{day}T102204" for day in (16, 26)]


@pytest.fixture(autouse=True)
def _no_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a stack that runs on this machine out of it."""
    monkeypatch.setenv("NIMBOSTAC_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a good product and, as a zip, one of which a part is lost."""
    folder = tmp_path_factory.mktemp("products")
    for index, name in enumerate(NAMES):
        path = build(folder, Scene(name, 120, 120, seed=index), archive=index == 1).path
    path.write_bytes(path.read_bytes()[:-4000])
    return folder


@pytest.fixture
def worker(
    pgstac: str, redis_url: str, store: Storage, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker until the test is over, and have it stopped as a service manager would."""
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli", "worker"],
            env=os.environ | {"NIMBOSTAC_LEASE_S": "2"},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["backfill", *map(str, arguments)])


def catalogue() -> list[str]:
    with psycopg.connect() as connection:
        return [item for (item,) in connection.execute("SELECT id FROM pgstac.items")]


@pytest.mark.usefixtures("worker")
def test_products_reach_the_catalogue_and_a_broken_one_says_why_it_did_not(
    products: Path, store: Storage
) -> None:
    result = run(products, "--json")
    assert result.exit_code == 1
    told = {line["product"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert set(told) == set(NAMES)
    assert told[NAMES[0]]["state"] == "published"
    assert 0 <= told[NAMES[0]]["cloud_cover"] <= 100
    assert told[NAMES[1]]["state"] == "failed"
    assert told[NAMES[1]]["kind"] == "ArchiveError"
    assert NAMES[1] in told[NAMES[1]]["reason"]
    assert catalogue() == [NAMES[0]]
    assert not [found for found in store.list() if NAMES[1] in found.key]

    again = run(products / f"{NAMES[0]}.SAFE")
    assert again.exit_code == 0
    assert again.stdout.startswith(f"{NAMES[0]}: ")
    assert again.stdout.endswith("% cloud (was there)\n")


def test_products_can_be_queued_and_left_alone(products: Path, redis_url: str) -> None:
    result = run(products, "--no-wait")
    assert result.exit_code == 0
    assert result.stdout.startswith("2 products are queued")
    told = run(products, "--no-wait", "--json").stdout.splitlines()
    assert sorted(json.loads(line)["product"] for line in told) == sorted(NAMES)


def test_a_redis_that_is_not_there_is_told_in_one_line(
    products: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = servers.free_port()
    monkeypatch.setenv("NIMBOSTAC_REDIS_URL", f"redis://127.0.0.1:{port}/0")
    result = run(products)
    assert isinstance(result.exception, QueueUnreachableError)
    assert f"127.0.0.1:{port}" in str(result.exception)


def test_a_worker_without_redis_ends_with_an_error_in_one_line(store: Storage) -> None:
    port = servers.free_port()
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "worker"],
        env=os.environ | {"NIMBOSTAC_REDIS_URL": f"redis://127.0.0.1:{port}/0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"Error: cannot reach Redis at 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_call_is_told_before_anything_is_queued(tmp_path: Path) -> None:
    assert run(tmp_path / "absent").exit_code == 2
    assert run(tmp_path, "--engine", "nonesuch").exit_code == 2
