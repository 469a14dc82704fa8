import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy import cli, errors
from ingest.errors import QueueUnreachableError
from producer.errors import NoSpaceError


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "deploy.cli", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", "HOME": "/nonexistent", **environment},
    )


def loaded_by(arguments: str) -> set[str]:
    """Tell which top-level modules a command line loads."""
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-m", "deploy.cli", *arguments.split()],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_every_command_is_listed_with_what_it_does() -> None:
    listed = CliRunner().invoke(cli.app, ["--help"]).stdout
    for name in cli.COMMANDS:
        assert name in listed


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    assert CliRunner().invoke(cli.app, [name, "--help"]).exit_code == 0


@pytest.mark.parametrize("arguments", ["--help", "mask --help", "status --help"])
def test_help_loads_no_heavy_package(arguments: str) -> None:
    heavy = {"numpy", "rasterio", "fastapi", "arq", "psycopg", "torch", "onnxruntime", "httpx"}
    assert not loaded_by(arguments) & heavy


def test_an_unknown_command_is_a_wrong_usage() -> None:
    assert CliRunner().invoke(cli.app, ["masc"]).exit_code == 2


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(cli.app, ["--version"]).stdout.startswith("nimbostac ")


def test_an_error_that_is_known_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    failed = run("logs", NIMBOSTAC_HOME=str(tmp_path))
    assert failed.returncode == 1
    assert failed.stderr == f"Error: {tmp_path} holds no logs: no stack has run there\n"
    assert failed.stdout == ""


def test_debug_shows_where_an_error_arose(tmp_path: Path) -> None:
    failed = run("--debug", "logs", NIMBOSTAC_HOME=str(tmp_path))
    assert failed.returncode == 1
    assert "Traceback" in failed.stderr
    assert "deploy/stack/logs.py" in failed.stderr


def test_a_setting_that_cannot_be_is_told_by_the_name_of_its_variable() -> None:
    failed = run("status", NIMBOSTAC_PORT="many")
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: NIMBOSTAC_PORT: ")
    assert "'many'" in failed.stderr


@pytest.mark.parametrize(
    "error",
    [
        NoSpaceError("/masks"),
        QueueUnreachableError("127.0.0.1:6379", "refused"),
        errors.StackDownError(Path("/home")),
    ],
)
def test_the_errors_of_every_package_are_told_in_their_own_words(error: Exception) -> None:
    assert cli.told(error) == str(error)


def test_an_error_that_nobody_foresaw_is_not_hidden() -> None:
    assert cli.told(RuntimeError("a bug")) is None
    assert (
        cli.told(ModuleNotFoundError("No module named 'deploy.gone'", name="deploy.gone")) is None
    )


def test_a_package_that_is_missing_is_told_with_the_extra_that_brings_it(tmp_path: Path) -> None:
    # The command as it is, in a Python that lacks the package.
    script = tmp_path / "without_arq.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            sys.modules["arq"] = None
            from deploy.cli import main
            main()
            """
        )
    )
    failed = subprocess.run(
        [sys.executable, "-P", script, "worker"], check=False, capture_output=True, text=True
    )
    assert failed.returncode == 1
    assert "nimbostac worker needs the package arq" in failed.stderr
    assert "install nimbostac[ingest,producer]" in failed.stderr


def test_ctrl_c_ends_with_130(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(
        textwrap.dedent(
            """
            import deploy.stack.run
            from deploy.cli import main
            def interrupt(home):
                raise KeyboardInterrupt
            deploy.stack.run.current = interrupt
            main()
            """
        )
    )
    failed = subprocess.run(
        [sys.executable, "-P", script, "status"], check=False, capture_output=True, text=True
    )
    assert failed.returncode == 130
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("package", ["producer", "ingest", "catalog", "tiler", "deploy"])
def test_our_names_are_ours_from_any_folder(package: str) -> None:
    # Other distributions have packages of such names.
    found = subprocess.run(
        [sys.executable, "-P", "-c", f"import {package}; print({package}.__file__)"],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
    ).stdout.strip()
    assert Path(found).is_relative_to(Path(cli.__file__).parents[1])
