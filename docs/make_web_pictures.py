"""The pictures of the pages in README and docs/web.md, and the two designs of the search page that it compares.

.venv/bin/python docs/make_web_pictures.py

Everything is made on the drawn sample: a run of a small recipe, its index, a server, and Chromium. It prints how many hits
each design shows before anybody scrolls.
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.web import browsers  # noqa: E402
from tests.web.servers import running  # noqa: E402

from cinealign import Catalogue, Recipe, align  # noqa: E402
from cinealign.data.drawn.movies import draw_sample  # noqa: E402
from cinealign.web.shelf import Shelf  # noqa: E402

PICTURES = Path(__file__).parent / "pictures"
TEXT = "a lonely robot crosses the desert and finds a friend"
RECIPE: dict[str, Any] = {
    "name": "small",
    "seed": 5,
    "views": {
        "appearance": {"view": "appearance", "width": 96, "height": 128},
        "lettering": {"view": "lettering", "encoder": {"view": "tfidf", "min_df": 1}},
        "title": {"view": "lettering", "lines": "tallest", "count": 1, "encoder": {"view": "text"}},
        "words": {"view": "tfidf"},
        "intro_words": {"view": "text"},
    },
    "align": [
        {"expert": "lexical", "poster": "title", "intro": "intro_words"},
        {"expert": "cca", "poster": "lettering", "intro": "words", "dimensions": 16, "ridge": 3},
        {"expert": "cca", "poster": "appearance", "intro": "words", "dimensions": 16, "ridge": 3},
    ],
    "fusion": {"folds": 3, "steps": 50},
    "evaluation": {"bootstrap": 100},
}
LEDGER_STYLE = """
main { max-width: 78rem; display: grid; grid-template-columns: 15rem minmax(0, 1fr); gap: 0 3rem; }
main > * { grid-column: 1; }
#answer { grid-column: 2; grid-row: 1 / span 9; }
.ask .line { flex-direction: column; }
#text { font-size: 1.25rem; width: 100%; }
.by { flex-direction: column; }
.ask { padding-top: 1rem; }
.filters .fields { flex-direction: column; align-items: stretch; }
.wall { grid-template-columns: minmax(0, 1fr) !important; gap: 0; }
.hit { display: grid; grid-template-columns: 5rem minmax(0, 1fr) 9rem; grid-template-rows: auto 1fr; gap: 0 1.4rem; }
.hit { padding-block: 0.9rem; border-top: 1px solid var(--hair); }
.hit .to { display: contents !important; }
.wall .title { min-height: 0; margin: 0; font-size: 1.1rem; grid-column: 2; }
.hit .poster { grid-row: 1 / span 2; width: 5rem; height: 7.4rem; }
.hit .intro { grid-column: 2; grid-row: 2; margin: 0; color: var(--soft); }
.hit .numbers { grid-column: 3; grid-row: 1 / span 2; }
@media (max-width: 44rem) {
  main { display: block; }
  .hit { grid-template-columns: 5rem minmax(0, 1fr); }
  .hit .numbers { grid-column: 2; grid-row: 3; }
}
"""
LEDGER = """
async () => {
  document.querySelector("details.filters").open = innerWidth > 700
  for (const hit of document.querySelectorAll(".hit")) {
    const id = new URL(hit.querySelector("a.to").href).searchParams.get("id")
    const item = await (await fetch(`/api/v1/item?${new URLSearchParams({ id })}`)).json()
    const intro = document.createElement("p")
    intro.className = "intro"
    intro.textContent = item.intro
    hit.insertBefore(intro, hit.querySelector(".numbers"))
  }
}
"""
IN_VIEW = """
() => [...document.querySelectorAll(".hit .title")].filter((title) => title.getBoundingClientRect().bottom <= innerHeight)
  .length
"""


def made(home: Path) -> Shelf:
    draw_sample(home / "sample")
    run = align(Catalogue.load(home / "sample"), Recipe.parse(RECIPE), home / "small")
    return Shelf.of(run.folder, data=home / "sample")


def shot(page: Page, name: str, width: int = 960) -> None:
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        small = picture.convert("RGB").resize(
            (width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS
        )
    small.quantize(160).save(PICTURES / f"web-{name}.png", optimize=True)


def ready(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_function("!document.querySelector('[aria-busy=true]')")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home, sync_playwright() as play:
        shelf = made(Path(home))
        shelf.warm()
        item = shelf.index.search(text=TEXT, limit=1)[0].id
        browser = play.chromium.launch(
            executable_path=browsers.found(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        with running(shelf) as address:
            for kind, (width, height) in {"wide": (1280, 900), "narrow": (360, 780)}.items():
                context = browser.new_context(
                    viewport={"width": width, "height": height}, locale="en-GB", bypass_csp=True
                )
                page = context.new_page()
                page.set_default_timeout(180_000)
                page.goto(f"{address}/?text={TEXT}")
                ready(page)
                print(f"{kind}: the wall shows {page.evaluate(IN_VIEW)} hits", flush=True)
                if kind == "wide":
                    shot(page, "search")
                page.add_style_tag(content=LEDGER_STYLE)
                page.evaluate(LEDGER)
                print(f"{kind}: the ledger shows {page.evaluate(IN_VIEW)} hits", flush=True)
                if kind == "wide":
                    shot(page, "search-ledger")
                    page.goto(f"{address}/item?id={item}")
                    ready(page)
                    shot(page, "item")
                    page.goto(f"{address}/map?colour=genre")
                    page.wait_for_function("document.getElementById('state').textContent === ''")
                    page.wait_for_timeout(1000)
                    shot(page, "map")
                context.close()
        browser.close()
