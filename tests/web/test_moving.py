import re
from collections.abc import Callable, Collection
from functools import partial

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.web.screen import Visit
from tests.web.test_journey import OPEN, centre

TILE = re.compile(r"/tiles/WebMercatorQuad/(\d+)/\d+/\d+\.png")


class Held:
    """The requests of a page that are kept waiting until they are let go."""

    def __init__(self, page: Page, url: str | re.Pattern[str]) -> None:
        self.routes: list[Route] = []
        self.is_open = False
        page.route(url, self.answer)

    def answer(self, route: Route) -> None:
        if self.is_open:
            route.continue_()
        else:
            self.routes.append(route)

    def urls(self) -> set[str]:
        return {route.request.url for route in self.routes}

    def let_go(self, but: Collection[str] = ()) -> None:
        # First the door: an answer makes the page ask for more.
        self.is_open = True
        for route in self.routes:
            if route.request.url not in but:
                route.continue_()


def zoom_of(url: str) -> int:
    found = TILE.search(url)
    assert found is not None, url
    return int(found[1])


@pytest.mark.parametrize("classes", ["", "&classes=cloud,cloud_shadow"])
def test_tiles_are_given_up_when_the_view_moves_on(visit: Visit, page: Page, classes: str) -> None:
    held = Held(page, TILE)
    given_up: list[Request] = []
    page.on(
        "requestfailed",
        lambda request: given_up.extend([request] if TILE.search(request.url) else []),
    )
    latitude, longitude = centre()
    page.goto(f"{visit.site}/{OPEN}&at={latitude}/{longitude}/13.4{classes}")
    page.locator("#details h2").wait_for()
    waited_for(visit, lambda: {zoom_of(url) for url in held.urls()} == {13})
    # As somebody who zooms out faster than the tiles come.
    page.locator("#map canvas").focus()
    for zoom in (12, 11, 10):
        page.keyboard.press("-")
        waited_for(visit, partial(asks_for, held, zoom))
    last = 10
    left = {url for url in held.urls() if zoom_of(url) > last}
    assert left
    waited_for(visit, lambda: left <= {request.url for request in given_up})
    assert {request.failure for request in given_up} == {"net::ERR_ABORTED"}
    assert not [request.url for request in given_up if zoom_of(request.url) == last]
    # What is still wanted comes, and nobody was told of a fault.
    held.let_go(but=left)
    visit.settle()
    expect(page.locator("#notice")).to_be_empty()


def asks_for(held: Held, zoom: int) -> bool:
    return any(zoom_of(url) == zoom for url in held.urls())


def waited_for(visit: Visit, true: Callable[[], bool]) -> None:
    """Let the page go on until a question of this test is answered with yes."""
    for _ in range(600):
        if true():
            return
        visit.page.wait_for_timeout(50)
    raise AssertionError("what was waited for did not come")


def test_a_catalogue_that_takes_long_does_not_keep_the_ground_waiting(
    visit: Visit, page: Page
) -> None:
    held = Held(page, "**/stac/**")
    page.goto(visit.site)
    page.wait_for_selector('#map[aria-busy="false"]')
    screen = visit.screenshot()[:, 384:]
    assert len({tuple(pixel) for pixel in screen[300, ::7]}) > 2, "no land beside the water"
    held.let_go()
    page.get_by_text("4 products in view").wait_for()
    visit.settle()
