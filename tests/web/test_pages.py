"""The pages as HTML: without scripts, escaped, in two languages, and their addresses."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from starlette.testclient import TestClient

from cinealign.search.pairs import Pair
from cinealign.studies.curves import PANELS
from cinealign.web.questions import Question
from cinealign.web.rendering import PAGES, chance, contributions, marked, score, signed, stack
from cinealign.web.runs import SLICES
from cinealign.web.shelf import Shelf
from tests.web.conftest import HOSTILE, HOSTILE_IDS

TEMPLATES = Path(str(files("cinealign").joinpath("web/templates")))
STATIC = Path(str(files("cinealign").joinpath("web/static")))
KNOWN = yaml.safe_load((TEMPLATES.parent / "words.zh.yaml").read_text(encoding="utf-8"))
NAMED = {
    *(name for _, name in PAGES),
    *SLICES,
    *PANELS.values(),
    *("poster to intro", "intro to poster", "genre", "decade", "split", "found", "train", "held_out", "added", "all"),
    *("both", "one", "none", "First", "Second", "automatic", "posters", "intros", "Poster of", "Intro of"),
    *("Similar posters", "Similar intros", "Intros for this poster", "Posters for this intro"),
    *(
        "Best held-out cases",
        "Worst held-out cases",
        "letters",
        "lettering",
        "appearance",
        "title",
        "meaning",
        "match",
        "picture",
    ),
    *("memory of train pairs", "hub correction", "length", "train pairs", "left-out pairs"),
}
"""Texts that templates translate by a name."""


class Tags(HTMLParser):
    """Tags with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def every(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def told(template: str) -> list[str]:
    quoted = re.findall(r"""_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""", template)
    return [first or second for first, second in quoted]


def test_every_text_has_its_chinese_and_every_chinese_its_text() -> None:
    texts = {text for path in TEMPLATES.glob("*.html") for text in told(path.read_text(encoding="utf-8"))}
    missing = sorted(text for text in texts | NAMED if text not in KNOWN)
    assert not missing
    unused = sorted(text for text in KNOWN if text not in texts | NAMED | {"memory", "words"})
    assert not unused
    for text, chinese in KNOWN.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", chinese)), text


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/item?id=nobody", 404, "没有编号为“nobody”的条目"),
        ("/nowhere", 404, "没有这个页面"),
        ("/compare?first=x", 404, "没有名为“x”的运行"),
        ("/?year_from=late", 422, "起始年份：应为整数"),
        ("/?where=film", 422, "筛选“film”的格式应为"),
        ("/map?offset=-1", 422, "offset：不得小于 0"),
        ("/?where=film%3Dx", 422, "没有名为“film”的列可供筛选，可选："),
    ],
)
def test_errors_speak_the_language_of_their_page(client: TestClient, path: str, status: int, expected: str) -> None:
    answer = client.get(path, headers={"cookie": "cinealign_lang=zh"})
    assert answer.status_code == status and expected in html.unescape(answer.text)
    if status == 404 and "nobody" in path:
        assert "没有" not in client.get(f"/api/v1{path}", headers={"cookie": "cinealign_lang=zh"}).text


def test_templates_hold_no_text_of_their_own() -> None:
    """Letters between tags come through `_`, but for names that are the same in both languages."""
    for path in TEMPLATES.glob("*.html"):
        bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        bare = re.sub(r"<[^>]*>", " ", bare)
        assert set(re.findall(r"[A-Za-z]{3,}", bare)) <= {
            "cinealign",
            "doctype",
            "html",
            "Esc",
            "api",
            "openapi",
            "json",
        }, path


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    for path in [*TEMPLATES.glob("*.html"), *STATIC.glob("*")]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text and "https://" not in text, path
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*src=)", text), path
        assert "|safe" not in text and "innerHTML" not in text and "eval(" not in text, path


def test_a_search_works_as_a_plain_form(client: TestClient, shelf: Shelf) -> None:
    page = client.get(
        "/", params={"text": "a pirate ship", "year_from": "", "year_to": "", "genre": "", "title": "", "side": ""}
    )
    links = [link["href"] or "" for link in Tags(page.text).every("a")]
    found = [
        parse_qs(urlsplit(link).query)["id"][0] for link in links if link.startswith("/item?id=") and "why" not in link
    ]
    assert found == [hit.id for hit in shelf.index.search(text="a pirate ship", limit=24)]
    forms = Tags(page.text).every("form")
    assert forms[0]["method"] == "get" and forms[1]["enctype"] == "multipart/form-data"


def test_pages_of_hits_follow_each_other(client: TestClient, shelf: Shelf) -> None:
    links = {link.get("rel"): link["href"] for link in Tags(client.get("/?text=war&limit=10").text).every("a")}
    second = Tags(client.get(links["next"] or "").text)
    found = [link["href"] for link in second.every("a") if (link["href"] or "").startswith("/item?id=")]
    expected = [hit.id for hit in shelf.index.search(text="war", limit=10, offset=10)]
    assert [parse_qs(urlsplit(link or "").query)["id"][0] for link in found][::2] == expected


def test_no_good_match_is_said_plainly(client: TestClient, shelf: Shelf) -> None:
    text = "zzz qqq"
    assert shelf.index.search(text=text).no_good_match
    assert "No good match." in client.get("/", params={"text": text}).text
    assert "没有合适的匹配。" in client.get("/", params={"text": text}, headers={"cookie": "cinealign_lang=zh"}).text


def test_the_address_holds_the_question() -> None:
    asked = Question(text="a & b", like=["a/b?c#d"], minus=["+"], genre=["Sci-Fi"], year_to=1990, offset=24)
    again = Question(
        **{
            name: (values if name in ("like", "minus", "genre") else values[0])
            for name, values in parse_qs(asked.address()).items()
        }
    )
    assert again == asked
    assert Question().address() == ""
    assert asked.beside("more", "9") == asked.address(more=["9"], offset=0)
    assert "like=" not in asked.without("like", "a/b?c#d")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("path", ["/", "/?text=shark", "/?text=shark&side=both", "/map", "/compare", "/about", "/run"])
def test_hostile_titles_are_only_ever_text(path: str, lang: str, hostile: TestClient) -> None:
    page = hostile.get(path, headers={"cookie": f"cinealign_lang={lang}"})
    assert page.status_code == 200
    tags = Tags(page.text)
    assert all((script["src"] or "").startswith("/static/") for script in tags.every("script"))
    for _, attributes in tags.found:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("/", "#", "data:image/jpeg;base64,")), value
    assert "pwned = 1</script>" not in page.text
    if path == "/":
        assert "{{ 7 * 7 }}{% for x in y %}" in page.text


@pytest.mark.parametrize(("item_id", "title"), zip(HOSTILE_IDS, HOSTILE, strict=True))
def test_pages_of_hostile_items(item_id: str, title: str, hostile: TestClient) -> None:
    page = hostile.get("/item", params={"id": item_id, "why": 1})
    assert page.status_code == 200
    tags = Tags(page.text)
    assert {(script["src"] or "")[:8] for script in tags.every("script")} == {"/static/"}
    for link in tags.every("a"):
        assert (link["href"] or "").startswith(("/", "#"))
    assert hostile.get("/pair", params={"poster": item_id, "intro": item_id, "cover": 1}).status_code == 200
    assert hostile.get("/", params={"like": item_id, "side": "both"}).status_code == 200
    assert hostile.get("/", params={"title": title[:500]}).status_code == 200
    assert hostile.get("/", params={"genre": title[:60], "where": f"director={title[:80]}"}).status_code == 200


def test_what_is_asked_is_escaped_too(hostile: TestClient) -> None:
    for field in ("text", "title", "plus", "minus", "like", "where", "side", "limit"):
        page = hostile.get("/", params={"text": "shark", field: HOSTILE[0]})
        assert "<script>window" not in page.text
    assert "<script>window" not in hostile.get("/item", params={"id": HOSTILE[0]}).text
    assert "<script>window" not in hostile.get(f"/{HOSTILE[0]}").text


def test_language_and_look_are_chosen_by_links_that_keep_the_question(client: TestClient) -> None:
    answer = client.get("/?text=war&lang=zh&theme=dark", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?text=war"
    page = client.get("/?text=war").text
    assert '<html lang="zh-Hans" data-theme="dark">' in page and "搜索" in page
    assert client.get("//evil.example?lang=en", follow_redirects=False).headers.get("location", "/").startswith("/")
    nonsense = client.get("/?lang=<script>&theme=x", follow_redirects=False)
    assert nonsense.headers["location"] == "/" and "set-cookie" not in nonsense.headers


def test_a_browser_that_asks_for_chinese_gets_it(client: TestClient) -> None:
    assert 'lang="zh-Hans"' in client.get("/about", headers={"accept-language": "zh-CN,zh;q=0.9"}).text
    assert 'lang="en"' in client.get("/about", headers={"accept-language": "de,zh;q=0.1"}).text


def test_errors_are_pages_in_the_readers_language(client: TestClient) -> None:
    page = client.get("/item?id=nobody", headers={"cookie": "cinealign_lang=zh"})
    assert page.status_code == 404 and "未找到" in page.text
    assert client.get("/nowhere").headers["content-type"].startswith("text/html")


def test_run_page_holds_the_numbers_of_the_run(client: TestClient, shelf: Shelf) -> None:
    page = client.get("/run").text
    metrics = shelf.index.metrics
    for direction in ("poster_to_intro", "intro_to_poster"):
        assert f"{metrics[direction]['held_out']:.3f}" in page
        low, high = metrics["intervals"][direction]["held_out"]
        assert f"{low:.3f} – {high:.3f}" in page
    assert "held-out" in page and "held_out" not in re.sub(r'class="[^"]*"', "", page)
    ranks = shelf.ranks
    assert ranks is not None
    held_out = [item.item_id for item in shelf.all_items if item.split == "held_out"]
    worst = max(held_out, key=lambda each: ranks["poster_to_intro"][each] * ranks["intro_to_poster"][each])
    assert f'href="/item?id={worst}"' in page.partition("Worst held-out cases")[2]


def test_compare_page_lists_what_only_one_finds(client: TestClient) -> None:
    told = client.get("/api/v1/compare?first=lettered&second=other").json()
    page = client.get("/compare?first=lettered&second=other").text
    for item_id in told["only_first"]["poster_to_intro"]:
        assert f'href="/item?id={item_id}"' in page
    assert "Choose two different runs" in client.get("/compare?first=other&second=other").text


def test_map_has_the_same_items_as_a_list(client: TestClient, shelf: Shelf) -> None:
    seen: list[str] = []
    link = "/map?colour=genre&value=Horror"
    while link:
        tags = Tags(client.get(link).text)
        twin = [each for each in tags.every("a") if (each["href"] or "").startswith("/item?id=")]
        seen += [parse_qs(urlsplit(each["href"] or "").query)["id"][0] for each in twin]
        link = next((each["href"] or "" for each in tags.every("a") if each.get("rel") == "next"), "").partition("#")[0]
    assert seen == [item.item_id for item in shelf.all_items if item.genres[:1] == ("Horror",)]


def test_a_pair_is_found_by_title(client: TestClient, shelf: Shelf) -> None:
    item = shelf.all_items[4]
    page = client.get("/pair", params={"poster": item.title, "intro": item.item_id}).text
    assert f'href="/item?id={item.item_id}"' in page and "score" in page
    assert "No item has that id" in client.get("/pair?poster=nobody+at+all&intro=1").text


def test_numbers_for_people() -> None:
    assert [chance(p) for p in (0.0, 0.004, 0.006, 0.5, 0.994, 0.995, 1.0, None)] == [
        "< 1 %",
        "< 1 %",
        "1 %",
        "50 %",
        "99 %",
        "> 99 %",
        "> 99 %",
        "",
    ]
    assert signed(-0.1234) == "−0.123"
    assert stack({"a": 0.3, "b": -0.1, "c": 0.1}, 0.5) == [
        ("a", 0.3, 0.0, 60.0),
        ("b", -0.1, 60.0, 0.0),
        ("c", 0.1, 60.0, 20.0),
    ]


def test_marked_pieces_make_up_the_text() -> None:
    text = "A boy—finds: the map's  island.\n"
    words = [("A", 0.0), ("boy", 0.4), ("finds", -0.2), ("the", 0.1), ("map's", 0.2)]
    pieces = marked(text, words)
    assert "".join(piece for piece, _, _ in pieces) == text
    assert [(piece, level) for piece, level, drop in pieces if drop is not None] == [
        ("A", 0),
        ("boy", 4),
        ("finds", -2),
        ("the", 1),
        ("map's", 2),
    ]


def test_contributions_share_one_scale() -> None:
    pair = Pair(*[None] * 2, 0.2, {"a": 0.3, "b": -0.1}, {"a": (0.1, 0.05), "b": (0.0, 0.1)}, {}, {})  # type: ignore[arg-type]
    first, second = contributions(pair)
    assert (first.name, first.zero, first.left, first.width) == ("a", 25.0, 25.0, 75.0)
    assert (second.zero, second.left, second.width) == (25.0, 0.0, 25.0)
    assert (first.low, first.mean, first.high) == (37.5, 50.0, 62.5)
    assert (second.low, second.high) == (0.0, 50.0)


def test_scores_have_a_true_minus_and_no_minus_zero() -> None:
    assert [score(0.25), score(-0.0284), score(-0.0001), score(0.5, 2)] == ["0.250", "−0.028", "0.000", "0.50"]
