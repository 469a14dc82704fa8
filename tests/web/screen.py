"""Visits of the page, and what can be read off its screen."""

import math
import time
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from producer.classes import CLASSES, MaskClass

FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
]
# The machine may be busy; how quick the page is, is not asked here.
PATIENCE_MS = 120_000
LAND = (235.0, 235.0, 229.0)
"""Colour of the ground."""
TOLERANCE = 12
"""Of a colour: the true colours lie in a JPEG."""


VIEWPORT_PX = {"width": 1100, "height": 800}
_LOOK_MS, _REST_LOOKS = 40, 12
"""Together longer than the page lets a map rest before it asks for what is in view."""
_BUSY = ':is(#map, .twin)[aria-busy="true"], #map:not([aria-busy])'


class Visit:
    """One window on the page."""

    def __init__(self, context: BrowserContext, site: str) -> None:
        self.site = site
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("console", self._hear)
        self._open: set[Request] = set()
        self.page.on("request", self._ask)
        self.page.on("requestfinished", self._end)
        self.page.on("requestfailed", self._end)

    def _ask(self, request: Request) -> None:
        self.requested.append(request.url)
        # A stream of events stays open for as long as it is looked at.
        if not request.url.endswith("/admin/events"):
            self._open.add(request)

    def _end(self, request: Request) -> None:
        self._open.discard(request)

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            where = message.location.get("url", "")
            self.complaints.append(f"{message.type}: {message.text} {where}")

    def go(self, query: str = "") -> None:
        """Open the page at an address, and wait until nothing moves any more."""
        self.page.goto(f"{self.site}/{query}")
        self.settle()

    def settle(self) -> None:
        """Wait until the page asks for nothing, and its maps have drawn all that they want to.

        Raises:
            AssertionError: It never came to rest.
        """
        end = time.monotonic() + PATIENCE_MS / 1000
        quiet, before = 0, len(self.requested)
        while quiet < _REST_LOOKS:
            assert time.monotonic() < end, f"the page is still busy with {self._open}"
            self.page.wait_for_timeout(_LOOK_MS)
            # The page has to answer: while it is held up, no time passes for its clocks either.
            is_busy = self.page.locator(_BUSY).count() > 0
            asked = len(self.requested)
            if self._open or is_busy or asked != before:
                quiet, before = 0, asked
            else:
                quiet += 1

    def wait_for_address(self, words: str) -> None:
        """Wait until the page's address has some words in it."""
        # Not by a function in the page, which its security policy forbids to be asked twice.
        for _ in range(PATIENCE_MS // 100):
            if words in self.page.url:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{self.page.url} never had {words}")

    def screenshot(self) -> NDArray[np.uint8]:
        """(row, column, channel): the window's pixels, red, green, blue."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with MemoryFile(self.page.screenshot()) as file, file.open() as picture:
                pixels: NDArray[np.uint8] = picture.read([1, 2, 3])
        return np.moveaxis(pixels, 0, -1)

    def position(
        self, longitude: float, latitude: float, view: tuple[float, float, float]
    ) -> tuple[float, float]:
        """Where a place is in the window: column and row, by the formula of Web Mercator.

        Args:
            longitude: Degrees.
            latitude: Degrees.
            view: Latitude and longitude of the map's centre, and its zoom.
        """
        frame = self.page.locator("#map").bounding_box()
        assert frame is not None
        size = 512 * 2 ** view[2]
        x, y = _mercator(longitude, latitude)
        centre_x, centre_y = _mercator(view[1], view[0])
        return (
            frame["x"] + frame["width"] / 2 + (x - centre_x) * size,
            frame["y"] + frame["height"] / 2 + (y - centre_y) * size,
        )


class Visits:
    """Windows of one test."""

    def __init__(self, browser: Browser, site: str, usual: BrowserContext | None = None) -> None:
        """Take a browser.

        Args:
            browser: Where windows are opened.
            site: Address of the page.
            usual: For windows with nothing unusual about them: one who came before has what the
                page loads in its cache.
        """
        expect.set_options(timeout=PATIENCE_MS)
        self._browser = browser
        self._site = site
        self._usual = usual
        self._made: list[Visit] = []

    def open(self, **options: Any) -> Visit:
        """Open a window; the options are those of a browser context."""
        context = None if options else self._usual
        if context is None:
            context = self._browser.new_context(**{"viewport": VIEWPORT_PX, **options})
        visit = Visit(context, self._site)
        self._made.append(visit)
        return visit

    def close(self) -> None:
        """Close them all.

        Raises:
            AssertionError: A page complained of something that the test did not take away.
        """
        complaints = [complaint for visit in self._made for complaint in visit.complaints]
        for visit in self._made:
            context = visit.page.context
            if context is not self._usual:
                context.close()
                continue
            if visit.page.url.startswith(self._site):
                visit.page.evaluate("localStorage.clear()")
            visit.page.close()
        assert not complaints, complaints


def color_of(value: MaskClass, *, hidden: bool) -> NDArray[np.float64]:
    """Red, green and blue of a class above the picture that the tests' masks have."""
    if value is MaskClass.NO_DATA:
        return np.array(LAND)
    info = CLASSES[value]
    opacity = 0 if hidden else info.color[3] / 255
    # The true colours of a test are a grey of fifty times the class.
    grey = np.full(3, value * 50.0)
    return np.array(info.color[:3]) * opacity + grey * (1 - opacity)


def _mercator(longitude: float, latitude: float) -> tuple[float, float]:
    y = math.asinh(math.tan(math.radians(latitude)))
    return longitude / 360 + 0.5, 0.5 - y / (2 * math.pi)
