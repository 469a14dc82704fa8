import csv
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from producer.classes import CLASSES, MaskClass
from tests.web import skies
from tests.web.fields import ZOOM, answered, at_field, body, field_file, given
from tests.web.screen import TOLERANCE, Visits

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"


def test_a_field_is_drawn_by_clicks_and_its_sky_is_told_as_the_api_tells_it(
    season: Visits,
) -> None:
    visit = season.open()
    visit.go(at_field())
    page = visit.page
    page.get_by_role("button", name="Draw on the map").click()
    page.get_by_role("toolbar", name="Drawing").wait_for()
    *corners, last = skies.field()[:-1]
    view = (*skies.middle(), ZOOM)
    status = page.get_by_role("toolbar").get_by_role("status")
    for number, corner in enumerate(corners, start=1):
        page.mouse.click(*visit.position(*corner, view))
        expect(status).to_contain_text(re.compile(f"^{number} .*corners"))
    page.mouse.dblclick(*visit.position(*last, view))
    answered(visit)

    assert page.locator(".headline").inner_text() == "1 of 4 acquisitions are 90 % clear"
    latest, *_ = parse_qs(urlparse(page.url).query)["area"]
    assert re.fullmatch(r"[\w-]{20,60}", latest)
    # Of two pixels' worth of what the mouse can aim at, a few per cent of a small field.
    days = httpx.post(f"{visit.site}/tiler/clear/calendar", json=body()).json()["days"]
    labels = page.locator(".sky-day").evaluate_all("all => all.map((one) => one.ariaLabel)")
    shares = sorted(int(re.findall(r"(\d+) %", label)[0]) for label in labels)
    expected = sorted(100 * day["clear_seen"] for day in days)
    assert len(days) == len(labels) == 4
    assert np.abs(np.array(shares) - expected).max() <= 3
    assert sorted(label.split(":")[0] for label in labels) == sorted(
        ["6 February 2017", "16 February 2017", "8 March 2017", "15 August 2018"]
    )


def test_the_clearest_acquisition_is_on_the_map_until_another_one_is_chosen(
    season: Visits, tmp_path: Path
) -> None:
    visit = season.open()
    page = given(visit, field_file(tmp_path))
    rows = page.get_by_role("list", name="Clearest acquisitions").locator("a")
    assert rows.all_inner_texts()[0].split("\n")[:2] == ["8 Mar 2017", "100 % clear"]
    slider = page.get_by_role("slider", name="Clear enough")
    slider.focus()
    page.keyboard.press("Home")
    visit.wait_for_address("least=0")
    assert rows.count() == 4
    rows.filter(has_text=re.compile(r"^6 Feb 2017")).click()
    visit.wait_for_address(f"pick={skies.item(skies.MIXED)}")
    visit.settle()
    # The view is that of the file now; the middles of the quadrants are on either side of it.
    box = page.locator("#map").bounding_box()
    assert box is not None
    screen, (x, y) = visit.screenshot(), (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for row, column, value in (
        (-30, 30, MaskClass.CLOUD),
        (30, -30, MaskClass.CLOUD_SHADOW),
        (-30, -30, MaskClass.CLEAR),
    ):
        pixel = screen[round(y + row), round(x + column)]
        opacity = 0.7 * CLASSES[value].color[3] / 255
        wanted = np.array(CLASSES[value].color[:3]) * opacity + value * 50.0 * (1 - opacity)
        assert np.abs(pixel - wanted).max() <= TOLERANCE, (value.name, pixel, wanted)


def test_the_keyboard_alone_draws_a_field_and_walks_through_its_acquisitions(
    season: Visits,
) -> None:
    visit = season.open()
    visit.go(at_field())
    page = visit.page
    page.get_by_role("button", name="Draw on the map").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("canvas:focus")
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press("Space")
        page.keyboard.press(key)
        visit.settle()
    page.keyboard.press("Space")
    page.keyboard.press("Backspace")
    assert page.get_by_role("toolbar").get_by_role("status").inner_text().startswith("3 corners")
    page.keyboard.press("Enter")
    answered(visit)
    assert "3 corners" in page.locator(".field-card").inner_text()
    plot = page.get_by_role("slider", name="Acquisitions")
    plot.focus()
    page.keyboard.press("Home")
    assert str(plot.get_attribute("aria-valuetext")).startswith("6 February 2017")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    visit.wait_for_address(f"pick={skies.item(skies.HALF)}")
    page.locator(".sky-day[tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    visit.wait_for_address(f"pick={skies.item(skies.MIXED)}")
    visit.settle()


def test_the_table_the_commands_and_the_cover_say_what_the_api_says(
    season: Visits, tmp_path: Path
) -> None:
    visit = season.open()
    page = given(visit, field_file(tmp_path))
    with page.expect_download() as download:
        page.get_by_role("button", name="Time series CSV").click()
    ours = list(csv.reader(io.StringIO(Path(download.value.path()).read_text())))
    [encoded] = parse_qs(urlparse(page.url).query)["area"]
    geometry = page.evaluate(
        f"import('/src/area/encoding.js').then(({{ decodeArea }}) => decodeArea('{encoded}'))"
    )
    question = {**body(), "intersects": geometry}
    theirs = httpx.post(f"{visit.site}/tiler/timeseries?f=csv", json=question).text
    expected = list(csv.reader(io.StringIO(theirs)))
    assert ours[0] == expected[0]
    assert [[as_number(cell) for cell in row] for row in ours] == [
        [as_number(cell) for cell in row] for row in expected
    ]

    curl = page.locator("#sky-code code").inner_text()
    answer = subprocess.run(
        ["bash", "-c", f"{curl} -sS --noproxy '*'"], capture_output=True, check=True
    )
    rows = list(csv.DictReader(io.StringIO(answer.stdout.decode())))
    assert [row["items"] for row in rows] == [skies.item(skies.CLEAR)]
    page.get_by_role("tab", name="Python").click()
    script = page.locator("#sky-code code").inner_text()
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    ).stdout
    assert printed.strip() == f"2017-03-08 100.0% {skies.item(skies.CLEAR)}"

    cover = httpx.post(f"{visit.site}/tiler/clear/cover", json={**question, "share": 0.95}).json()
    steps = page.get_by_role("list", name="Fewest acquisitions").locator("a").all_inner_texts()
    assert len(steps) == len(cover["acquisitions"]) == 1
    assert steps[0].split("\n")[:2] == ["8 Mar 2017", "+ 100 %"]


def as_number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def test_days_narrow_the_question_and_a_copied_address_asks_it_again(
    season: Visits, tmp_path: Path
) -> None:
    visit = season.open()
    page = given(visit, field_file(tmp_path))
    page.get_by_label("Last day").first.fill("2017-02-28")
    page.locator(".headline", has_text="0 of 2 acquisitions are 90 % clear").wait_for()
    page.locator(".cover [role=status]", has_text="together see").wait_for()
    assert page.get_by_role("list", name="Fewest acquisitions").locator("a").count() == 2
    visit.wait_for_address("days=../2017-02-28")
    other = season.open()
    other.go(page.url.removeprefix(f"{visit.site}/"))
    answered(other)
    assert other.page.locator(".headline").inner_text() == page.locator(".headline").inner_text()
    assert (
        other.page.locator(".field-card").inner_text() == page.locator(".field-card").inner_text()
    )


def test_limits_dead_servers_and_waiting_are_told_with_a_way_on(
    season: Visits, tmp_path: Path
) -> None:
    visit = season.open()
    visit.go(at_field())
    page = visit.page
    limit = "too much for one request: km2 of the polygon's area: 120000.5, and at most 100000"
    page.route(
        "**/tiler/timeseries", lambda route: route.fulfill(status=400, json={"detail": limit})
    )
    page.get_by_label("File with the field").set_input_files(field_file(tmp_path))
    alert = page.locator("#clear [role=alert]")
    alert.get_by_text("at most 100,000. Draw a smaller or simpler field.").wait_for()
    page.unroute("**/tiler/timeseries")
    page.route("**/tiler/timeseries", lambda route: route.abort())
    alert.get_by_role("button", name="Try again").click()
    alert.get_by_text("The tile server does not answer. Is the stack running?").wait_for()
    page.unroute("**/tiler/timeseries")

    asked: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route)

    page.route("**/tiler/timeseries", hold)
    alert.get_by_role("button", name="Try again").click()
    page.locator(".working").wait_for()
    page.get_by_role("button", name="Cancel").click()
    alert.get_by_text("Cancelled").wait_for()
    assert len(asked) == 1
    page.unroute("**/tiler/timeseries")
    alert.get_by_role("button", name="Ask again").click()
    answered(visit)
    assert alert.inner_text() == ""
    assert all("400" in one or "ERR_FAILED" in one for one in visit.complaints)
    visit.complaints.clear()


def test_a_long_period_is_asked_for_by_years_and_too_many_products_by_halves(
    season: Visits, tmp_path: Path
) -> None:
    visit = season.open()
    visit.go(at_field())
    limit = "too much for one request: products that match: more than 1, and at most 1"
    periods: list[str] = []

    def answer(route: Route) -> None:
        period = route.request.post_data_json["datetime"]
        periods.append(period)
        if period == "2017-02-06T00:00:00Z/2017-12-31T23:59:59.999Z":
            route.fulfill(status=400, json={"detail": limit})
        else:
            route.continue_()

    visit.page.route("**/tiler/timeseries", answer)
    visit.page.get_by_label("File with the field").set_input_files(field_file(tmp_path))
    page = answered(visit)
    assert page.locator(".headline").inner_text() == "1 of 4 acquisitions are 90 % clear"
    assert [period[:10] for period in periods] == [
        "2017-02-06",
        "2017-02-06",
        "2017-07-21",
        "2018-01-01",
    ]
    visit.complaints.clear()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 360)])
def test_axe_finds_no_fault(season: Visits, tmp_path: Path, scheme: str, width: int) -> None:
    visit = season.open(
        viewport={"width": width, "height": 780}, color_scheme=scheme, bypass_csp=True
    )
    visit.go(at_field())
    page = visit.page
    page.add_script_tag(path=AXE)
    page.get_by_role("button", name="Draw on the map").click()
    page.get_by_role("toolbar", name="Drawing").wait_for()
    assert faults(page) == []
    page.get_by_role("button", name="Give up drawing").click()
    page.get_by_label("File with the field").set_input_files(field_file(tmp_path))
    answered(visit)
    assert faults(page) == []
    # Nothing is wider than the window.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    visit.complaints.clear()


def faults(page: Page) -> list[Any]:
    found = page.evaluate("axe.run()")["violations"]
    return [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]
