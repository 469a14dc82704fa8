from pathlib import Path
from urllib.parse import urlencode

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from producer.classes import MaskClass
from tests.web import skies
from tests.web.screen import TOLERANCE, Visit, Visits, color_of
from tests.web.test_clear import faults

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
ZOOM = 13.2
LEFT, RIGHT = (
    (MaskClass.CLOUD_SHADOW, MaskClass.SEMI_TRANSPARENT),
    (MaskClass.CLOUD, MaskClass.CLEAR),
)
"""Classes of the south-west and the south-east, by one engine and by the other."""


def address(**more: str) -> str:
    """Two engines' masks of one product, with their middle in the middle of the map."""
    latitude, longitude = skies.middle()
    item = skies.item(skies.MIXED)
    view = f"{latitude}/{longitude}/{ZOOM}"
    query = {"mode": "compare", "collection": skies.COLLECTION, "item": item, "at": view}
    return "?" + urlencode({**query, "against": skies.OTHER, "opacity": "100", **more}, safe="/")


def both_settled(visit: Visit) -> NDArray[np.uint8]:
    visit.page.wait_for_selector('.twin[aria-busy="false"]')
    visit.settle()
    visit.page.wait_for_selector('.twin[aria-busy="false"]')
    return visit.screenshot()


def assert_south(
    visit: Visit, screen: NDArray[np.uint8], x_middle: float, wanted: tuple[MaskClass, MaskClass]
) -> None:
    """Look at two places south of the middle of a map, one on either side."""
    frame = visit.page.locator("main").bounding_box()
    assert frame is not None
    row = round(frame["y"] + frame["height"] / 2 + 80)
    for x, value in zip((x_middle - 80, x_middle + 80), wanted, strict=True):
        pixel = screen[row, round(x)]
        assert np.abs(pixel - color_of(value, hidden=False)).max() <= TOLERANCE, (value, pixel)


def test_the_divider_parts_two_engines_and_is_moved_by_keys_and_pointer(season: Visits) -> None:
    visit = season.open()
    visit.go(address())
    screen = both_settled(visit)
    frame = visit.page.locator("main").bounding_box()
    assert frame is not None
    middle = frame["x"] + frame["width"] / 2
    assert_south(visit, screen, middle, (LEFT[0], RIGHT[1]))
    assert visit.page.locator(".side-name").all_inner_texts() == ["ukis-csmask", "kappamask"]

    divider = visit.page.get_by_role("slider", name="Divider of the two pictures")
    divider.focus()
    visit.page.keyboard.press("Home")
    visit.wait_for_address("divide=0")
    assert divider.get_attribute("aria-valuenow") == "0"
    assert_south(visit, both_settled(visit), middle, RIGHT)
    box = divider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    visit.page.mouse.move(frame["x"] + 2, y)
    visit.page.mouse.down()
    visit.page.mouse.move(frame["x"] + frame["width"] * 0.9, y, steps=3)
    visit.page.mouse.up()
    visit.wait_for_address("divide=90")
    assert_south(visit, both_settled(visit), middle, LEFT)


def test_two_maps_side_by_side_look_at_the_same_place(season: Visits) -> None:
    visit = season.open()
    visit.go(address(how="side"))
    screen = both_settled(visit)
    frame = visit.page.locator("main").bounding_box()
    assert frame is not None
    assert_south(visit, screen, frame["x"] + frame["width"] / 4, LEFT)
    assert_south(visit, screen, frame["x"] + frame["width"] * 3 / 4, RIGHT)
    # The right one leads, too.
    visit.page.locator(".twin canvas").focus()
    visit.page.keyboard.press("+")
    visit.wait_for_address(f"/{ZOOM + 1:g}&")
    both_settled(visit)


def test_sides_are_chosen_swapped_and_undone(season: Visits) -> None:
    visit = season.open()
    visit.go(address(how="slides"))
    page = visit.page
    right = page.get_by_label("Right", exact=True)
    assert right.locator("option").all_inner_texts() == [
        "True colour",
        "kappamask",
        "15 Aug 2018",
        "8 Mar 2017",
        "16 Feb 2017",
    ]
    page.get_by_role("button", name="Swap").click()
    visit.wait_for_address(f"collection={skies.OTHER}")
    visit.wait_for_address(f"against={skies.COLLECTION}")
    page.go_back()
    visit.wait_for_address(f"against={skies.OTHER}")
    right.select_option("8 Mar 2017")
    visit.wait_for_address(f"against={skies.COLLECTION}/{skies.item(skies.CLEAR)}")
    page.get_by_role("radio", name="Swipe").check()
    both_settled(visit)
    assert page.locator(".side-name").all_inner_texts() == ["6 Feb 2017", "8 Mar 2017"]


def test_slides_show_the_true_colours_and_every_engines_mask(season: Visits) -> None:
    visit = season.open()
    visit.go(address(how="slides"))
    page = visit.page
    page.locator(".slides figure").nth(2).wait_for()
    assert page.locator(".slides strong").all_inner_texts() == [
        "True colour",
        "kappamask",
        "ukis-csmask",
    ]
    pictures = page.locator(".slides img")
    assert pictures.count() == 5
    page.wait_for_load_state("networkidle")
    assert page.evaluate(
        "[...document.querySelectorAll('.slides img')].every((i) => i.naturalWidth)"
    )
    screen = visit.screenshot()
    for title, value in (
        ("kappamask", MaskClass.CLEAR),
        ("ukis-csmask", MaskClass.SEMI_TRANSPARENT),
    ):
        frame = page.get_by_role("img", name=f"Mask by {title}").bounding_box()
        assert frame is not None
        pixel = screen[
            round(frame["y"] + frame["height"] * 0.62), round(frame["x"] + frame["width"] * 0.62)
        ]
        assert np.abs(pixel - color_of(value, hidden=False)).max() <= TOLERANCE, (title, pixel)


def test_the_agreement_is_drawn_and_its_matrix_is_the_apis(season: Visits) -> None:
    visit = season.open()
    visit.go(address(how="agreement"))
    page = visit.page
    page.locator(".matrix").wait_for()
    visit.settle()
    item = skies.item(skies.MIXED)
    base = f"{visit.site}/tiler/compare/collections/{skies.COLLECTION}/items/{item}"
    told = httpx.get(f"{base}/with/{skies.OTHER}/items/{item}").json()
    assert page.locator(
        ".agreement .headline strong"
    ).inner_text() == f"{told['agreement']:.0%}".replace("%", " %")
    cells = page.locator(".matrix td").evaluate_all(
        "all => all.filter((one) => one.title).map((one) => Number(one.title.replace(/\\D/g, '')))"
    )
    rows = [
        at for at in range(5) if any(told["matrix"][at]) or any(row[at] for row in told["matrix"])
    ]
    assert cells == [told["matrix"][row][column] for row in rows for column in rows]
    shades = httpx.get(f"{visit.site}/tiler/compare/legend.json").json()["classes"]
    assert page.locator(".agreement .shades li").all_inner_texts() == [
        one["title"] for one in shades
    ]
    page.get_by_label("Counted in").select_option("what the map shows")
    page.wait_for_load_state("networkidle")
    assert page.locator("#compare [role=alert]").inner_text() == ""


def test_agreement_with_a_picture_is_told_to_be_none(season: Visits) -> None:
    visit = season.open()
    visit.go(address(how="agreement", against=""))
    visit.page.get_by_text("Two masks agree or not").wait_for()


def test_without_a_product_the_newest_one_is_compared(season: Visits) -> None:
    visit = season.open()
    visit.go(f"?mode=compare&collection={skies.COLLECTION}")
    visit.wait_for_address(skies.item(skies.OVERCAST))
    both_settled(visit)
    visit.page.get_by_role("link", name="Map", exact=True).click()
    visit.settle()
    assert visit.page.locator(".twin, .divider").count() == 0


def test_a_tile_server_that_cannot_compare_is_told(season: Visits) -> None:
    visit = season.open()
    visit.page.route("**/tiler/compare/**", lambda route: route.abort())
    visit.page.goto(f"{visit.site}/{address()}")
    alert = visit.page.locator("#compare [role=alert]")
    alert.get_by_text("The tile server does not answer").wait_for()
    visit.page.unroute("**/tiler/compare/**")
    alert.get_by_role("button", name="Try again").click()
    both_settled(visit)
    visit.complaints.clear()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 360)])
def test_axe_finds_no_fault(season: Visits, scheme: str, width: int) -> None:
    visit = season.open(
        viewport={"width": width, "height": 780}, color_scheme=scheme, bypass_csp=True
    )
    visit.go(address())
    page = visit.page
    page.add_script_tag(path=AXE)
    for way in ("Swipe", "Side by side", "Slides", "Agreement"):
        page.get_by_role("radio", name=way).check()
        visit.settle()
        assert faults(page) == [], way
        # Nothing is wider than the window.
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    visit.complaints.clear()
