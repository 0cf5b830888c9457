"""Frames a second of the map in headless Chromium, while a hand pans and zooms.

.venv/bin/python benchmarks/map.py 2938 100000

It serves the page of a tiny index of its own, and gives it points of that many items, a poster and an intro each, in
clusters. A frame is what passes between two calls of requestAnimationFrame; one that takes more than 50 ms is seen as a
stutter. No graphics processor is used: the figures are those of the processor alone.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright
from tests.search.encoders import WordEncoder
from tests.search.folders import write_index
from tests.web import browsers
from tests.web.servers import running

from cinealign.search.index import Index
from cinealign.web.shelf import Shelf

SECONDS = 5
STUTTER = 50.0
GENRES = ("Drama", "Comedy", "Action", "Horror", "War", "Romance", "Western", "Musical")
CLOCK = """
window.frames = []
window.painted = []
const ask = window.requestAnimationFrame.bind(window)
let last = 0
const next = (now) => { window.frames.push(now - last); last = now; ask(next) }
ask(next)
window.requestAnimationFrame = (paint) => ask((now) => {
  const began = performance.now()
  paint(now)
  window.painted.push(performance.now() - began)
})
"""


def points(items: int) -> str:
    """What the API says of a map of that many items."""
    dice = np.random.default_rng(0)
    centres = dice.random((40, 2)) * 0.8 + 0.1
    of = dice.integers(0, len(centres), items)
    xy = [centres[of] + dice.normal(0, 0.03, (items, 2)) for _ in range(2)]
    placed = np.clip(np.concatenate(xy), 0, 1).round(5)
    numbers = list(range(items))
    told = {"state": "ready", "side": [0] * items + [1] * items, "item": numbers + numbers}
    told |= {"x": placed[:, 0].tolist(), "y": placed[:, 1].tolist()}
    named = {"id": list(map(str, numbers)), "title": [f"item {number}" for number in numbers]}
    told["items"] = {**named, "genre": [GENRES[each % len(GENRES)] for each in of.tolist()]}
    return json.dumps(told)


def measure(page, address: str, items: int) -> None:
    body = points(items)
    page.route("**/api/v1/map", lambda route: route.fulfill(body=body, content_type="application/json"))
    page.add_init_script(CLOCK)
    page.goto(f"{address}/map")
    page.wait_for_function("document.getElementById('state').textContent === ''")
    box = page.locator("#canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for what in ("panning", "zooming", "panning a part"):
        page.evaluate("window.frames.length = window.painted.length = 0")
        began = page.evaluate("performance.now()")
        step = 0
        page.mouse.move(x, y)
        if what != "zooming":
            page.mouse.down()
        while page.evaluate("performance.now()") - began < 1000 * SECONDS:
            step += 1
            if what == "zooming":
                page.mouse.wheel(0, -60 if step < 60 else 60)
                step %= 120
            else:
                page.mouse.move(x + 150 * np.sin(step / 15), y + 100 * np.sin(step / 11))
        page.mouse.up()
        if what == "zooming":
            page.locator("#whole").click()
            for _ in range(5):
                page.mouse.move(x, y)
                page.mouse.wheel(0, -120)
        frames, painted = (np.array(page.evaluate(f"window.{name}")[5:]) for name in ("frames", "painted"))
        print(
            f"{items:,} items, {what}: {1000 * len(frames) / frames.sum():.0f} frames a second; a frame takes "
            f"{np.median(frames):.1f} ms (median), {np.quantile(frames, 0.99):.1f} ms at p99, {frames.max():.1f} ms at "
            f"most; {int((frames > STUTTER).sum())} of {len(frames)} took more than {STUTTER:.0f} ms; "
            f"painting takes {np.median(painted):.1f} ms"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("items", type=int, nargs="*", default=[2938, 100_000])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as play:
        index = Index.open(write_index(Path(home) / "index", 40), encoder=WordEncoder())
        browser = play.chromium.launch(
            executable_path=browsers.found(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        with running(Shelf(index)) as address:
            for count in given.items:
                context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)
                measure(context.new_page(), address, count)
                context.close()
        browser.close()
