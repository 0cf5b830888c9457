"""The pages in a real browser: what people do with them, by mouse, by keys, with and without scripts."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from cinealign.web.shelf import Shelf
from tests.web.bad_files import bad_files
from tests.web.conftest import HOSTILE, HOSTILE_IDS

SLOW = 120_000
"""Milliseconds that a page may take on a machine that does other things as well."""
Open = Callable[..., Any]


@pytest.fixture
def visit(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Open an address in a fresh browser. At the end nothing has left this machine, and no script has failed."""
    contexts, strangers, faults = [], [], []

    def opened(address: str, **options: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1200, "height": 900}, "locale": "en-GB", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SLOW)
        context.on("request", lambda sent: strangers.append(sent.url) if not _is_local(sent.url) else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not strangers
    assert not faults


def _is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:"))


def _ids(page: Any, within: str = "#answer") -> list[str]:
    links = page.locator(f"{within} .hit a.to").evaluate_all("links => links.map(link => link.href)")
    return [parse_qs(urlsplit(link).query)["id"][0] for link in links]


def _asked(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_results_come_while_typing_and_the_address_holds_them(visit: Open, site: str, shelf: Shelf) -> None:
    page = visit(site)
    page.locator("#text").press_sequentially("a pirate ship", delay=5)
    page.wait_for_url("**/?text=a+pirate+ship")
    expected = [hit.id for hit in shelf.index.search(text="a pirate ship", limit=24)]
    page.wait_for_function(
        "first => document.querySelector('.hit a.to')?.href.endsWith('id=' + first)", arg=expected[0]
    )
    assert _ids(page) == expected
    assert page.locator("#text").evaluate("box => box === document.activeElement && box.value") == "a pirate ship"
    page.goto(page.url)  # as if it had been sent on
    assert _ids(page) == expected


def test_filters_chips_back_and_forward(visit: Open, site: str, shelf: Shelf) -> None:
    page = visit(f"{site}/?text=war")
    plain = _ids(page)
    page.locator("summary").first.click()
    page.locator("select[name=genre]").select_option("War")
    page.wait_for_url("**genre=War**")
    page.wait_for_function(
        "() => document.querySelectorAll('.hit').length && !document.querySelector('#main').hasAttribute('aria-busy')"
    )
    of_war = [hit.id for hit in shelf.index.search(text="war", where={"genre": "War"}, limit=24)]
    page.wait_for_function("first => document.querySelector('.hit a.to').href.endsWith('id=' + first)", arg=of_war[0])
    assert _ids(page) == of_war
    page.locator(".hit .acts a").first.click()
    page.wait_for_selector(".chip.more")
    assert _asked(page)["more"] == [of_war[0]]
    page.go_back()
    page.wait_for_selector(".chip.more", state="detached")
    assert _ids(page) == of_war
    page.go_forward()
    page.wait_for_selector(".chip.more")
    page.locator(".chip.more a").click()
    page.wait_for_selector(".chip.more", state="detached")
    assert _ids(page) == of_war != plain


def test_a_search_without_scripts(visit: Open, site: str, shelf: Shelf, hostile_site: str, tmp_path: Path) -> None:
    page = visit(site, java_script_enabled=False)
    page.locator("#text").fill("a ghost in the castle")
    page.locator(".line button").click()
    page.wait_for_load_state()
    assert _ids(page) == [hit.id for hit in shelf.index.search(text="a ghost in the castle", limit=24)]
    page.locator(".hit .acts a").nth(1).click()
    assert page.locator(".chip.less").count() == 1
    page.locator("a[rel=next]").click()
    assert _asked(page)["offset"] == ["24"]
    other = visit(hostile_site, java_script_enabled=False)
    other.locator("input[type=file]").set_input_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": _poster(0, hostile_site)}
    )
    other.locator("button.send").click()
    assert other.locator(".chip.picture img").get_attribute("src").startswith("data:image/jpeg")
    assert other.locator(".hit.intro").count() == len(HOSTILE)


def _poster(at: int, address: str) -> bytes:
    from urllib.request import urlopen

    with urlopen(f"{address}/poster?id={quote(HOSTILE_IDS[at], safe='')}") as answer:
        content: bytes = answer.read()
    return content


def test_a_picture_is_chosen_dropped_and_pasted(visit: Open, hostile_site: str) -> None:
    page = visit(hostile_site)
    page.locator("input[type=file]").set_input_files(
        {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": _poster(1, hostile_site)}
    )
    page.wait_for_selector(".chip.picture")
    chosen = _ids(page)
    assert len(chosen) == len(HOSTILE) and page.locator(".hit.intro").count() == len(HOSTILE)
    content = base64.b64encode(_poster(1, hostile_site)).decode()
    for event in ("drop", "paste"):
        page.goto(hostile_site)
        assert page.locator(".chip.picture").count() == 0
        page.evaluate(
            """([kind, content]) => {
                const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))
                const carried = new DataTransfer()
                carried.items.add(new File([bytes], "p.jpg", { type: "image/jpeg" }))
                const options = { bubbles: true, cancelable: true }
                if (kind === "drop") {
                    document.body.dispatchEvent(new DragEvent("dragover", { ...options, dataTransfer: carried }))
                    if (document.getElementById("dropping").hidden) throw new Error("no word of dropping")
                    document.body.dispatchEvent(new DragEvent("drop", { ...options, dataTransfer: carried }))
                } else document.body.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: carried }))
            }""",
            [event, content],
        )
        page.wait_for_selector(".chip.picture")
        assert _ids(page) == chosen
    page.locator(".chip.picture a").click()
    page.wait_for_selector(".chip.picture", state="detached")
    page.go_back()  # the picture is still known to the page that sent it
    page.wait_for_selector(".chip.picture")
    assert _ids(page) == chosen


def test_forty_kinds_of_bad_file_are_refused_on_the_page(visit: Open, hostile_site: str) -> None:
    page = visit(f"{hostile_site}/?title=nothing+has+this+title")
    for name, content in bad_files().items():
        if not content:  # a browser sends an empty file as none chosen
            continue
        with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
            page.locator("input[type=file]").set_input_files({"name": "p", "mimeType": "image/jpeg", "buffer": content})
        assert answered.value.status == 422, name
        page.wait_for_selector(".fault:not([title])")
        page.locator(".fault").evaluate("(place, name) => place.setAttribute('title', name)", name)
        assert "picture" in page.locator(".fault p").first.inner_text(), name
        assert page.locator("#text").count() == 1  # the form stays


def test_an_item_says_why_and_leads_to_its_pair(visit: Open, site: str, shelf: Shelf) -> None:
    item = shelf.all_items[7]
    page = visit(f"{site}/item?id={item.item_id}")
    assert page.locator("h1").inner_text() == item.title
    page.wait_for_selector("#intro mark")  # loads by itself
    page.wait_for_selector(".over polygon.line", state="attached")
    assert page.locator("#intro").inner_text() == item.intro
    assert page.locator(".place").count() == 2 and page.locator(".strip").count() == 4
    page.get_by_role("link", name="Compare with another intro").click()
    page.wait_for_url("**/pair?**")
    page.locator("input[name=intro]").fill(shelf.all_items[8].title)
    page.get_by_role("button", name="Show").click()
    page.wait_for_selector("#why .lines, #intro mark")
    assert page.locator(".pair h2.title").inner_text() == shelf.all_items[8].title


def test_parts_of_a_poster_are_covered_in_place(visit: Open, hostile_site: str) -> None:
    page = visit(f"{hostile_site}/pair?poster=..&intro=..&why=1")
    page.evaluate("window.stays = true")
    page.locator("a[data-place]").click()
    page.wait_for_url("**cover=1**")
    assert page.evaluate("window.stays") and not page.locator("a[data-place]").count()
    assert "Framed" in page.locator("#poster").inner_text()


def test_what_is_lassoed_on_the_map_is_listed(visit: Open, hostile_site: str, hostile_shelf: Shelf) -> None:
    page = visit(f"{hostile_site}/map")
    page.wait_for_function("() => document.getElementById('state').textContent === ''")
    page.locator("#canvas").scroll_into_view_if_needed()
    box = page.locator("#canvas").bounding_box()
    page.locator("#show-intro").uncheck()
    middle = box["x"] + box["width"] / 2
    corners = [
        (box["x"] + 2, box["y"] + 2),
        (middle, box["y"] + 2),
        (middle, box["y"] + box["height"] - 2),
        (box["x"] + 2, box["y"] + box["height"] - 2),
    ]
    page.locator("#lasso").click()
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    page.wait_for_selector("#chosen:not([hidden])")
    links = page.locator("#chosen-list a").evaluate_all(
        "links => links.map(link => new URL(link.href).searchParams.get('id'))"
    )
    drawn = hostile_shelf.map()
    assert drawn is not None
    key_of = {item.key: item.item_id for item in hostile_shelf.all_items}
    left = {key_of[int(key)] for key, (x, _) in zip(drawn.keys["poster"], drawn.xy["poster"], strict=True) if x < 0.5}
    assert 0 < len(left) < len(hostile_shelf.all_items)
    assert set(links) == left
    page.locator("#canvas").focus()  # the same by keys: all that is in view
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "n => document.querySelectorAll('#chosen-list a').length === n", arg=len(hostile_shelf.all_items)
    )
    page.locator("#colour").select_option("decade")
    page.wait_for_function("() => document.querySelector('#legend').textContent.includes('1950s')")


def test_two_runs_are_compared(visit: Open, site: str) -> None:
    page = visit(f"{site}/compare")
    page.locator("select[name=first]").select_option("other")
    page.locator("select[name=second]").select_option("lettered")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**first=other&second=lettered")
    assert page.locator("tbody tr").count() == 2
    assert page.get_by_text("Only lettered finds").count() == 2


def test_language_and_look(visit: Open, site: str) -> None:
    page = visit(f"{site}/?text=war", color_scheme="light")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(paper) == "rgb(251, 250, 247)"
    page.get_by_role("link", name="Dark").click()
    page.wait_for_selector("[data-theme=dark]")
    assert page.evaluate(paper) == "rgb(19, 19, 18)"
    page.get_by_role("link", name="中文").click()
    page.wait_for_selector("[lang=zh-Hans]")
    assert _asked(page) == {"text": ["war"]} and "最高概率" in page.locator(".said").inner_text()
    page.goto(f"{site}/run")
    assert page.locator("h1").inner_text().startswith("运行结果") and page.evaluate(paper) == "rgb(19, 19, 18)"
    assert visit(site, color_scheme="dark").evaluate(paper) == "rgb(19, 19, 18)"


def test_everything_by_keyboard(visit: Open, site: str) -> None:
    page = visit(f"{site}/?text=war")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("/")
    page.keyboard.type("a lonely robot")
    page.wait_for_url("**/?text=a+lonely+robot")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.href")
    assert second == page.locator(".hit a.to").nth(1).evaluate("link => link.href")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("+")
    page.wait_for_selector(".chip.more")
    page.keyboard.press("j")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "/item?id=" in page.url
    seen = set()  # every link and field of a page is reached by Tab, and none holds the focus
    page.goto(f"{site}/?text=war")
    count = page.locator("a, button, input:not([type=hidden]), select, summary, [tabindex='0']").count()
    for _ in range(count + 20):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    missed = """seen => [...document.querySelectorAll('a, button, select, summary, input:not([type=radio])')]
        .filter((each) => each.checkVisibility({ visibilityProperty: true }))
        .filter((each) => !seen.includes([...document.querySelectorAll('*')].indexOf(each)))
        .map((each) => each.outerHTML.slice(0, 80))"""
    assert page.evaluate(missed, list(seen)) == []


def test_hostile_titles_do_nothing(visit: Open, hostile_site: str) -> None:
    page = visit(hostile_site)
    pages = ["/", "/?text=shark&side=both", "/map", "/compare", "/run"]
    pages += [f"/item?id={quote(each, safe='')}&why=1" for each in HOSTILE_IDS[:4]]
    pages += [
        f"/?text={quote(HOSTILE[0])}&plus={quote(HOSTILE[1])}",
        f"/pair?poster={quote(HOSTILE[1])}&intro={quote(HOSTILE[4])}",
    ]
    for path in pages:
        page.goto(hostile_site + path)
        if path == "/map":
            page.wait_for_function("() => document.getElementById('state').textContent === ''")
            page.locator("#in-view").click()
            page.wait_for_selector("#chosen-list li")
        assert page.evaluate("window.pwned") is None, path
        assert (
            page.evaluate("document.querySelectorAll('img[onerror], svg[onload], main script, main b[onclick]').length")
            == 0
        )


PAGES = (
    "/",
    "/?text=war",
    "/?like={id}:poster&side=intro",
    "/item?id={id}&why=1",
    "/pair?poster={id}&intro={id}&why=1",
    "/map",
    "/run",
    "/compare",
    "/about",
    "/item?id=nobody",
)


def test_axe_finds_nothing_serious(visit: Open, site: str, shelf: Shelf) -> None:
    axe = (Path(str(files("axe_playwright_python"))) / "axe.min.js").read_text(encoding="utf-8")
    found: list[str] = []
    for theme, only in (("light", None), ("dark", ["color-contrast"])):
        page = visit(f"{site}/?theme={theme}")
        for path in PAGES:
            page.goto(site + path.format(id=shelf.all_items[0].item_id))
            page.wait_for_load_state("networkidle")
            page.evaluate(axe)
            rules = {} if only is None else {"runOnly": only}
            told = page.evaluate("rules => axe.run(document, { ...rules, resultTypes: ['violations'] })", rules)
            found += [
                f"{theme} {path}: {each['impact']} {each['id']}: {each['nodes'][0]['html'][:120]}"
                for each in told["violations"]
                if each["impact"] in ("serious", "critical")
            ]
    assert found == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_a_telephone(lang: str, visit: Open, site: str, hostile_site: str, shelf: Shelf) -> None:
    page = visit(f"{site}/?lang={lang}", viewport={"width": 360, "height": 740})
    for address, item_id in ((site, shelf.all_items[0].item_id), (hostile_site, quote(HOSTILE_IDS[7]))):
        for path in PAGES if address == site else PAGES[:6]:
            page.goto(address + path.format(id=item_id))
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, (
                path
            )


def test_motion_is_for_those_who_do_not_mind(visit: Open, site: str) -> None:
    moves = "getComputedStyle(document.querySelector('.poster')).transitionDuration"
    assert visit(site, reduced_motion="reduce").evaluate(moves) == "0s"
    assert visit(site, reduced_motion="no-preference").evaluate(moves) != "0s"


def test_a_busy_server_is_asked_again(visit: Open, site: str) -> None:
    page = visit(site)
    answers = iter([429, 429])

    def sometimes(route: Any) -> None:
        if (status := next(answers, None)) is None:
            route.continue_()
        else:
            route.fulfill(status=status, headers={"Retry-After": "0"}, body="busy")

    page.route(re.compile(r"/\?text="), sometimes)
    page.locator("#text").fill("war")
    page.wait_for_url("**/?text=war")
    assert page.locator(".hit .chance").count() == 24
    assert not page.locator("#toast").is_visible()


def test_the_map_moves_smoothly_with_many_points(visit: Open, site: str) -> None:
    """How fast is a benchmark's matter; here: 200,000 points are drawn at all, and dragging moves them."""
    page = visit(site)
    n = 100_000
    told = {
        "state": "ready",
        "side": [0] * n + [1] * n,
        "x": [(7919 * at % n) / n for at in range(n)] * 2,
        "y": [(104729 * at % n) / n for at in range(n)] * 2,
        "item": [*range(n), *range(n)],
        "items": {"id": [str(at) for at in range(n)], "title": ["t"] * n, "genre": ["a", "b"] * (n // 2)},
    }
    page.route(
        "**/api/v1/map", lambda route: route.fulfill(status=200, content_type="application/json", body=json.dumps(told))
    )
    page.goto(f"{site}/map")
    page.wait_for_function("() => document.getElementById('state').textContent === ''")
    inked = """() => {
        const canvas = document.getElementById('canvas')
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, 40)
        return new Set(new Uint32Array(data.buffer)).size
    }"""
    page.locator("#whole").click()
    page.locator("#canvas").focus()
    for _ in range(3):
        page.keyboard.press("+")
    page.wait_for_timeout(200)
    assert page.evaluate(inked) > 10
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(200)
    assert page.evaluate(inked) == 1
