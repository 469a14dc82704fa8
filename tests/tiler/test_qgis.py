"""QGIS itself draws our layers, where it is installed for the system's Python."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

from producer.classes import CLASSES, MaskClass
from producer.storage import Storage
from tests.tiler.clear.test_hanging_up import served
from tests.tiler.scenes import Scene, catalogue, store_scene
from tiler.app import create_app

PYTHON = shutil.which("python3", path="/usr/bin")
SCRIPT = """
import json, sys
from qgis.core import (QgsApplication, QgsCoordinateReferenceSystem, QgsMapRendererSequentialJob,
    QgsMapSettings, QgsRasterLayer, QgsRectangle)
from qgis.PyQt.QtCore import QSize
said = json.load(sys.stdin)
application = QgsApplication([], False)
application.initQgis()
found = []
for address in said["addresses"]:
    layer = QgsRasterLayer(address, "masks", "wms")
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    settings.setOutputSize(QSize(100, 100))
    settings.setExtent(QgsRectangle(*said["box"]))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    color = job.renderedImage().pixelColor(50, 50)
    found.append([layer.isValid(), color.red(), color.green(), color.blue()])
print(json.dumps(found))
sys.stdout.flush()
application.exitQgis()
"""
FIRST = datetime(2024, 6, 1, 10, tzinfo=UTC)
# In the middle of the mask, in metres of Web Mercator.
BOX = (1_509_000, 7_017_000, 1_513_000, 7_021_000)

pytestmark = [
    pytest.mark.skipif(
        PYTHON is None
        or subprocess.run(
            [PYTHON, "-c", "import qgis.core"], check=False, capture_output=True, cwd="/"
        ).returncode
        != 0,
        reason="python3-qgis is not installed",
    ),
    pytest.mark.filterwarnings("ignore::morecantile.errors.PointOutsideTMSBounds"),
]


@pytest.fixture(scope="module")
def port(catalogued: Storage) -> Iterator[int]:
    """Serve cloud on the first of June and shadow two days later."""
    classes = np.full((1024, 1024), MaskClass.CLOUD, np.uint8)
    first = Scene("FIRST", 32633, 399960, 5900040, classes, FIRST, "qgis")
    later = replace(
        first,
        id="LATER",
        classes=np.full_like(classes, MaskClass.CLOUD_SHADOW),
        sensed=FIRST + timedelta(days=2),
    )
    catalogue(store_scene(first, catalogued), store_scene(later, catalogued))
    with served(create_app()) as port:
        yield port


def on_white(value: MaskClass) -> list[int]:
    *color, opacity = next(info.color for info in CLASSES if info.value is value)
    return [round(part * opacity / 255 + 255 - opacity) for part in color]


def test_it_steps_through_the_days_of_a_wmts_and_reads_xyz(port: int, tmp_path: Path) -> None:
    base = f"http://127.0.0.1:{port}/collections/qgis"
    wmts = (
        "crs=EPSG:3857&format=image/png&styles=default&tileMatrixSet=WebMercatorQuad"
        f"&url={quote(f'{base}/WMTSCapabilities.xml', safe='')}"
        "&layers=masks_WebMercatorQuad_default"
    )
    xyz = f"{base}/tiles/WebMercatorQuad/{{z}}/{{x}}/{{y}}.png?datetime=2024-06-01"
    wanted = {
        f"{wmts}_by_day&tileDimensions=TIME%3D2024-06-01": MaskClass.CLOUD,
        f"{wmts}_by_day&tileDimensions=TIME%3D2024-06-03": MaskClass.CLOUD_SHADOW,
        wmts: MaskClass.CLOUD_SHADOW,
        f"type=xyz&zmin=0&zmax=18&url={quote(xyz, safe=':/{}')}": MaskClass.CLOUD,
    }
    done = subprocess.run(
        [str(PYTHON), "-c", SCRIPT],
        input=json.dumps({"addresses": list(wanted), "box": BOX}),
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd="/",
    )
    found = json.loads(done.stdout.strip().splitlines()[-1])
    for (valid, *color), value in zip(found, wanted.values(), strict=True):
        assert valid
        assert np.abs(np.subtract(color, on_white(value))).max() <= 2
