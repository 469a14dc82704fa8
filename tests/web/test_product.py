import re
import subprocess
import sys
from datetime import datetime

import httpx
import numpy as np
import pytest
import rasterio
from playwright.sync_api import Page, Route, expect

from producer.classes import CLASSES, MaskClass
from producer.png import encode_png
from tests import records
from tests.web import skies
from tests.web.screen import TOLERANCE, Visit, Visits, color_of
from tests.web.test_journey import ITEM, OPEN, ZOOM, centre

_PATIENCE_S = 60
CLOUD = CLASSES[MaskClass.CLOUD]


def at_centre(zoom: float = ZOOM) -> str:
    latitude, longitude = centre()
    return f"at={latitude:.6f}/{longitude:.6f}/{zoom}"


def pixel_at(visit: Visit, right_px: int, down_px: int) -> np.ndarray:
    """Red, green and blue of the map, so far from its middle."""
    frame = visit.page.locator("#map").bounding_box()
    assert frame is not None
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    return visit.screenshot()[round(y + down_px), round(x + right_px)].astype(float)


def test_the_page_of_a_product_says_what_its_item_says(visit: Visit, page: Page) -> None:
    visit.go(OPEN)
    address = f"{visit.site}/stac/collections/{skies.COLLECTION}/items/{ITEM}"
    told = httpx.get(address).json()
    properties = told["properties"]
    facts = dict(
        zip(
            page.locator(".facts dt").all_inner_texts(),
            page.locator(".facts dd").all_inner_texts(),
            strict=True,
        )
    )
    assert facts["Engine"] == "ukis-csmask 1.0.0"
    assert facts["Baseline"] == properties["nimbostac:baseline"]
    assert facts["Sensed"] == "16 February 2017, 10:21:01 UTC"
    wanted = {
        one["title"]: properties.get(f"nimbostac:{one['name']}")
        for one in told["assets"]["mask"]["classification:classes"]
        if one["name"] not in {"no_data", "missing"}
    }
    rows = page.locator("label.class")
    for title, share in wanted.items():
        row = rows.filter(has=page.get_by_text(title, exact=True))
        expect(row.locator(".share")).to_have_text(f"{share:.0%}".replace("%", " %"))
    colors = page.locator("label.class .swatch").evaluate_all(
        "all => all.map((one) => one.style.getPropertyValue('--class').slice(1))"
    )
    assert colors == [
        one["color_hint"]
        for one in told["assets"]["mask"]["classification:classes"]
        if one["name"] != "no_data"
    ]


def test_the_mask_is_downloaded_as_it_was_stored(visit: Visit, page: Page) -> None:
    visit.go(OPEN)
    with page.expect_download() as download:
        page.locator("a.file.main").click()
    with rasterio.open(download.value.path()) as mask:
        assert np.array_equal(mask.read(1), records.quadrants())


def test_every_way_to_open_it_elsewhere_is_copied_by_one_click_and_works(visits: Visits) -> None:
    visit = visits.open(permissions=["clipboard-read", "clipboard-write"])
    page = visit.page
    visit.go(OPEN)
    copied = {}
    for tab in page.get_by_role("tablist", name="Open in").get_by_role("tab").all():
        tab.click()
        panel = page.get_by_role("tabpanel")
        panel.get_by_role("button", name="Copy").click()
        panel.get_by_text("Copied").wait_for()
        copied[tab.inner_text()] = page.evaluate("navigator.clipboard.readText()")
        assert copied[tab.inner_text()] == panel.locator("code").inner_text()
    names = ["QGIS XYZ", "WMTS", "COG", "pystac-client", "odc-stac", "GDAL", "curl"]
    assert list(copied) == names
    tile = re.sub(r"\{[zxy]\}", "0", copied["QGIS XYZ"])
    assert httpx.get(tile, timeout=_PATIENCE_S).status_code in {200, 204, 404}
    assert "<Layer>" in httpx.get(copied["WMTS"], timeout=_PATIENCE_S).text
    with rasterio.open(copied["COG"]) as mask:
        assert np.array_equal(mask.read(1), records.quadrants())
    for name, ending in (("pystac-client", ""), ("odc-stac", "\nprint(int(clear.sum()))")):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", copied[name] + ending],
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        count = int((records.quadrants() == MaskClass.CLEAR).sum())
        assert (str(count) if ending else "33UUU") in done.stdout


def test_opacity_is_that_of_the_mask_over_the_true_colours(visit: Visit, page: Page) -> None:
    visit.go(f"{OPEN}&{at_centre()}&opacity=100")
    slider = page.locator("#opacity")
    for key, opacity in (("", 1.0), ("Home", 0.0), ("PageUp", None)):
        slider.focus()
        if key:
            page.keyboard.press(key)
            visit.settle()
        part = (float(slider.input_value()) / 100 if opacity is None else opacity) * (
            CLOUD.color[3] / 255
        )
        grey = MaskClass.CLOUD * 50.0
        wanted = np.array(CLOUD.color[:3]) * part + grey * (1 - part)
        assert np.abs(pixel_at(visit, 60, -60) - wanted).max() <= TOLERANCE, key


def test_an_operators_own_background_lies_below_the_masks(visit: Visit, page: Page) -> None:
    paper = encode_png(np.full((256, 256), MaskClass.CLOUD_SHADOW, np.uint8))
    asked = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body=paper, content_type="image/png")

    page.route("**/paper/**", answer)
    tiles = f"{visit.site}/paper/{{z}}/{{x}}/{{y}}.png"
    background = {"tiles": tiles, "attribution": "Paper makers", "maxzoom": 12}
    page.route("**/config.json", lambda route: route.fulfill(json={"background": background}))
    visit.go(f"{OPEN}&{at_centre()}&opacity=100")
    assert re.fullmatch(r".*/paper/12/\d+/\d+\.png", asked[0])
    expect(page.locator(".maplibregl-ctrl-attrib")).to_contain_text("Paper makers")
    info = CLASSES[MaskClass.CLOUD_SHADOW]
    part = info.color[3] / 255
    drawn = np.array(info.color[:3]) * part + np.array([235.0, 235.0, 229.0]) * (1 - part)
    # Far from the mask there is nothing else, and on it nothing of it.
    assert np.abs(pixel_at(visit, -340, 0) - drawn).max() <= TOLERANCE
    wanted = color_of(MaskClass.CLOUD, hidden=False)
    assert np.abs(pixel_at(visit, 60, -60) - wanted).max() <= TOLERANCE


@pytest.mark.parametrize(
    ("day", "value"), [(skies.OVERCAST, MaskClass.CLOUD), (skies.CLEAR, MaskClass.CLEAR)]
)
def test_the_masks_of_the_chosen_days_are_on_the_map(
    season: Visits, day: datetime, value: MaskClass
) -> None:
    visit = season.open()
    latitude, longitude = skies.middle()
    days = f"{day:%Y-%m-%d}/{day:%Y-%m-%d}"
    visit.go(f"?collection={skies.COLLECTION}&days={days}&at={latitude}/{longitude}/12.6")
    info = CLASSES[value]
    part = info.color[3] / 255
    wanted = np.array(info.color[:3]) * part + np.array([235.0, 235.0, 229.0]) * (1 - part)
    for right, down in ((-30, -30), (30, -30), (-30, 30), (30, 30)):
        assert np.abs(pixel_at(visit, right, down) - wanted).max() <= TOLERANCE


def test_footprints_have_the_colour_of_their_share_of_cloud(visit: Visit, page: Page) -> None:
    visit.go(f"?{at_centre(5)}")
    found = httpx.get(
        f"{visit.site}/stac/search", params={"collections": skies.COLLECTION, "ids": ITEM}
    ).json()["features"]
    share = found[0]["properties"]["eo:cloud_cover"] / 100
    # Three products of the same mask lie there; the scale is that of the timeline's bars.
    wanted = page.evaluate(
        f"import('/src/palette.js').then(({{ cloudColor }}) => cloudColor({share}))"
    )
    numbers = np.array([float(one) for one in re.findall(r"\d+", wanted)])
    assert np.abs(pixel_at(visit, 0, 0) - numbers).max() <= TOLERANCE


def test_what_lies_at_a_place_is_listed_with_date_share_and_picture(
    season: Visits,
) -> None:
    visit = season.open()
    latitude, longitude = skies.middle()
    visit.go(f"?collection={skies.COLLECTION}&place={latitude}/{longitude}")
    rows = visit.page.locator("#list a")
    expect(rows).to_have_count(4)
    told = [row.split("\n")[:2] for row in rows.all_inner_texts()]
    assert told == [
        ["15 Aug 2018", "0 % clear"],
        ["8 Mar 2017", "100 % clear"],
        ["16 Feb 2017", "50 % clear"],
        ["6 Feb 2017", told[3][1]],
    ]
    sizes = rows.locator("img").evaluate_all("all => all.map((one) => one.naturalWidth)")
    assert len(sizes) == 4
    assert all(sizes)
