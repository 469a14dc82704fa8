"""``nimbostac clear`` as a person runs it, on a real catalogue."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Transformer
from shapely.geometry import Polygon, mapping

from producer.storage import Storage
from tests import records

DAYS = 3


@pytest.fixture
def aoi(tmp_path: Path, pgstac: str, store: Storage) -> Path:
    """Catalogue three masks, each clearer than the one before, and draw a field on them."""
    masks = []
    for day in range(DAYS):
        mask = np.full((256, 256), 4, np.uint8)
        mask[:, : 100 + 10 * day] = 1
        sensed = records.SENSED + timedelta(days=day)
        masks.append(records.stored_mask(store, sensed=sensed, mask=mask))
    records.catalogued(store, *masks)
    west, _, _, north = records.grid_of("33UUU").bounds
    back = Transformer.from_crs(32633, 4326, always_xy=True)
    corners = [(90, 50), (130, 50), (130, 90), (90, 90)]
    field = Polygon([back.transform(west + 10 * x, north - 10 * y) for x, y in corners])
    path = tmp_path / "field.geojson"
    features = [{"type": "Feature", "properties": {}, "geometry": mapping(field)}]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def run(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-m", "deploy.cli", "clear", *map(str, arguments)]
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200", **environment},
    )


def expected(day: int) -> float:
    """Columns 90 to 130 of which those below 100, 110 and 120 are clear."""
    return (10 + 10 * day) / 40


def test_a_person_reads_when_the_sky_was_clear(aoi: Path) -> None:
    day = f"{records.SENSED + timedelta(days=1):%Y-%m-%d}"
    done = run("--aoi", aoi, "--from", day, "--to", day)
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    assert line.startswith(day)
    assert "clear 50%, cloud 50%; 100% covered" in line


def test_programs_read_a_table_or_an_item_collection(aoi: Path) -> None:
    table = list(csv.DictReader(io.StringIO(run("--aoi", aoi, "--csv").stdout)))
    assert [float(row["clear"]) for row in table] == [expected(day) for day in range(DAYS)]
    found: dict[str, Any] = json.loads(run("--aoi", aoi, "--best", "2", "--json").stdout)
    clear = [feature["properties"]["aoi:clear"] for feature in found["features"]]
    assert clear == [expected(2), expected(1)]
    assert Path(found["features"][0]["assets"]["mask"]["href"].removeprefix("file://")).exists()


def test_what_is_wrong_is_said_in_a_line(aoi: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.geojson"
    empty.write_text("{}")
    assert "holds no polygon" in run("--aoi", empty).stderr
    assert run("--aoi", empty).returncode == 2
    small = run("--aoi", aoi, NIMBOSTAC_TILER_CLEAR_VERTICES="4")
    assert (small.returncode, small.stdout) == (1, "")
    assert "vertices of the polygon: 5, and at most 4" in small.stderr
    away = run("--aoi", aoi, PGPORT="1", NIMBOSTAC_TILER_DB_TIMEOUT_S="1")
    assert away.returncode == 1
    assert "the database does not answer" in away.stderr
    nothing = run("--aoi", aoi, "--from", f"{datetime.now(UTC):%Y-%m-%d}")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "No product" in nothing.stderr
