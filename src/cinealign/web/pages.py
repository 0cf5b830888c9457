"""The pages: what the API says, as HTML that works without scripts."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cinealign.errors import DataError
from cinealign.figures import LANGUAGES
from cinealign.search.answer import Answer
from cinealign.search.items import Item
from cinealign.search.pairs import Pair, pair_of, pair_reason
from cinealign.search.reasons import Reason
from cinealign.web.api import known_item, poster_response, queue_of, refuse_unknown, shelf_of
from cinealign.web.mapping import COLOURS, groups
from cinealign.web.pictures import preview, sent_poster
from cinealign.web.questions import Question
from cinealign.web.rendering import render
from cinealign.web.replies import Side
from cinealign.web.runs import LISTED, cases, compared, headlines, panels, slices, top_p_curves
from cinealign.web.settings import COVERING, MAX_BODY
from cinealign.web.shelf import Shelf
from cinealign.web.words import COOKIE as LANG_COOKIE

THEMES = ("light", "dark", "auto")
THEME_COOKIE = "cinealign_theme"
NEAREST = 6
"""Items of each kind that an item's page shows."""
LISTED_ON_MAP = 60
YEAR = 365 * 86400

pages = APIRouter(include_in_schema=False)


@pages.get("/")
async def search_page(request: Request) -> Response:
    """Search, or look through the items."""
    chosen = _chosen(request)
    if chosen is not None:
        return chosen
    question = _question(request.query_params.multi_items())
    return await _searched(request, question, None)


@pages.post("/")
async def search_by_picture(request: Request) -> Response:
    """The same form with a picture; its address cannot hold the picture."""
    form = await _form(request)
    sent = form.get("picture")
    content = await sent.read() if isinstance(sent, UploadFile) else b""
    question = _question([(name, value) for name, value in form.multi_items() if isinstance(value, str)])
    if not content and question.asks():
        return RedirectResponse(f"/?{question.address()}", 303)
    return await _searched(request, question, content or None)


async def _searched(request: Request, question: Question, content: bytes | None) -> Response:
    shelf = shelf_of(request)
    refuse_unknown(shelf, question)
    values: dict[str, Any] = {"question": question, "answer": None, "browsed": None, "total": 0, "preview": None}
    if content is not None or question.asks():

        def work() -> tuple[Answer, str | None]:
            picture = None if content is None else sent_poster(content)
            found = shelf.index.search_many(
                [question.parts(picture)],
                side=question.side,
                where=question.filters() or None,
                limit=question.limit,
                offset=question.offset,
            )[0]
            return found, None if picture is None else preview(picture)

        answer, values["preview"] = await queue_of(request).run(work, question.texts())
        most = _most_shared(answer)
        values |= {"answer": answer, "total": answer.total, "most": most, "parts_seen": _seen_parts(answer, most)}
    else:
        values["browsed"], values["total"] = shelf.browse(question)
    values["named"] = {
        name: item.title for name in [*question.like, *question.more, *question.less] if (item := _named(shelf, name))
    }
    return render(request, "search.html", values)


def _named(shelf: Shelf, name: str) -> Item | None:
    return shelf.item(name) or shelf.item(name.rpartition(":")[0])


def _most_shared(answer: Answer) -> float:
    """The greatest sum of shares of one hit, to which the bars of all are drawn."""
    sums = [sum(max(0.0, share) for share in hit.shares.values()) for hit in answer if hit.shares]
    return max(sums, default=0.0) or 1.0


def _seen_parts(answer: Answer, most: float) -> list[tuple[int, str]]:
    """Place and name of the parts that some bar shows: of a score 50 wide, at least one."""
    found: dict[str, int] = {}
    for shares in (hit.shares for hit in answer if hit.shares):
        found |= {name: at for at, (name, share) in enumerate(shares.items()) if share > 0.02 * most}
    return sorted((at, name) for name, at in found.items())


@pages.get("/poster")
def poster(request: Request, id: str, size: Literal["small", "large"] = "small") -> Response:
    """A poster by id; nothing is found by a path."""
    return poster_response(request, id, size)


@pages.get("/item")
async def item_page(request: Request, id: str, why: bool = False) -> Response:
    """Everything about one item; with `why` the model says which words and lines count."""
    chosen = _chosen(request)
    if chosen is not None:
        return chosen
    shelf = shelf_of(request)
    item = known_item(shelf, id)
    both = item.poster_digest is not None and item.intro_digest is not None
    pair = pair_of(shelf.index, item, item) if both else None
    values: dict[str, Any] = {"item": item, "pair": pair, "reason": None, "lines": None}
    if why:
        values["reason"], values["lines"] = await queue_of(request).run(lambda: _why(shelf, item, pair))
    values["nearest"] = _nearest(shelf, item)
    return render(request, "item.html", {**values, "why": why})


def _why(shelf: Shelf, item: Item, pair: Pair | None, cover: bool = False) -> tuple[Reason | None, list[Any] | None]:
    """What speaks for a pair, and the lines of the poster with their places."""
    reason = None if pair is None else pair_reason(shelf.index, pair, cover=cover)
    read = getattr(shelf.index.encoder, "lettering_lines", None)
    if read is None or item.poster_digest is None or item.picture is None:
        return reason, None
    found = read([item.picture])
    return reason, None if found is None else found[0]


def _nearest(shelf: Shelf, item: Item) -> list[tuple[str, str, Answer]]:
    """Asked with, looked for, and what is nearest, of each of the four kinds that the item has."""
    sides = [
        side for side, digest in (("poster", item.poster_digest), ("intro", item.intro_digest)) if digest is not None
    ]
    return [
        (side, target, shelf.index.search(like=f"{item.item_id}:{side}", side=target, limit=NEAREST))
        for side in sides
        for target in ("poster", "intro")
    ]


@pages.get("/pair")
async def pair_page(
    request: Request, poster: str = "", intro: str = "", why: bool = False, cover: bool = False
) -> Response:
    """Any poster beside any intro."""
    chosen = _chosen(request)
    if chosen is not None:
        return chosen
    shelf = shelf_of(request)
    found = {"poster": _by_name(shelf, poster), "intro": _by_name(shelf, intro)}
    values: dict[str, Any] = {
        "asked": {"poster": poster, "intro": intro},
        "choices": found,
        "pair": None,
        "reason": None,
    }
    first, second = (each[0] if len(each) == 1 else None for each in found.values())
    values |= {"lines": None, "why": why or cover, "cover": cover}
    if first is not None and second is not None:
        pair = pair_of(shelf.index, first, second)
        values["pair"] = pair
        values["nearest"] = [(side, shelf.nearest_train(of, side)) for side, of in _sides(pair)]
        if why or cover:
            patience = COVERING if cover else None
            work = queue_of(request).run(lambda: _why(shelf, first, pair, cover), patience=patience)
            values["reason"], values["lines"] = await work
    return render(request, "pair.html", values)


def _sides(pair: Pair) -> tuple[tuple[Side, Item], tuple[Side, Item]]:
    return ("poster", pair.poster), ("intro", pair.intro)


def _by_name(shelf: Shelf, name: str) -> list[Item]:
    """The item of that id, else those whose title holds the text."""
    if not name.strip():
        return []
    found = shelf.item(name)
    if found is not None:
        return [found]
    keys = shelf.index.items.matching({"title": name.strip()})[:20]
    return list(shelf.index.items.of_keys(keys.tolist()).values())


@pages.get("/map")
def map_page(
    request: Request,
    colour: Literal["genre", "decade", "split", "found"] = "genre",
    value: str = "",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """All items on a map, and the same items as a list."""
    chosen = _chosen(request)
    if chosen is not None:
        return chosen
    shelf = shelf_of(request)
    error = None
    try:
        ready = shelf.map() is not None
    except DataError as caught:
        ready, error = False, str(caught)
    known = groups(shelf)
    by: str = colour if colour in known else next((each for each in COLOURS if each in known), colour)
    values = known.get(by, [""] * len(shelf.all_items))
    counts = {each: values.count(each) for each in dict.fromkeys(values)}
    order = sorted(counts, key=lambda each: (each == "", -counts[each] if by == "genre" else 0, each))
    items = [item for item, of in zip(shelf.all_items, values, strict=True) if not value or of == value]
    shown: dict[str, Any] = {
        "ready": ready,
        "error": error,
        "colour": by,
        "colours": [c for c in COLOURS if c in known],
        "counts": [(each, counts[each]) for each in order],
        "value": value,
        "offset": offset,
        "items": items[offset : offset + LISTED_ON_MAP],
        "total": len(items),
        "page": LISTED_ON_MAP,
    }
    return render(request, "map.html", shown)


@pages.get("/run")
def run_page(request: Request) -> Response:
    """The numbers of the run and what they mean."""
    chosen = _chosen(request)
    if chosen is not None:
        return chosen
    shelf = shelf_of(request)
    metrics = shelf.index.metrics
    best, worst = cases(shelf)
    split = "held_out" if metrics and metrics["held_out_gallery"] is not None else "all"
    shown: dict[str, Any] = {
        "metrics": metrics,
        "headlines": headlines(metrics) if metrics else [],
        "card": shelf.index.card,
        "curves": top_p_curves(metrics, split) if metrics else [],
        "split": split,
        "experts": panels(shelf.run) if shelf.run is not None else [],
        "slices": slices(shelf),
        "best": best,
        "worst": worst,
        "audit": shelf.audits,
        "run": shelf.run,
    }
    return render(request, "run.html", shown)


@pages.post("/run/audit")
async def begin_audit(request: Request) -> Response:
    """Start the audit; the run page shows its findings as they come."""
    shelf = shelf_of(request)
    if shelf.run is None:
        raise HTTPException(404, "this index stands without the run that it was made from")
    shelf.audits.begin(shelf.run_data)
    return RedirectResponse("/run#audit", 303)


@pages.get("/compare")
def compare_page(request: Request, first: str = "", second: str = "") -> Response:
    """Two runs of the same data: tests, and what one finds and the other does not."""
    chosen = _chosen(request)
    if chosen is not None:
        return chosen
    shelf = shelf_of(request)
    names = list(shelf.runs)
    first = first or (names[0] if names else "")
    second = second or (names[1] if len(names) > 1 else "")
    for name in filter(None, (first, second)):
        if name not in shelf.runs:
            raise HTTPException(404, f"no run {name!r}")
    found = compared(shelf, first, second) if first and second and first != second else None
    values = {"names": names, "first": first, "second": second, "found": found, "listed": LISTED}
    return render(request, "compare.html", values)


@pages.get("/about")
def about_page(request: Request) -> Response:
    """What the API offers, the keys, and how to read a chance."""
    chosen = _chosen(request)
    return chosen if chosen is not None else render(request, "about.html")


def error_page(request: Request, status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """A page for every error."""
    return render(request, "error.html", {"status": status, "message": message}, status_code=status, headers=headers)


def _question(given: list[tuple[str, str]]) -> Question:
    """What the fields of a form ask; what no field is called is passed over, as addresses pick up all sorts of things."""
    fields: dict[str, Any] = {}
    for name, value in given:
        if name not in Question.model_fields:
            continue
        if Question.model_fields[name].annotation is not None and isinstance(Question.model_fields[name].default, list):
            fields.setdefault(name, []).append(value)
        else:
            fields[name] = value
    try:
        return Question.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise HTTPException(422, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


async def _form(request: Request) -> FormData:
    """A form with at most one file, which stays in memory."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(415, "expected a form with a picture")
    try:
        parser = MultiPartParser(request.headers, request.stream(), max_files=1, max_fields=100, max_part_size=MAX_BODY)
        parser.spool_max_size = 2 * MAX_BODY  # else a file of more than a megabyte is written to disk
        return await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError, ValueError) as error:
        raise HTTPException(400, f"the form cannot be read: {' '.join(str(error).split()) or 'damaged'}") from None


def _chosen(request: Request) -> Response | None:
    """Where a link chooses a language or a look: remember it, and show the page without that in its address."""
    params = request.query_params.multi_items()
    asked = {name: value for name, value in params if name in ("lang", "theme")}
    if not asked:
        return None
    rest = urlencode([(name, value) for name, value in params if name not in asked])
    response = RedirectResponse(f"{request.url.path}?{rest}" if rest else request.url.path, 303)
    for value, known, cookie in (
        (asked.get("lang"), LANGUAGES, LANG_COOKIE),
        (asked.get("theme"), THEMES, THEME_COOKIE),
    ):
        if value in known:
            response.set_cookie(cookie, str(value), max_age=YEAR, samesite="lax", httponly=True)
    return response
