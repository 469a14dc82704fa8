"""The field of the tests of the clear-sky view, and how it is given to the page."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page

from tests.web import skies
from tests.web.screen import Visit

GEOMETRY = {"type": "Polygon", "coordinates": [skies.field()]}
ZOOM = 13.2


def at_field(**more: str) -> str:
    """Address of the view, with the field in the middle of the map."""
    latitude, longitude = skies.middle()
    view = f"{latitude}/{longitude}/{ZOOM}"
    query = {"mode": "clear", "collection": skies.COLLECTION, "at": view, **more}
    return "?" + urlencode(query, safe="/")


def field_file(folder: Path, content: object = GEOMETRY) -> Path:
    file = folder / "field.geojson"
    file.write_text(json.dumps(content))
    return file


def given(visit: Visit, file: Path, query: str | None = None) -> Page:
    """Open the view and choose a file; gives the page once all is answered."""
    visit.go(query or at_field())
    visit.page.get_by_label("File with the field").set_input_files(file)
    return answered(visit)


def answered(visit: Visit) -> Page:
    visit.page.locator(".cover [role=status]", has_text=re.compile("of it clear")).wait_for()
    visit.settle()
    return visit.page


def body() -> dict[str, Any]:
    return {"collections": [skies.COLLECTION], "intersects": GEOMETRY}
