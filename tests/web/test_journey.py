import json
import re
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from pyproj import Transformer

from producer.classes import MaskClass
from tests import records
from tests.web.screen import TOLERANCE, Visit, Visits, color_of

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
COLLECTION = "ukis-csmask-l1c"
ITEM = str(records.product_name("33UUU", records.SENSED))
OPEN = "?" + urlencode({"collection": COLLECTION, "item": ITEM})
ZOOM = 13.4
"""A mask of 2.56 km fills most of the window."""


def centre() -> tuple[float, float]:
    """Latitude and longitude of the middle of the masks of tile 33UUU."""
    epsg, x_m, y_m = records.tile_origin("33UUU")
    half_m = records.EDGE_PX * 5
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(x_m + half_m, y_m - half_m)
    return latitude, longitude


def assert_drawn(visit: Visit, view: tuple[float, float, float], hidden: set[MaskClass]) -> None:
    """Compare pixels of the screen with the mask, up to three pixels from each of its edges."""
    mask, screen = records.quadrants(), visit.screenshot()
    epsg, x_m, y_m = records.tile_origin("33UUU")
    to_degrees = Transformer.from_crs(epsg, 4326, always_xy=True)
    near_edges = (4, 27, 36, 60, 100, 124, 131, 160, 200, 219, 228, 251)
    wrong = []
    for row in near_edges:
        for column in near_edges:
            place = to_degrees.transform(x_m + 10 * column + 5, y_m - 10 * row - 5)
            x, y = visit.position(*place, view)
            value, pixel = MaskClass(mask[row, column]), screen[round(y), round(x)]
            if np.abs(pixel - color_of(value, hidden=value in hidden)).max() > TOLERANCE:
                wrong.append((row, column, value.name, pixel.tolist()))
    assert not wrong


def test_every_class_is_drawn_where_the_mask_has_it(visit: Visit) -> None:
    latitude, longitude = round(centre()[0], 6), round(centre()[1], 6)
    visit.go(f"{OPEN}&at={latitude}/{longitude}/{ZOOM}&opacity=100")
    assert_drawn(visit, (latitude, longitude, ZOOM), hidden=set())


def test_classes_that_are_switched_off_are_not_drawn(visit: Visit) -> None:
    latitude, longitude = round(centre()[0], 6), round(centre()[1], 6)
    visit.go(f"{OPEN}&at={latitude}/{longitude}/{ZOOM}&opacity=100&classes=clear,cloud")
    view = (latitude, longitude, ZOOM)
    others = {MaskClass.CLOUD_SHADOW, MaskClass.SEMI_TRANSPARENT, MaskClass.MISSING}
    assert_drawn(visit, view, hidden=others)
    visit.page.get_by_role("checkbox", name="Clear").click()
    visit.page.get_by_label("Cloud shadow").click()
    visit.settle()
    others = {MaskClass.CLEAR, MaskClass.SEMI_TRANSPARENT, MaskClass.MISSING}
    assert_drawn(visit, view, hidden=others)
    expect(visit.page).to_have_url(re.compile("classes=cloud_shadow,cloud$"))


def test_a_map_link_of_the_catalogue_opens_its_item_zoomed_to_it(visit: Visit, site: str) -> None:
    with urlopen(f"{site}/stac/collections/{COLLECTION}/items/{ITEM}") as answer:
        links = {link["rel"]: link["href"] for link in json.load(answer)["links"]}
    visit.page.goto(links["map"])
    visit.settle()
    assert visit.page.locator("h2").inner_text() == "16 February 2017"
    screen = visit.screenshot()[:, 384:]
    cloud = np.all(screen[120:600] > 240, axis=-1)
    # A quarter of a mask that fills the map but for a margin.
    assert 0.08 < cloud.mean() < 0.3


def test_without_an_address_the_whole_catalogue_is_shown(visit: Visit) -> None:
    visit.go()
    assert visit.page.locator("#summary").inner_text() == "4 products in view"
    assert visit.page.locator("#list a").count() == 4
    assert visit.page.locator("#collection").input_value() == COLLECTION
    assert visit.page.locator("#collection option").inner_text() == "ukis-csmask, Level-1C"
    assert visit.page.url == f"{visit.site}/"


def test_the_page_asks_nobody_but_its_own_site(visit: Visit) -> None:
    visit.go(OPEN)
    assert len(visit.requested) > 20
    assert [url for url in visit.requested if not url.startswith(f"{visit.site}/")] == []


def test_the_keyboard_alone_goes_from_the_list_to_a_product_and_back(
    visit: Visit, page: Page
) -> None:
    visit.go()
    page.locator("#list a").first.focus()
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.dataset.id")
    page.keyboard.press("Enter")
    page.wait_for_selector("#details h2:focus")
    assert page.title().endswith("Nimbostac")
    assert f"item={chosen}" in page.url
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "checkbox"
    page.keyboard.press("Escape")
    page.wait_for_selector("#browse:visible")
    expect(page.locator(f'#list a[data-id="{chosen}"]')).to_be_focused()


def test_the_back_button_undoes_and_the_forward_button_redoes(visit: Visit, page: Page) -> None:
    visit.go()
    page.locator("#list a", has_text="16 Feb 2017").first.click()
    page.wait_for_selector("#details h2")
    page.go_back()
    page.wait_for_selector("#browse:visible")
    page.go_forward()
    page.wait_for_selector("#details h2:visible")
    visit.settle()


def test_a_copied_address_restores_the_view(visit: Visit, visits: Visits) -> None:
    visit.go(OPEN)
    slider = visit.page.locator("#opacity")
    slider.focus()
    visit.page.keyboard.press("Home")
    visit.page.locator("label.class", has_text="Cloud shadow").click()
    visit.page.keyboard.press("Escape")
    visit.page.go_back()
    expect(visit.page).to_have_url(re.compile(re.escape("opacity=0")))
    visit.settle()
    other = visits.open()
    other.go(visit.page.url.removeprefix(f"{visit.site}/"))
    assert other.page.locator("#opacity").input_value() == "0"
    assert not other.page.get_by_label("Cloud shadow").is_checked()
    assert other.page.get_by_role("checkbox", name="Clear").is_checked()


def test_days_are_chosen_on_the_timeline_by_keyboard(visit: Visit, page: Page) -> None:
    visit.go()
    first = page.get_by_role("slider", name="First day")
    assert first.get_attribute("aria-valuetext") == "1 January 2017"
    first.focus()
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(re.escape("days=2017-02-01/..")))
    page.keyboard.press("Tab")
    page.keyboard.press("PageDown")
    expect(page).to_have_url(re.compile(re.escape("days=2017-02-01/2017-03-01")))
    expect(page.locator("#list a")).to_have_count(3)
    page.get_by_role("button", name="All days").click()
    expect(page.locator("#list a")).to_have_count(4)
    visit.settle()


def test_days_are_chosen_on_the_timeline_by_dragging(visit: Visit, page: Page) -> None:
    visit.go()
    track = page.locator(".track").bounding_box()
    assert track is not None
    # The 90 days of January to March are on it; the second half of February is dragged over.
    y, width = track["y"] + track["height"] / 2, track["width"]
    page.mouse.move(track["x"] + width * 45.5 / 90, y)
    page.mouse.down()
    page.mouse.move(track["x"] + width * 58.5 / 90, y, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(re.escape("days=2017-02-15/2017-02-28")))
    expect(page.locator("#list a")).to_have_count(2)
    visit.settle()


def test_a_click_on_the_map_lists_every_mask_of_that_place(visit: Visit, page: Page) -> None:
    latitude, longitude = centre()
    visit.go(f"?at={latitude}/{longitude}/12")
    frame = page.locator("#map").bounding_box()
    assert frame is not None
    page.mouse.click(frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2)
    page.wait_for_selector(".chip")
    expect(page.locator("#list a")).to_have_count(3)
    expect(page.locator("#summary")).to_have_text("3 products at this place")
    page.locator(".chip").click()
    expect(page).not_to_have_url(re.compile("place"))
    visit.settle()


def test_the_masks_of_a_tile_can_be_stepped_through(visit: Visit, page: Page) -> None:
    visit.go(OPEN)
    page.get_by_role("button", name="Later mask of this place: 8 March 2017").click()
    page.wait_for_selector("h2:text('8 March 2017')")
    assert page.get_by_role("button", name="Later mask").is_disabled()
    visit.settle()


def test_a_dead_tile_server_is_told_and_tried_again(visit: Visit, page: Page) -> None:
    dead = True
    # Not by unroute, which leaves requests of workers that are on their way without an answer.
    page.route("**/tiler/**", lambda route: route.abort() if dead else route.continue_())
    page.goto(f"{visit.site}/{OPEN}")
    notice = page.locator("#notice")
    notice.get_by_text("The tile server does not answer. Is the stack running?").wait_for()
    assert page.locator("#details h2").inner_text() == "16 February 2017"
    dead = False
    notice.get_by_role("button", name="Try again").click()
    notice.get_by_role("button").wait_for(state="detached")
    visit.settle()
    assert all("ERR_FAILED" in complaint for complaint in visit.complaints)
    visit.complaints.clear()


def test_a_dead_catalogue_is_told_and_tried_again(visit: Visit, page: Page) -> None:
    page.route(
        "**/stac/**", lambda route: route.fulfill(status=503, json={"detail": "no database"})
    )
    page.goto(visit.site)
    trouble = page.get_by_role("alert")
    trouble.get_by_text("The catalogue answered 503: no database").wait_for()
    page.unroute("**/stac/**")
    trouble.get_by_role("button", name="Try again").click()
    page.get_by_text("4 products in view").wait_for()
    visit.settle()
    assert all("503" in complaint for complaint in visit.complaints)
    visit.complaints.clear()


def test_a_product_that_is_not_there_is_told(visit: Visit, page: Page) -> None:
    page.goto(f"{visit.site}/?collection={COLLECTION}&item=S2A_NOT_THERE")
    page.locator("#notice").get_by_text("The catalogue answered 404").wait_for()
    visit.settle()
    assert all("404" in complaint for complaint in visit.complaints)
    visit.complaints.clear()


def test_an_empty_catalogue_says_how_to_fill_it(visit: Visit, page: Page) -> None:
    page.route("**/stac/collections", lambda route: route.fulfill(json={"collections": []}))
    visit.go()
    assert "nimbostac demo" in page.get_by_role("alert").inner_text()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 360)])
@pytest.mark.parametrize("query", ["", OPEN])
def test_axe_finds_no_fault(visits: Visits, scheme: str, width: int, query: str) -> None:
    visit = visits.open(
        viewport={"width": width, "height": 780}, color_scheme=scheme, bypass_csp=True
    )
    visit.go(query)
    visit.page.add_script_tag(path=AXE)
    found = visit.page.evaluate("axe.run()")["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
    # Nothing is wider than the window.
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
