"""The API under /api/v1: what the pages can do, as JSON. Its OpenAPI document is /api/v1/openapi.json."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Query, Request, Response

from cinealign.search.answer import Answer
from cinealign.search.items import Item
from cinealign.search.pairs import pair_of, pair_reason
from cinealign.version import __version__
from cinealign.web.mapping import map_columns
from cinealign.web.pictures import WIDTHS, sent_poster
from cinealign.web.questions import Name, Question
from cinealign.web.replies import (
    CompareReply,
    ErrorReply,
    HealthReply,
    ItemReply,
    MapReply,
    PairReply,
    RunReply,
    SearchReply,
    Side,
    Texts,
    VectorsReply,
    VersionReply,
)
from cinealign.web.runs import compared
from cinealign.web.settings import COVERING
from cinealign.web.shelf import Shelf
from cinealign.web.work import WorkQueue

_TOLD = {
    400: "The request cannot be read.",
    401: "A token is needed.",
    403: "Another site's request.",
    404: "No such item, poster or run.",
    408: "The body took too long to arrive.",
    413: "The body is too long.",
    421: "Another server's name.",
    422: "The request makes no sense as it is; the message says why.",
    429: "Too much is being asked at once; ask again after `Retry-After` seconds.",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorReply, "description": told} for status, told in _TOLD.items()
}
PICTURE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The bytes of a picture file; its first frame counts.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp")
        },
    }
}
JPEG: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
        "description": "A JPEG picture.",
    }
}
api = APIRouter(prefix="/api/v1", responses=ERRORS)
Id = Annotated[Name, Query(description="Id of an item.")]


def shelf_of(request: Request) -> Shelf:
    """What the server serves."""
    shelf: Shelf = request.app.state.shelf
    return shelf


def queue_of(request: Request) -> WorkQueue:
    """The queue of all that asks the model."""
    queue: WorkQueue = request.app.state.queue
    return queue


def known_item(shelf: Shelf, item_id: str) -> Item:
    """The item of that id; 404 where there is none."""
    found = shelf.item(item_id)
    if found is None:
        raise HTTPException(404, f"no item {item_id!r}")
    return found


def refuse_unknown(shelf: Shelf, question: Question) -> None:
    """404 where an item that a question names is not there."""
    for named in [*question.like, *question.more, *question.less]:
        if shelf.item(named) is None:
            name, _, side = named.rpartition(":")
            if side not in ("poster", "intro") or shelf.item(name) is None:
                raise HTTPException(404, f"no item {named!r}")


async def answered(request: Request, question: Question, content: bytes | None = None) -> Answer:
    """The answer of the index; the model's work is done in the queue."""
    shelf = shelf_of(request)
    refuse_unknown(shelf, question)

    def work() -> Answer:
        parts = question.parts(None if content is None else sent_poster(content))
        filters = question.filters() or None
        return shelf.index.search_many(
            [parts], side=question.side, where=filters, limit=question.limit, offset=question.offset
        )[0]

    if content is None and not question.asks():
        raise HTTPException(422, "nothing to search for: give a text, a picture or an item")
    return await queue_of(request).run(work, question.texts())


@api.get("/health", tags=["server"])
def health(request: Request) -> HealthReply:
    """Whether the server answers, and how many items it has."""
    return HealthReply(items=len(shelf_of(request).index))


@api.get("/version", tags=["server"])
def version(request: Request) -> VersionReply:
    """The program, the recipe of the model, and the generation of the index."""
    index = shelf_of(request).index
    recipe = index.card.get("run", {}).get("recipe")
    return VersionReply(cinealign=__version__, recipe=recipe, generation=index.manifest.generation)


@api.get("/search", tags=["search"])
async def search(request: Request, question: Annotated[Question, Query()]) -> SearchReply:
    """Items for a text, for other items, or for sums and differences of them."""
    return SearchReply.of(await answered(request, question))


@api.post("/search", tags=["search"])
async def search_long(request: Request, question: Question) -> SearchReply:
    """The same with a JSON body, for long texts."""
    return SearchReply.of(await answered(request, question))


@api.post("/search/picture", tags=["search"], openapi_extra=PICTURE)
async def search_picture(request: Request, question: Annotated[Question, Query()]) -> SearchReply:
    """Items for a picture, which is the body: JPEG, PNG or WebP. It is decoded and not kept."""
    return SearchReply.of(await answered(request, question, await request.body()))


@api.get("/item", tags=["items"])
def item(request: Request, id: Id) -> ItemReply:
    """What is known of an item, and where its partner stands."""
    shelf = shelf_of(request)
    found = known_item(shelf, id)
    both = found.poster_digest is not None and found.intro_digest is not None
    return ItemReply.of(found, pair_of(shelf.index, found, found) if both else None)


@api.get("/poster", tags=["items"], response_class=Response, responses=JPEG)
def poster(request: Request, id: Id, size: Literal["small", "large"] = "small") -> Response:
    """The poster of an item as JPEG."""
    return poster_response(request, id, size)


def poster_response(request: Request, item_id: str, size: str) -> Response:
    """The poster of an item, which browsers may keep while it stays the same."""
    from cinealign.errors import DataError

    assert size in WIDTHS
    shelf = shelf_of(request)
    found = known_item(shelf, item_id)
    tag = f'"{found.poster_digest}-{size}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=600"}
    if found.poster_digest is not None and request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    try:
        content = shelf.posters.get(found, size)
    except DataError as error:
        raise HTTPException(404, str(error).partition(";")[0]) from None
    return Response(content, media_type="image/jpeg", headers=headers)


@api.get("/pair", tags=["items"])
async def pair(request: Request, poster: Id, intro: Id, cover: bool = False) -> PairReply:
    """A poster beside an intro and what speaks for them; with `cover` the model looks some twenty times more."""
    shelf = shelf_of(request)
    first, second = known_item(shelf, poster), known_item(shelf, intro)

    def work() -> PairReply:
        found = pair_of(shelf.index, first, second)
        of: dict[Side, Item] = {"poster": first, "intro": second}
        nearest = {side: [hit.id for hit in shelf.nearest_train(item, side)] for side, item in of.items()}
        return PairReply.of(found, pair_reason(shelf.index, found, cover=cover), nearest)

    return await queue_of(request).run(work, patience=COVERING if cover else None)


@api.post("/encode", tags=["vectors"])
async def encode(request: Request, texts: Texts) -> VectorsReply:
    """Vectors of texts, as the index sees them."""
    index = shelf_of(request).index
    rows = await queue_of(request).run(lambda: index.text_rows(texts.texts), texts.texts)
    return VectorsReply(width=rows.shape[1], vectors=np.asarray(rows, dtype=np.float64).tolist())


@api.post("/encode/picture", tags=["vectors"], openapi_extra=PICTURE)
async def encode_picture(request: Request) -> VectorsReply:
    """The vector of a picture, which is the body."""
    index, content = shelf_of(request).index, await request.body()

    def work() -> Any:
        return index.space.compact("poster", index.encoder.encode_posters([sent_poster(content)]))

    rows = await queue_of(request).run(work)
    return VectorsReply(width=rows.shape[1], vectors=np.asarray(rows, dtype=np.float64).tolist())


@api.get("/map", tags=["map"])
def map_points(request: Request) -> MapReply:
    """All posters and intros in two dimensions; drawn when first asked for, once."""
    shelf = shelf_of(request)
    columns = map_columns(shelf)
    if columns is None:
        return MapReply(state="drawing", progress=shelf.map_progress)
    return MapReply(state="ready", **columns)


@api.get("/run", tags=["run"])
def run(request: Request) -> RunReply:
    """The numbers of the run (docs/metrics.md), its recipe, and the card of the index (docs/search.md)."""
    shelf = shelf_of(request)
    card = shelf.index.card
    name = shelf.run.folder.resolve().name if shelf.run is not None else card.get("run", {}).get("folder")
    return RunReply(name=name, metrics=shelf.index.metrics, recipe=shelf.index.recipe, index=dict(card))


@api.get("/compare", tags=["run"])
def compare(request: Request, first: Name, second: Name) -> CompareReply:
    """Two runs of the same data on the same held-out items; `/api/v1/runs` names them."""
    shelf = shelf_of(request)
    for name in (first, second):
        if name not in shelf.runs:
            raise HTTPException(404, f"no run {name!r}")
    found = compared(shelf, first, second)
    return CompareReply(
        first=first,
        second=second,
        tests=found.tests,
        only_first={direction: [case.id for case in cases] for direction, cases in found.only_first.items()},
        only_second={direction: [case.id for case in cases] for direction, cases in found.only_second.items()},
    )


@api.get("/runs", tags=["run"])
def runs(request: Request) -> list[str]:
    """Names of the runs that can be compared."""
    return list(shelf_of(request).runs)
