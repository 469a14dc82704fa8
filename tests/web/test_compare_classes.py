import numpy as np
import pytest
from playwright.sync_api import expect

from producer.classes import CLASSES, MaskClass
from tests.web.screen import TOLERANCE, Visits, color_of
from tests.web.test_compare import LEFT, RIGHT, address, both_settled


@pytest.mark.parametrize("how", ["swipe", "side"])
def test_classes_and_opacity_are_those_of_both_sides(season: Visits, how: str) -> None:
    visit = season.open()
    visit.go(address(how=how))
    page = visit.page
    frame = page.locator("main").bounding_box()
    assert frame is not None
    row = round(frame["y"] + frame["height"] / 2 + 80)
    middle = frame["x"] + frame["width"] / 2
    # One place of either side, by its column.
    seen = {middle - 80: LEFT[0], middle + 80: RIGHT[1]}
    if how == "side":
        quarter = frame["width"] / 4
        seen = {
            middle + side * quarter + right: value
            for side, values in ((-1, LEFT), (1, RIGHT))
            for right, value in zip((-80, 80), values, strict=True)
        }
    off = {MaskClass.CLOUD_SHADOW, MaskClass.CLEAR}
    for value in off:
        page.get_by_role("checkbox", name=CLASSES[value].title, exact=True).click()
    screen = both_settled(visit)
    for column, value in seen.items():
        wanted = color_of(value, hidden=value in off)
        assert np.abs(screen[row, round(column)] - wanted).max() <= TOLERANCE, (column, value)
    visit.wait_for_address("classes=semi_transparent,cloud,missing")
    # Then nothing of either mask, but the true colours below.
    page.get_by_label("Masks over true colour").press("Home")
    visit.wait_for_address("opacity=0")
    screen = both_settled(visit)
    for column, value in seen.items():
        assert np.abs(screen[row, round(column)] - value * 50.0).max() <= TOLERANCE, column


def test_slides_leave_out_what_is_switched_off(season: Visits) -> None:
    visit = season.open()
    visit.go(address(how="slides", classes="cloud"))
    visit.page.locator(".slides figure").nth(2).wait_for()
    visit.settle()
    frame = visit.page.get_by_role("img", name="Mask by ukis-csmask").bounding_box()
    assert frame is not None
    screen = visit.screenshot()
    for y, x, value in ((0.4, 0.62, MaskClass.CLOUD), (0.62, 0.62, MaskClass.SEMI_TRANSPARENT)):
        at = round(frame["y"] + frame["height"] * y), round(frame["x"] + frame["width"] * x)
        wanted = color_of(value, hidden=value is not MaskClass.CLOUD)
        assert np.abs(screen[at] - wanted).max() <= TOLERANCE, value


def test_the_agreement_fades_over_the_true_colours(season: Visits) -> None:
    visit = season.open()
    visit.go(address(how="agreement", opacity="0"))
    visit.page.locator(".matrix").wait_for()
    visit.settle()
    frame = visit.page.locator("#map").bounding_box()
    assert frame is not None
    row = round(frame["y"] + frame["height"] / 2 + 80)
    pixel = visit.screenshot()[row, round(frame["x"] + frame["width"] / 2 - 80)]
    assert np.abs(pixel - LEFT[0] * 50.0).max() <= TOLERANCE
    assert visit.page.get_by_label("Agreement over true colour").input_value() == "0"
    expect(visit.page.get_by_role("group", name="Classes")).to_be_hidden()
