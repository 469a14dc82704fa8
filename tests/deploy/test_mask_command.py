"""``nimbostac mask`` as a person runs it."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import obstore
import pytest
from obstore.store import from_url
from typer.testing import CliRunner, Result

from deploy.cli import app
from producer.masking import Masker
from producer.record import MaskRecord
from producer.synthetic import Scene, build
from tests import buckets

NAMES = [
    f"S2A_MSIL1C_201706{day}T102021_N0205_R065_T33UUU_201706{day}T102204" for day in (16, 26, 28)
]


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with two good products, one a zip, and one whose band is cut short."""
    folder = tmp_path_factory.mktemp("products")
    for index, name in enumerate(NAMES):
        scene = Scene(name, 120, 120, seed=index)
        path = build(folder / str(index), scene, archive=index == 1).path
    band = next(path.rglob("*_B03.jp2"))
    band.write_bytes(band.read_bytes()[:400])
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep out the weights of whoever runs the tests: they would choose another engine."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("NIMBOSTAC_CACHE_DIR", str(folder))
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["mask", *map(str, arguments)])


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_bad_product_does_not_keep_the_others_from_being_masked(
    products: Path, tmp_path: Path
) -> None:
    result = run(products, "-o", tmp_path, "--json")
    assert result.exit_code == 1
    told = lines(result)
    assert [line["status"] for line in told] == ["made", "made", "failed"]
    assert [line["product"] for line in told[:2]] == NAMES[:2]
    assert "B03" in str(told[2]["error"])
    assert "B03" in result.stderr
    for line in told[:2]:
        assert Path(str(line["mask"]).removeprefix("file://")).is_file()
        sky = sum(line[name] for name in ("clear", "cloud", "cloud_shadow", "semi_transparent"))  # type: ignore[misc]
        assert sky == pytest.approx(1, abs=1e-5)


def test_the_same_command_again_does_only_what_is_left(products: Path, tmp_path: Path) -> None:
    first = products / "0" / f"{NAMES[0]}.SAFE"
    assert run(first, "-o", tmp_path).exit_code == 0
    listed = tmp_path / "list.txt"
    listed.write_text(f"{first}\n\n{products / '1'}\n{first}\n")
    result = run(f"@{listed}", "-o", tmp_path, "--json")
    assert result.exit_code == 0
    assert [line["status"] for line in lines(result)] == ["there", "made"]
    again = run(first, "-o", tmp_path, "--json", "--overwrite")
    assert [line["status"] for line in lines(again)] == ["made"]


def test_people_are_told_the_shares_of_the_sky(products: Path, tmp_path: Path) -> None:
    result = run(products / "0", "-o", tmp_path, "--no-preview")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{NAMES[0]}: clear ")
    assert "cloud shadow" in result.stdout
    assert "semi" not in result.stdout
    assert not list(tmp_path.rglob("*_preview.tif"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.SAFE"], "not there"),
        (["@nowhere.txt"], "cannot be read"),
        (["."], "holds none"),
        ([".", "--engine", "fmask"], "ukis-csmask"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage_ends_with_two(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_store_that_cannot_be_opened_is_told(products: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "deploy.cli", "mask", products, "-o", tmp_path / "file" / "x"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: cannot write")
    assert "Traceback" not in result.stderr


def test_an_interrupt_says_what_is_done_and_ends_with_130(products: Path, tmp_path: Path) -> None:
    # The second may be masked along with the first, the third only after it: it is not over.
    second, third = (
        build(tmp_path / "in", Scene(NAMES[0].replace("33UUU", tile), size_px, size_px)).path
        for tile, size_px in (("33UVU", 300), ("33UWU", 1200))
    )
    command = [sys.executable, "-m", "deploy.cli", "mask", products / "0", second, third]
    process = subprocess.Popen(
        [*command, "-o", tmp_path / "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(NAMES[0])
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    told = re.search(r"Interrupted: (\d) done, 0 failed, (\d) to do\.", stderr)
    assert told is not None
    assert sum(map(int, told.groups())) == 3
    assert "Traceback" not in stderr
    assert int(told[1]) <= len(list((tmp_path / "out").rglob("*.json"))) <= 2
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_full_disk_stops_the_run(
    products: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from producer.errors import NoSpaceError

    def full(*_: object) -> None:
        raise NoSpaceError("masks")

    monkeypatch.setattr(Masker, "mask", full)
    result = run(products, "-o", tmp_path)
    assert result.exit_code == 1
    assert "no space left" in result.stderr
    assert "Stopped: 2 not tried" in result.stderr


def test_products_in_a_bucket_are_masked_and_nothing_of_them_is_left(
    products: Path, tmp_path: Path, cache: Path
) -> None:
    safe = products / "0" / f"{NAMES[0]}.SAFE"
    archive = products / "1" / f"{NAMES[1]}.zip"
    with buckets.bucket("products") as bucket:
        store = from_url(bucket)
        for file in (file for file in safe.rglob("*") if file.is_file()):
            obstore.put(store, f"a/{file.relative_to(safe.parent).as_posix()}", file)
        obstore.put(store, f"b/{archive.name}", archive)
        sources = [f"{bucket}/a/{safe.name}/", f"{bucket}/b/{archive.name}", f"{bucket}/b/no.zip"]
        result = run(*sources, "-o", tmp_path / "masks", "--json")
        assert result.exit_code == 1
        told = lines(result)
        assert [line["status"] for line in told] == ["made", "made", "failed"]
        assert str(told[2]["error"]).startswith(f"{bucket}/b/no.zip cannot be fetched")
        assert not [path for path in cache.rglob("*") if path.is_file()]
        record = next((tmp_path / "masks").rglob(f"{NAMES[0]}*.json"))
        assert MaskRecord.parse(record.read_bytes(), "").source.uri == sources[0].rstrip("/")
        obstore.delete(store, [f"b/{archive.name}"])
        # What is masked already is not even looked for.
        again = run(*sources[:2], "-o", tmp_path / "masks", "--json")
    assert [line["status"] for line in lines(again)] == ["there", "there"]
    here = run(safe, "-o", tmp_path / "here", "--json")
    assert lines(here)[0]["clear"] == told[0]["clear"]


def test_checksums_are_verified_where_that_is_asked_for(products: Path, tmp_path: Path) -> None:
    """The product whose band was cut short."""
    result = run(products / "2", "-o", tmp_path, "--json", "--verify")
    assert result.exit_code == 1
    assert re.search(r"B03\.jp2 has 400 bytes, wanted \d+ by manifest", result.stdout)
    assert run(products / "0", "-o", tmp_path, "--verify").exit_code == 0


def test_it_works_where_no_service_is_installed(products: Path, tmp_path: Path) -> None:
    # What import does where a package is not installed.
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['fastapi', 'arq', 'redis', 'psycopg',"
        " 'titiler', 'stac_fastapi', 'pypgstac', 'torch']));"
        "sys.argv = ['nimbostac', 'mask', *sys.argv[1:]]; from deploy.cli import main; main()"
    )
    command = [sys.executable, "-W", "error", "-c", code, products / "0", "-o", tmp_path]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert list(tmp_path.rglob("*.json"))
