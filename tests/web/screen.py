"""Visits of the page, and what can be read off its screen."""

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, expect
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
        self.page.on("request", lambda request: self.requested.append(request.url))

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            where = message.location.get("url", "")
            self.complaints.append(f"{message.type}: {message.text} {where}")

    def go(self, query: str = "") -> None:
        """Open the page at an address, and wait until nothing moves any more."""
        self.page.goto(f"{self.site}/{query}")
        self.settle()

    def settle(self) -> None:
        """Wait until the map has drawn all that it wants to."""
        # What was just done shows first in the next frames.
        self.page.wait_for_timeout(700)
        self.page.wait_for_selector('#map[aria-busy="false"]')
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector('#map[aria-busy="false"]')

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

    def __init__(self, browser: Browser, site: str) -> None:
        expect.set_options(timeout=PATIENCE_MS)
        self._browser = browser
        self._site = site
        self._made: list[tuple[BrowserContext, Visit]] = []

    def open(self, **options: Any) -> Visit:
        """Open a window; the options are those of a browser context."""
        options.setdefault("viewport", {"width": 1100, "height": 800})
        context = self._browser.new_context(**options)
        visit = Visit(context, self._site)
        self._made.append((context, visit))
        return visit

    def close(self) -> None:
        """Close them all.

        Raises:
            AssertionError: A page complained of something that the test did not take away.
        """
        complaints = [complaint for _, visit in self._made for complaint in visit.complaints]
        for context, _ in self._made:
            context.close()
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
