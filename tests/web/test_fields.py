import json
import sqlite3
import struct
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
import shapely
from pyproj import CRS, Transformer

from tests.web import skies
from tests.web.fields import GEOMETRY, answered, at_field, field_file, given
from tests.web.screen import Visits

KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>North</name><Polygon>
<outerBoundaryIs><LinearRing><coordinates>{}</coordinates></LinearRing></outerBoundaryIs>
</Polygon></Placemark></Document></kml>"""


def geopackage(folder: Path) -> Path:
    """Write the field in the coordinates of the German land survey, as QGIS would."""
    crs = CRS.from_epsg(25833)
    to_metres = Transformer.from_crs(4326, crs, always_xy=True)
    polygon = shapely.Polygon([to_metres.transform(*corner) for corner in skies.field()])
    other = shapely.box(*polygon.centroid.buffer(90).bounds)
    file = folder / "fields.gpkg"
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA application_id = 0x47504B47")
        database.execute(
            "CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY,"
            " organization TEXT, organization_coordsys_id INTEGER, definition TEXT)"
        )
        database.execute(
            "CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT,"
            " geometry_type_name TEXT, srs_id INTEGER, z INTEGER, m INTEGER)"
        )
        database.execute(
            "INSERT INTO gpkg_spatial_ref_sys VALUES (?, 25833, 'EPSG', 25833, ?)",
            (crs.name, crs.to_wkt("WKT1_GDAL")),
        )
        database.execute(
            "INSERT INTO gpkg_geometry_columns"
            " VALUES ('the fields', 'geom', 'POLYGON', 25833, 0, 0)"
        )
        database.execute(
            'CREATE TABLE "the fields" (fid INTEGER PRIMARY KEY, geom BLOB, name TEXT)'
        )
        for name, shape in (("East", polygon), ("Small", other)):
            header = b"GP\x00\x01" + struct.pack("<i", 25833)
            database.execute(
                'INSERT INTO "the fields" (geom, name) VALUES (?, ?)',
                (header + shapely.to_wkb(shape), name),
            )
    database.close()
    return file


def test_a_kml_file_and_a_geopackage_in_metres_are_the_same_field(
    season: Visits, tmp_path: Path
) -> None:
    visit = season.open()
    kml = tmp_path / "field.kml"
    kml.write_text(KML.format(" ".join(f"{x},{y},0" for x, y in skies.field())))
    page = given(visit, kml)
    size = page.locator(".field-card strong").inner_text()
    assert size == "41 ha"
    by_kml = page.locator(".sky-day").evaluate_all("all => all.map((one) => one.ariaLabel)")
    page.get_by_role("button", name="Another field").click()
    page.get_by_label("File with the field").set_input_files(geopackage(tmp_path))
    page.get_by_label("Of fields.gpkg").select_option("East")
    answered(visit)
    assert page.locator(".field-card strong").inner_text() == size
    by_geopackage = page.locator(".sky-day").evaluate_all("all => all.map((one) => one.ariaLabel)")
    assert by_geopackage == by_kml
    assert any(url.endswith("sql-wasm.wasm") for url in visit.requested)


def test_a_dropped_file_is_taken_wherever_one_is_and_a_pasted_text_too(season: Visits) -> None:
    visit = season.open()
    visit.go("")
    page = visit.page
    assert not any("area/" in url or "sql" in url for url in visit.requested)
    page.evaluate(
        """text => {
            const held = new DataTransfer();
            held.items.add(new File([text], "field.json"));
            const send = (name) => document.body.dispatchEvent(
              new DragEvent(name, { dataTransfer: held, bubbles: true, cancelable: true }));
            window.drop = () => { send("dragover"); send("drop"); };
            send("dragenter");
        }""",
        json.dumps(GEOMETRY),
    )
    # The view is loaded while the file is held above the page.
    page.wait_for_selector("#clear h2", state="attached")
    page.evaluate("window.drop()")
    answered(visit)
    assert "mode=clear" in page.url
    area = parse_qs(urlparse(page.url).query)["area"]
    page.get_by_role("button", name="Another field").click()
    page.locator(".ways").wait_for()
    page.evaluate(
        """text => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", text);
            document.body.dispatchEvent(
              new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        json.dumps(GEOMETRY),
    )
    answered(visit)
    assert parse_qs(urlparse(page.url).query)["area"] == area


def test_an_outline_too_long_for_the_address_stays_in_the_window_and_that_is_said(
    season: Visits, tmp_path: Path
) -> None:
    visit = season.open()
    longitude, latitude = skies.place(128, 128)
    circle = shapely.Point(longitude, latitude).buffer(0.005, quad_segs=200)
    page = given(visit, field_file(tmp_path, shapely.geometry.mapping(circle)))
    assert "stays in this window" in page.locator(".field").inner_text()
    assert len(page.url) < 400
    page.reload()
    answered(visit)
    other = season.open()
    other.go(page.url.removeprefix(f"{visit.site}/"))
    assert "kept in another window" in other.page.locator("#clear [role=alert]").inner_text()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("field.txt", "a field", "neither GeoJSON nor KML"),
        ("field.zip", "PK\x03\x04...", "an archive"),
        ("field.gpkg", "SQLite format 3\x00 and no more", "cannot be read"),
        ("point.json", '{"type": "Point", "coordinates": [1, 2]}', "no polygon in it"),
        ("field.kml", "<kml><Placemark>", "no KML that can be read"),
    ],
)
def test_a_file_that_is_no_field_is_told_in_words(
    season: Visits, tmp_path: Path, name: str, content: str, words: str
) -> None:
    visit = season.open()
    visit.go(at_field())
    file = tmp_path / name
    file.write_bytes(content.encode())
    visit.page.get_by_label("File with the field").set_input_files(file)
    visit.page.locator("#clear [role=alert]", has_text=words).wait_for()
    assert "area" not in visit.page.url
    # Chromium styles what it says of broken XML, in a document that nobody sees.
    visit.complaints = [one for one in visit.complaints if "inline style" not in one]
