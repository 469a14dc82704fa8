"""What the catalogue loads, and whose names its imports are."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _told(program: str, cwd: Path) -> str:
    return subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=cwd, check=True, capture_output=True, text=True
    ).stdout


def test_the_catalogue_loads_no_network_and_no_job_queue(tmp_path: Path) -> None:
    program = (
        "import sys, json; from catalog.app import create_app; create_app();"
        "print(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    )
    loaded = set(json.loads(_told(program, tmp_path)))
    assert "stac_fastapi" in loaded
    assert not loaded & {"torch", "onnxruntime", "arq", "titiler", "rasterio"}


@pytest.mark.parametrize("name", ["producer", "ingest", "catalog", "tiler", "deploy"])
def test_a_package_is_ours_wherever_it_is_imported_from(name: str, tmp_path: Path) -> None:
    program = f"import {name}; print({name}.__file__)"
    assert Path(_told(program, tmp_path).strip()).resolve() == ROOT / name / "__init__.py"
