"""The web page in headless Chromium: how soon there is a map, what shifts, how smoothly it pans.

``python -m tests.bench.web http://127.0.0.1:8080 [--rounds N] [--json]`` asks a stack that runs.
Each round is a browser without a cache of its own. Headless Chromium draws WebGL in software, so
frames tell more of the machine's cores than of the page.
"""

import argparse
import json
import shutil
import statistics
from itertools import pairwise
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.web.screen import FLAGS, PATIENCE_MS

_SIZE_PX = {"width": 1280, "height": 800}
_PAN_S = 3.0
_WATCH = """
window.bench = { shift: 0, map: null };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) bench.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
addEventListener("DOMContentLoaded", () => {
  const map = document.getElementById("map");
  let busy = false;
  new MutationObserver(() => {
    if (map.getAttribute("aria-busy") === "true") busy = true;
    else if (busy) bench.map ??= performance.now();
  }).observe(map, { attributes: true });
});
"""
_FRAMES = """
(seconds) => new Promise((resolve) => {
  const times = [];
  const begin = performance.now();
  requestAnimationFrame(function frame(now) {
    times.push(now);
    if (now - begin < seconds * 1000) requestAnimationFrame(frame);
    else resolve(times);
  });
})
"""


def visit(browser: Browser, address: str) -> dict[str, float]:
    """Open the page once, wait for its first whole map, and pan."""
    context = browser.new_context(viewport=_SIZE_PX, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(_WATCH)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    page.wait_for_function("() => window.bench.map !== null")
    first = {
        "paint_ms": page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        ),
        "map_ms": page.evaluate("bench.map"),
        "requests": float(len(requests)),
        "kilobytes": page.evaluate(
            "performance.getEntriesByType('resource').reduce((a, e) => a + e.transferSize, 0) / 1e3"
        ),
    }
    frames = _pan(page)
    found = {**first, **frames, "shift": page.evaluate("bench.shift")}
    context.close()
    return found


def _pan(page: Page) -> dict[str, float]:
    """Drag the map to and fro while frames are counted."""
    counting = page.evaluate_handle(f"() => ({{ frames: ({_FRAMES})({_PAN_S}) }})")
    middle = (_SIZE_PX["width"] * 0.65, _SIZE_PX["height"] * 0.4)
    page.mouse.move(*middle)
    page.mouse.down()
    for step in range(40):
        page.mouse.move(middle[0] - 6 * min(step, 40 - step), middle[1] + 2 * (step % 10))
    page.mouse.up()
    times: list[float] = page.evaluate("(counting) => counting.frames", counting)
    gaps = [after - before for before, after in pairwise(times)]
    return {
        "frames_per_s": 1000 / statistics.mean(gaps),
        "frame_p95_ms": statistics.quantiles(gaps, n=20)[-1],
    }


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", help="address of a running stack")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        rounds = [visit(browser, arguments.site) for _ in range(arguments.rounds)]
        browser.close()
    told: dict[str, Any] = {}
    for name in rounds[0]:
        values = [one[name] for one in rounds]
        told[name] = {
            "median": statistics.median(values),
            "best": min(values),
            "worst": max(values),
        }
        print(f"{name:14}" + "".join(f"{key} {value:10.3f}  " for key, value in told[name].items()))
    if arguments.json:
        print(json.dumps(told))


if __name__ == "__main__":
    main()
