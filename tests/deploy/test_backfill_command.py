"""``nimbostac backfill`` as a person runs it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from ingest.backfills import creating
from ingest.errors import DatabaseUnreachableError, UnknownBackfillError
from producer.engines.choice import Choice
from producer.storage import Storage
from producer.synthetic import Scene, build
from tests import servers
from tests.ingest.sources.listings import lay_out, name

NAMES = [f"S2A_MSIL1C_201706{day}T102021_N0205_R065_T33UUU_201706{day}T102204" for day in (16, 26)]
FAR = [name(day, tile) for day in range(4) for tile in ("33UUU", "34UCD")]
UKIS = ("--engine", "ukis-csmask")


@pytest.fixture(autouse=True)
def _no_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a stack that runs on this machine out of it."""
    monkeypatch.setenv("NIMBOSTAC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a good product and, as a zip, one of which a part is lost."""
    folder = tmp_path_factory.mktemp("products")
    for index, product in enumerate(NAMES):
        path = build(folder, Scene(product, 120, 120, seed=index), archive=index == 1).path
    path.write_bytes(path.read_bytes()[:-4000])
    return folder


@pytest.fixture
def lanes(pgstac: str, redis_url: str, store: Storage, tmp_path: Path) -> Iterator[None]:
    """Run a dispatcher and a worker, and have them stopped as a service manager would."""
    logs = {part: tmp_path / f"{part}.log" for part in ("dispatcher", "worker")}
    processes = []
    for part, log in logs.items():
        with log.open("wb") as output:
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "deploy.cli", part],
                    env=os.environ | {"NIMBOSTAC_LEASE_S": "5"},
                    stdout=output,
                    stderr=output,
                )
            )
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(120) for process in processes]
    told = "\n".join(log.read_text() for log in logs.values())
    assert codes == [0, 0], told
    assert "Traceback" not in told


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Lay out products that hold nothing."""
    return lay_out(tmp_path / "eodata", *FAR)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["backfill", *map(str, arguments)])


def good(*arguments: str | Path) -> Any:
    """Run a command that works, and read its JSON."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def catalogue() -> list[str]:
    with psycopg.connect() as connection:
        return [item for (item,) in connection.execute("SELECT id FROM pgstac.items")]


@pytest.mark.usefixtures("lanes")
def test_products_reach_the_catalogue_and_a_broken_one_says_why_it_did_not(
    products: Path, store: Storage
) -> None:
    result = run(products, "--json", *UKIS)
    assert result.exit_code == 1, result.output
    told = {line["product"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert set(told) == set(NAMES)
    assert told[NAMES[0]]["state"] == "published"
    assert 0 <= told[NAMES[0]]["cloud_cover"] <= 100
    assert told[NAMES[1]]["state"] == "failed"
    assert told[NAMES[1]]["kind"] == "ArchiveError"
    assert NAMES[1] in told[NAMES[1]]["reason"]
    assert catalogue() == [NAMES[0]]
    assert not [found for found in store.list() if NAMES[1] in found.key]

    again = run(products / f"{NAMES[0]}.SAFE", *UKIS)
    assert again.exit_code == 0, again.output
    assert again.stdout.startswith(f"{NAMES[0]}: ")
    assert again.stdout.endswith("% cloud (was there)\n")

    failed = [json.loads(line) for line in run("failures", "--json").stdout.splitlines()]
    assert [(one["product"], one["kind"]) for one in failed] == [(NAMES[1], "ArchiveError")]
    assert "ArchiveError" in run("failures").stdout
    days = good("coverage", "--tile", "33UUU", "--start", "2017-06-01")["days"]
    assert [(day["date"], day["products"][0]["state"]) for day in days] == [
        ("2017-06-16", "masked"),
        ("2017-06-26", "failed"),
    ]
    dry = good("create", "--source", products, *UKIS, "--dry-run")
    assert (dry["found"], dry["already_masked"], dry["to_do"]) == (2, 1, 1)
    assert dry["bytes"] == (products / f"{NAMES[1]}.zip").stat().st_size
    assert dry["expected_s"] > 0
    assert dry["basis"].startswith("1 product of the ledger's own past")


def test_products_can_be_queued_and_left_alone(pgstac: str, tree: Path) -> None:
    result = run(tree, "--no-wait", *UKIS)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{len(FAR)} products are queued")
    told = good(tree / "Sentinel-2/MSI/L1C/2020/05/01", "--no-wait", *UKIS)
    assert (told["found"], told["counts"]["due"], told["state"]) == (2, 2, "running")


def test_lists_of_products_and_folders_are_taken(
    pgstac: str, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = "Sentinel-2/MSI/L1C/2020/05/0{}"
    monkeypatch.chdir(tree)
    wanted = [f"{day.format(1)}/{FAR[0]}.SAFE", f"{day.format(2)}/{FAR[2]}.SAFE"]
    (tmp_path / "list.txt").write_text("\n".join(wanted))
    assert good(f"@{tmp_path}/list.txt", "--no-wait", *UKIS)["found"] == 2
    (tmp_path / "list.txt").write_text("\n".join([*wanted, day.format(3)]))
    told = good(f"@{tmp_path}/list.txt", "--no-wait", *UKIS)
    assert told["found"] == 4
    assert told["spec"]["source"]["address"] == str(tree / wanted[0])


def test_a_backfill_is_created_listed_shown_and_steered(pgstac: str, tree: Path) -> None:
    asked = ("--tile", "33UUU", "--start", "2020-05-02", "--name", "May")
    made = run("create", "--source", tree, *asked, *UKIS).stdout.strip()
    told = good("show", made)
    assert (told["name"], told["state"], told["engine"]) == ("May", "listing", "ukis-csmask")
    assert told["spec"]["filters"]["tiles"] == ["33UUU"]
    assert told["created_by"].endswith("command line")
    assert [one["id"] for one in good("list")] == [made]
    assert "May" in run("list").stdout
    for step, state in (
        ("pause", "paused"),
        ("resume", "listing"),
        ("abort", "aborted"),
        ("retry", "listing"),
    ):
        assert run(step, made).exit_code == 0
        assert good("show", made)["state"] == state
    shown = run("show", made).stdout
    assert "tiles 33UUU" in shown
    with psycopg.connect() as connection:
        trail = connection.execute("SELECT action FROM ledger.audit ORDER BY id").fetchall()
    assert [action for (action,) in trail] == ["create", "pause", "resume", "abort", "retry"]


def test_a_dry_run_counts_and_changes_nothing(pgstac: str, tree: Path, tmp_path: Path) -> None:
    newer = name(0, baseline="0500")
    lay_out(tree, newer)
    aoi = tmp_path / "field.geojson"
    ring = [[12.6, 52.4], [12.7, 52.4], [12.7, 52.5], [12.6, 52.4]]
    aoi.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    told = good("create", "--source", tree, "--aoi", aoi, "--max-cloud", "50", "--dry-run", *UKIS)
    assert (told["found"], told["to_do"], told["bytes_unknown"]) == (4, 4, 4)
    assert told["skipped"] == {
        "outside the area": 4,
        "there is a newer baseline": 1,
        "kept though its cloud cover is not told": 4,
    }
    assert (told["expected_s"], told["basis"]) == (None, None)
    assert good("list") == []
    assert "To do" in run("create", "--source", tree, "--dry-run", *UKIS).stdout


def test_the_engine_is_decided_when_the_backfill_is_created(
    pgstac: str, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "ukis-csmask, because KappaMask cannot run: no weights"
    monkeypatch.setattr(creating, "resolve", lambda _name, _level: Choice("ukis-csmask", reason))
    result = run("create", "--source", tree)
    assert reason in result.stderr
    told = good("show", result.stdout.strip())
    assert told["engine"] == told["spec"]["engine"] == "ukis-csmask"
    assert told["spec"]["engine_reason"] == reason


def test_coverage_names_what_was_never_asked_for(pgstac: str, tree: Path) -> None:
    assert run(tree / "Sentinel-2/MSI/L1C/2020/05/01", "--no-wait", *UKIS).exit_code == 0
    asked = ("--tile", "T33UUU", "--start", "2020-05-01", "--end", "2020-05-02")
    days = good("coverage", *asked, "--source", tree)["days"]
    assert [(day["date"], [one["state"] for one in day["products"]]) for day in days] == [
        ("2020-05-01", ["waiting"]),
        ("2020-05-02", ["missing"]),
    ]
    assert "missing" in run("coverage", *asked, "--source", tree).stdout
    assert len(good("coverage", *asked)["days"]) == 1


def test_redo_takes_what_another_version_has_masked(pgstac: str, tree: Path) -> None:
    run(tree, "--no-wait", *UKIS)
    with psycopg.connect(autocommit=True) as connection:
        for state in ("queued", "running", "done"):
            connection.execute(f"UPDATE ledger.products SET state = '{state}'")
        connection.execute(
            "UPDATE ledger.products SET engine_version = CASE WHEN tile = '33UUU'"
            " THEN '0.9' ELSE '1.0.0' END"
        )
    assert run("redo", *UKIS).stdout.startswith("4 products")
    assert run("redo", *UKIS).stdout.startswith("0 products")
    days = good("coverage", "--tile", "33UUU")["days"]
    assert {one["state"] for day in days for one in day["products"]} == {"waiting"}
    assert {one["version"] for day in days for one in day["products"]} == {"0.9"}


def test_a_database_that_is_not_there_is_told_in_one_line(
    products: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = servers.free_port()
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", str(port))
    result = run(products, *UKIS)
    assert isinstance(result.exception, DatabaseUnreachableError)
    assert str(port) in str(result.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        ("absent",),
        (".", "--engine", "nonesuch"),
        ("@absent.txt",),
        ("holiday.zip",),
        ("empty",),
        ("create", "--source", ".", "--tile", "99ZZZ"),
        ("create", "--source", ".", "--start", "2020-05-02", "--end", "2020-05-01"),
        ("create", "--source", ".", "--bbox", "1,2,3"),
        ("create", "--source", ".", "--bbox", "1,2,x,3"),
        ("create", "--source", ".", "--level", "L3"),
        ("create", "--source", ".", "--baseline", "4"),
        ("create", "--source", ".", "--aoi", "holiday.zip"),
        ("create", "--source", ".", "--root", "/eodata"),
        ("create", "--source", "s3://eodata", "--collection", "sentinel-2-l1c"),
        ("create",),
        ("show",),
    ],
)
def test_a_wrong_call_is_told_before_anything_is_asked_for(
    pgstac: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holiday.zip").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / f"{FAR[0]}.SAFE").mkdir()
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    with psycopg.connect() as connection:
        assert connection.execute("SELECT count(*) FROM ledger.backfills").fetchone() == (0,)


def test_a_backfill_that_there_is_not_is_an_error(pgstac: str) -> None:
    for command in ("show", "pause", "resume", "abort", "retry", "failures"):
        assert isinstance(run(command, "nonesuch").exception, UnknownBackfillError)
