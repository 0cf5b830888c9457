"""What the API answers, as models, so that its OpenAPI document says it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cinealign.search.answer import Answer, Hit
from cinealign.search.items import Item
from cinealign.search.pairs import Pair
from cinealign.search.reasons import Reason
from cinealign.web.questions import sound

MOST_TEXTS = 64
Side = Literal["poster", "intro"]


class ErrorDetail(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(extra="allow")

    status: int
    message: str


class ErrorReply(BaseModel):
    """Of every error."""

    error: ErrorDetail


class HealthReply(BaseModel):
    """That the server answers."""

    status: Literal["ok"] = "ok"
    items: int


class VersionReply(BaseModel):
    """Which program and which model."""

    cinealign: str
    recipe: str | None
    generation: int


class HitReply(BaseModel):
    """One hit. `chance` is that of being the partner of what was asked, among all items; null where that is not known."""

    place: int
    id: str
    side: Side
    title: str
    year: int | None
    genres: list[str]
    split: str
    score: float
    chance: float | None
    shares: dict[str, float] | None
    intro: str | None

    @classmethod
    def of(cls, hit: Hit) -> HitReply:
        """A hit, without the path of its picture."""
        told = hit.to_json()
        told.pop("picture")
        return cls(**told)


class SearchReply(BaseModel):
    """One page of hits, the nearest first, and what is known of the answer as a whole."""

    side: Literal["poster", "intro", "both"]
    total: int
    best_chance: float | None
    no_good_match: bool | None
    expected_rank: float | None
    notes: list[str]
    hits: list[HitReply]

    @classmethod
    def of(cls, answer: Answer) -> SearchReply:
        """An answer of the index."""
        return cls(
            side=answer.target,
            total=answer.total,
            best_chance=answer.best_chance,
            no_good_match=answer.no_good_match,
            expected_rank=answer.expected_rank,
            notes=list(answer.notes),
            hits=[HitReply.of(hit) for hit in answer],
        )


class PlaceReply(BaseModel):
    """Where something stands in a gallery; 1 is the nearest."""

    place: int
    of: int
    chance: float | None


class ItemReply(BaseModel):
    """What is known of an item, and at which place each of its sides finds the other."""

    id: str
    title: str
    year: int | None
    genres: list[str]
    split: str
    intro: str | None
    has_poster: bool
    lettering: list[str] | None
    columns: dict[str, list[str]]
    partner: dict[str, PlaceReply] | None

    @classmethod
    def of(cls, item: Item, pair: Pair | None) -> ItemReply:
        """An item, and its own poster beside its own intro where it has both."""
        return cls(
            id=item.item_id,
            title=item.title,
            year=item.year,
            genres=list(item.genres),
            split=item.split,
            intro=item.intro,
            has_poster=item.poster_digest is not None,
            lettering=None if item.lettering is None else list(item.lettering),
            columns={name: list(values) for name, values in item.facets.items()},
            partner=None if pair is None else places_of(pair),
        )


class WordReply(BaseModel):
    """A word of the intro, and how much the score falls without it."""

    word: str
    drop: float


class LineReply(BaseModel):
    """A line of lettering and its likeness to the intro, read as a text of its own."""

    line: str
    likeness: float


class UsualReply(BaseModel):
    """What a part adds to the scores of the poster with other intros."""

    mean: float
    spread: float


class PairReply(BaseModel):
    """A poster beside an intro. `cells`: how much the score falls when that part of the poster is painted over.

    `nearest_train`: side -> ids of the train items most like it.
    """

    poster: str
    intro: str
    score: float
    shares: dict[str, float]
    usual: dict[str, UsualReply]
    places: dict[str, PlaceReply]
    nearest_train: dict[Side, list[str]]
    words: list[WordReply]
    lines: list[LineReply]
    cells: list[list[float]] | None

    @classmethod
    def of(cls, pair: Pair, reason: Reason, nearest_train: dict[Side, list[str]]) -> PairReply:
        """A pair and what speaks for it."""
        told = reason.to_json()
        return cls(
            poster=pair.poster.item_id,
            intro=pair.intro.item_id,
            score=pair.score,
            shares=dict(pair.shares),
            usual={part: UsualReply(mean=mean, spread=spread) for part, (mean, spread) in pair.usual.items()},
            places=places_of(pair),
            nearest_train=nearest_train,
            words=told["words"],
            lines=told["lines"],
            cells=told["cells"],
        )


class Texts(BaseModel):
    """Texts to encode."""

    model_config = ConfigDict(extra="forbid")

    texts: Annotated[
        list[Annotated[str, AfterValidator(sound), Field(max_length=20_000)]],
        Field(min_length=1, max_length=MOST_TEXTS),
    ]


class VectorsReply(BaseModel):
    """Vectors of the index: the product of a poster's and an intro's is their score."""

    width: int
    vectors: list[list[float]]


class MapReply(BaseModel):
    """All points of the map in columns; row i of `side`, `x`, `y` and `item` is a point, `item` counts the rows of `items`.

    `state` is "drawing" until the map is there, and `progress` the share that is done, from 0 to 1; ask again then.
    """

    state: Literal["drawing", "ready"]
    progress: float = 1.0
    side: list[int] = []
    x: list[float] = []
    y: list[float] = []
    item: list[int] = []
    items: dict[str, list[Any]] = {}


class RunReply(BaseModel):
    """The run that the index was made from, as far as it is known: metrics.json, recipe.yaml and the card of the index."""

    name: str | None
    metrics: dict[str, Any]
    recipe: dict[str, Any]
    index: dict[str, Any]


class CompareReply(BaseModel):
    """Two runs on the same held-out items: tests (docs/metrics.md), and what only one of them finds."""

    first: str
    second: str
    tests: dict[str, Any]
    only_first: dict[str, list[str]]
    only_second: dict[str, list[str]]


def places_of(pair: Pair) -> dict[str, PlaceReply]:
    """Direction -> place and chance."""
    return {
        direction: PlaceReply(place=place, of=count, chance=pair.chances[direction])
        for direction, (place, count) in pair.places.items()
    }
