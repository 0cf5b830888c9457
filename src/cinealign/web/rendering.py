"""Templates: everything escaped, every text in the reader's language, and how numbers, words and lines are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cinealign.evaluation.slices import SliceScore
from cinealign.search.items import Item
from cinealign.search.pairs import Pair
from cinealign.search.reasons import words_of
from cinealign.version import __version__
from cinealign.web.words import language_of, told_in, translator

LEVELS = 4
"""Steps in which the weight of a word is shown."""
PAGES = (("/", "Search"), ("/map", "Map"), ("/run", "Run"), ("/compare", "Compare"), ("/about", "About"))


def render(
    request: Request,
    template: str,
    values: Mapping[str, Any] | None = None,
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A page in the language and the look that its reader has chosen."""
    app = request.app
    settings, shelf = app.state.settings, app.state.shelf
    lang = language_of(request, settings.lang)
    theme = request.cookies.get("cinealign_theme", "auto")
    tell = translator(lang)
    page = environment().get_template(template)
    html = page.render(
        **(values or {}),
        _=tell,
        told=partial(told_in, lang),
        lang=lang,
        other_lang="en" if lang == "zh" else "zh",
        theme=theme if theme in ("light", "dark") else "auto",
        path=request.url.path,
        here=here(request),
        pages=PAGES,
        shelf=shelf,
        key=settings.key,
        version=__version__,
    )
    return HTMLResponse(html, status_code, headers=headers)


def here(request: Request) -> str:
    """The address of the page that is shown, without its host; of a page made by a form, the form's."""
    return (
        f"{request.url.path}?{request.url.query}" if request.url.query and request.method == "GET" else request.url.path
    )


@cache
def environment() -> Environment:
    """Jinja with autoescaping for whatever the file is called."""
    folder = str(files("cinealign").joinpath("web/templates"))
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"chance": chance, "number": number, "share": share, "in_order": in_order}
    made.filters |= {"score": score, "signed": signed, "short": short}
    made.globals |= {
        "year_beside": year_beside,
        "address": address,
        "contributions": contributions,
        "marked": marked,
        "outline": outline,
        "with_field": with_field,
        "stack": stack,
    }
    return made


def address(path: str, **values: Any) -> str:
    """A path with a query string; empty values are left out."""
    query = urlencode([(name, value) for name, value in values.items() if value not in (None, "", False)])
    return f"{path}?{query}" if query else path


def with_field(here: str, name: str, value: str) -> str:
    """The address of this page with one more field."""
    return f"{here}{'&' if '?' in here else '?'}{urlencode({name: value})}"


def in_order(rows: Sequence[SliceScore]) -> list[tuple[str, list[SliceScore]]]:
    """Rows of slices by their attribute, in the order in which the attributes come."""
    found: dict[str, list[SliceScore]] = {}
    for row in rows:
        found.setdefault(row.attribute, []).append(row)
    return list(found.items())


def year_beside(item: Item) -> str:
    """The year, where the title does not say it."""
    return "" if item.year is None or str(item.year) in item.title else str(item.year)


def chance(value: float | None) -> str:
    """A probability for people: never 0 % and never 100 %."""
    if value is None:
        return ""
    if value < 0.005:
        return "< 1 %"
    return "> 99 %" if value >= 0.995 else f"{100 * value:.0f} %"


def number(value: float) -> str:
    """With thousands apart."""
    return f"{value:,.0f}"


def share(value: float | None, digits: int = 3) -> str:
    """A share, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def signed(value: float) -> str:
    """With its sign; a true minus, as wide as a plus; none for what rounds to nothing."""
    told = f"{value:+.3f}".replace("-", "−")
    return told if float(f"{value:.3f}") else told[1:]


def score(value: float, digits: int = 3) -> str:
    """A product or cosine, with a true minus where it has one."""
    told = f"{value:.{digits}f}".replace("-", "−")
    return told if float(f"{value:.{digits}f}") else told.removeprefix("−")


def short(value: float) -> str:
    """The end of an axis, in a few digits."""
    return f"{value:.3g}"


def stack(shares: Mapping[str, float] | None, most: float) -> list[tuple[str, float, float, float]]:
    """Name, value, left and width in percent of each share, one beside the other; what takes away has no width."""
    found, at = [], 0.0
    for name, value in (shares or {}).items():
        width = 100 * max(0.0, value) / most
        found.append((name, value, round(at, 2), round(width, 2)))
        at += width
    return found


@dataclass(frozen=True)
class Contribution:
    """What one part adds to the score of a pair, beside what it adds for the poster with other intros.

    `left`, `width`, `zero`, and of other intros `low`, `mean` and `high` (mean and one standard deviation about it), are places
    in percent of a scale that all parts of the pair share.
    """

    name: str
    value: float
    usual: tuple[float, float] | None
    left: float
    width: float
    zero: float
    low: float
    mean: float
    high: float


def contributions(pair: Pair) -> list[Contribution]:
    """All parts of a pair, the greatest first."""
    usual = {name: pair.usual.get(name) for name in pair.shares}
    ends = [0.0, *pair.shares.values()]
    ends += [mean + sign * spread for mean, spread in filter(None, usual.values()) for sign in (-1, 1)]
    low, span = min(ends), max(max(ends) - min(ends), 1e-9)

    def at(value: float) -> float:
        return round(100 * (value - low) / span, 2)

    found = []
    for name, value in sorted(pair.shares.items(), key=lambda part: -part[1]):
        mean, spread = usual[name] or (0.0, 0.0)
        width = round(100 * abs(value) / span, 2)
        places = (at(min(0.0, value)), width, at(0.0), at(mean - spread), at(mean), at(mean + spread))
        found.append(Contribution(name, value, usual[name], *places))
    return found


def marked(text: str, words: Sequence[tuple[str, float]]) -> list[tuple[str, int, float | None]]:
    """A text in pieces: the piece, its level (-LEVELS to LEVELS) and how much the score falls without it.

    Args:
        text: the intro.
        words: its first words in order, each with its drop, as `reasons` gives them.
    """
    places = words_of(text)[: len(words)]
    most = max((abs(drop) for _, drop in words), default=0.0) or 1.0
    pieces: list[tuple[str, int, float | None]] = []
    at = 0
    for (start, end), (_, drop) in zip(places, words, strict=True):
        if start > at:
            pieces.append((text[at:start], 0, None))
        level = round(LEVELS * abs(drop) / most)
        pieces.append((text[start:end], level if drop > 0 else -level, drop))
        at = end
    if at < len(text):
        pieces.append((text[at:], 0, None))
    return pieces


def outline(box: Sequence[Sequence[float]]) -> str:
    """Corners of a line of lettering as the `points` of an SVG polygon over a poster of 100 x 100."""
    assert all(len(corner) == 2 for corner in box)
    return " ".join(f"{100 * x:.2f},{100 * y:.2f}" for x, y in box)
