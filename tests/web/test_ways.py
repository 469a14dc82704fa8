"""Where nothing is found, the page says so in words and offers ways on."""

import re

from playwright.sync_api import Page, expect

from tests.web.screen import Visit


def test_days_without_products_lead_to_the_nearest_one_by_keyboard(
    visit: Visit, page: Page
) -> None:
    visit.go("?days=2017-02-18/2017-02-20")
    assert page.locator("#summary").inner_text() == "0 products in view"
    page.get_by_text("Nothing was sensed here on these days.").wait_for()
    way = page.get_by_role("button", name="Show 16 Feb 2017, the nearest day")
    page.locator("#to").focus()
    for _ in range(8):
        page.keyboard.press("Tab")
        if way.evaluate("(button) => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape("days=2017-02-16/2017-02-16")))
    expect(page.locator("#list a")).to_have_count(2)
    expect(page.locator("#summary")).to_be_focused()
    expect(page.locator("#ways")).to_be_empty()
    visit.settle()


def test_a_view_of_nothing_leads_to_all_products(visit: Visit, page: Page) -> None:
    visit.go("?at=-30/-140/6")
    page.get_by_text("Nothing was sensed here.").wait_for()
    page.get_by_role("button", name="Zoom to all products").click()
    expect(page.locator("#list a")).to_have_count(4)
    expect(page).not_to_have_url(re.compile("at="))
    visit.settle()


def test_a_place_without_products_leads_back_to_the_view(visit: Visit, page: Page) -> None:
    visit.go("?place=10/20")
    page.get_by_text("Nothing covers this place.").wait_for()
    page.get_by_role("button", name="Show all places in view").click()
    expect(page.locator("#list a")).to_have_count(4)
    visit.settle()
