"""The web page in headless Chromium: how soon there is a map, what shifts, how smoothly it pans.

``python -m tests.bench.web http://127.0.0.1:8080 [--query TEXT] [--rounds N] [--flag=FLAG]
[--json]`` asks a stack that runs. Each round is a browser without a cache of its own. Headless
Chromium draws WebGL in software, so that times and frames tell more of the machine's cores than of
the page. Its peers, in turns with it, are pages with MapLibre and nothing but a map of the same
size: ``bare`` has an empty style, ``coast`` the same coasts and borders. ``script_ms`` is what the
page's scripts, styles and layout took of each frame on the main thread: 60 frames a second leave
16.7. Flags of Chromium come after ours, in the place of those that say the same.
"""

import argparse
import json
import shutil
import statistics
import time
from itertools import pairwise
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, Route, ViewportSize, sync_playwright

from tests.web.screen import FLAGS, PATIENCE_MS

_SIZE_PX: ViewportSize = {"width": 1280, "height": 800}
_PANEL_PX = 384
_PAN_S = 3.0
_WATCH = """
window.bench = { shift: 0, idle: [], painted: 0 };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) bench.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
addEventListener("DOMContentLoaded", () => {
  const map = document.getElementById("map");
  let busy = map.getAttribute("aria-busy") === "true";
  new MutationObserver(() => {
    const now = map.getAttribute("aria-busy") === "true";
    if (busy && !now) bench.idle.push(performance.now());
    busy = now;
  }).observe(map, { attributes: true });
});
"""
_PEER = f"""<!doctype html><meta charset="utf-8"><title>Peer</title>
<style>body{{margin:0}} #map{{position:absolute;inset:0 0 0 {_PANEL_PX}px}}</style>
<link rel="stylesheet" href="/vendor/maplibre-gl.css">
<script type="importmap">{{"imports": {{"maplibre-gl": "/vendor/maplibre-gl.mjs"}}}}</script>
<h1>Peer</h1><div id="map" aria-busy="true"></div>
<script type="module">
import {{ Map }} from "maplibre-gl";
import {{ serveEarth }} from "/src/earth.js";
import {{ groundStyle }} from "/src/basemap.js";
serveEarth();
const ground = groundStyle("light", null);
const kept = location.hash === "#coast" ? ["land", "coast"] : [];
ground.layers = ground.layers.filter(({{ id }}) => kept.includes(id));
ground.sources = kept.length ? {{ earth: ground.sources.earth }} : {{}};
// A stock map draws its sea itself.
const sea = {{ id: "sea", type: "background", paint: {{ "background-color": "#cdd9e1" }} }};
if (kept.length) ground.layers.unshift(sea);
const container = document.getElementById("map");
const map = new Map({{ container, style: ground, center: [12, 47], zoom: 3.2, fadeDuration: 0 }});
map.on("idle", () => container.setAttribute("aria-busy", "false"));
</script>"""
_FRAMES = """
(seconds) => new Promise((resolve) => {
  const times = [];
  const begin = performance.now();
  requestAnimationFrame(function frame(now) {
    times.push(now);
    if (performance.now() - begin < seconds * 1000) requestAnimationFrame(frame);
    else resolve(times);
  });
})
"""
_WORK = {
    "script_ms": ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration"),
    "main_ms": ("TaskDuration",),
}


def visit(browser: Browser, address: str) -> dict[str, float]:
    """Open a page once, wait for its first map and for its last piece, pan, and come again."""
    context = browser.new_context(viewport=_SIZE_PX, bypass_csp=True)
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(_WATCH)
    if "bench-peer" in address:
        # Only for the peers: who answers in the place of a server takes the browser its cache.
        context.route("**/bench-peer", _answer_peer)
    page = context.new_page()
    found = {**_open(page, address), **_pan(page, context.new_cdp_session(page))}
    found["shift"] = page.evaluate("bench.shift")
    page.close()
    page = context.new_page()
    again = _open(page, address)
    context.close()
    return {**found, **{f"again_{name}": again[name] for name in ("map_ms", "kilobytes")}}


def _open(page: Page, address: str) -> dict[str, float]:
    """Go to an address, and wait until nothing is asked for any more."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    page.wait_for_function("() => window.bench.idle.length > 0")
    count = len(requests)
    page.wait_for_load_state("networkidle")
    page.wait_for_selector('#map[aria-busy="false"]')
    return {
        "paint_ms": page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        ),
        "map_ms": page.evaluate("bench.idle[0]"),
        "whole_ms": page.evaluate("bench.idle.at(-1)"),
        "requests": float(count),
        "kilobytes": page.evaluate(
            "performance.getEntriesByType('resource').reduce((a, e) => a + e.transferSize, 0) / 1e3"
        ),
    }


def _answer_peer(route: Route) -> None:
    route.fulfill(body=_PEER, content_type="text/html")


def _pan(page: Page, inspector: CDPSession) -> dict[str, float]:
    """Drag the map to and fro while frames are counted."""
    inspector.send("Performance.enable")
    before = _taken(inspector)
    counting = page.evaluate_handle(f"() => ({{ frames: ({_FRAMES})({_PAN_S}) }})")
    x, y = _SIZE_PX["width"] * 0.65, _SIZE_PX["height"] * 0.4
    page.mouse.move(x, y)
    page.mouse.down()
    end = time.monotonic() + _PAN_S
    step = 0
    while time.monotonic() < end:
        step += 1
        page.mouse.move(x - 6 * abs((step + 40) % 80 - 40) + 240, y + 2 * (step % 10))
    times: list[float] = page.evaluate("(counting) => counting.frames", counting)
    after = _taken(inspector)
    page.mouse.up()
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return {
        "frames_per_s": 1000 / statistics.mean(gaps),
        "frame_p95_ms": statistics.quantiles(gaps, n=20)[-1],
        **{name: (after[name] - before[name]) * 1000 / len(gaps) for name in _WORK},
    }


def _taken(inspector: CDPSession) -> dict[str, float]:
    """Seconds of the main thread so far."""
    told = inspector.send("Performance.getMetrics")["metrics"]
    seconds = {one["name"]: one["value"] for one in told}
    return {name: sum(seconds[part] for part in parts) for name, parts in _WORK.items()}


def summed(rounds: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Median, best and worst of each number."""
    told = {}
    for name in rounds[0]:
        values = [one[name] for one in rounds]
        told[name] = {
            "median": statistics.median(values),
            "best": min(values),
            "worst": max(values),
        }
    return told


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", help="address of a running stack")
    parser.add_argument("--query", default="", help="what the page is asked for, such as ?item=…")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flag", action="append", default=[], help="of Chromium; again for more")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    arguments = parser.parse_args()
    site = arguments.site.rstrip("/")
    addresses = {
        "page": f"{site}/{arguments.query}",
        "bare": f"{site}/bench-peer#bare",
        "coast": f"{site}/bench-peer#coast",
    }
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in addresses}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*FLAGS, *arguments.flag]
        )
        for _ in range(arguments.rounds):
            for name, address in addresses.items():
                rounds[name].append(visit(browser, address))
        browser.close()
    told: dict[str, Any] = {name: summed(each) for name, each in rounds.items()}
    for name, numbers in told.items():
        for key, values in numbers.items():
            shown = "".join(f"{each} {value:10.3f}  " for each, value in values.items())
            print(f"{name:6}{key:17}{shown}")
    ratios = {
        f"{key}_to_{peer}": told["page"][key]["median"] / told[peer][key]["median"]
        for peer in ("bare", "coast")
        for key in ("map_ms", "frames_per_s")
    }
    print("".join(f"{key} {value:.2f}  " for key, value in ratios.items()))
    if arguments.json:
        print(json.dumps({**told, **ratios}))


if __name__ == "__main__":
    main()
