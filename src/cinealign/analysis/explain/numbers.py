"""What an explanation says; docs/analysis.md says what each number means."""

from __future__ import annotations

from dataclasses import dataclass

from cinealign.analysis.identity import RunIdentity
from cinealign.analysis.references import Reference, ReferenceWithIntro, Similar


@dataclass(frozen=True, kw_only=True)
class Splits:
    """`train` or `held_out`, of each side."""

    poster: str
    intro: str


@dataclass(frozen=True, kw_only=True)
class Places:
    """The place of each side among the `n` of the other one's nearest."""

    poster_to_intro: int
    intro_to_poster: int
    n: int


@dataclass(frozen=True, kw_only=True)
class ExpertSays:
    """What an expert adds to the product, and what it adds for other intros (mean and standard deviation)."""

    expert: str
    poster: list[str]
    intro: list[str]
    weight: float
    cosine: float
    contribution: float
    typical: float
    spread: float
    above_typical: float


@dataclass(frozen=True, kw_only=True)
class WordDrop:
    """A word at a place of the intro, and how much the product falls without it."""

    word: str
    start: int
    end: int
    drop: float


@dataclass(frozen=True, kw_only=True)
class LineDrop:
    """A line of lettering, and how much the product falls without it; corners in parts of the poster."""

    text: str
    box: list[list[float]]
    confidence: float
    drop: float


@dataclass(frozen=True, kw_only=True)
class Cells:
    """(rows, columns): how much the product falls when a cell of the poster is covered."""

    rows: int
    columns: int
    drop: list[list[float]]


@dataclass(frozen=True, kw_only=True)
class NearestTrain:
    """Train movies near each side, the nearest first."""

    poster: list[Similar]
    intro: list[Similar]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a poster matches an intro.

    Attributes:
        without_memory: whether experts that only remember train pairs were left out.
        product, distance: of the two vectors.
    """

    run: RunIdentity
    poster: Reference
    intro: ReferenceWithIntro
    split: Splits
    without_memory: bool = False
    product: float
    distance: float
    rank: Places
    experts: list[ExpertSays]
    words: list[WordDrop]
    lines: list[LineDrop]
    cells: Cells
    nearest_train: NearestTrain
