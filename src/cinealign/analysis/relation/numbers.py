"""The numbers of question 1; docs/analysis.md says what each means."""

from __future__ import annotations

from dataclasses import dataclass

from cinealign.analysis.estimates import Difference, Estimate
from cinealign.analysis.references import ReferenceWithIntro
from cinealign.analysis.skipped import Skipped
from cinealign.evaluation.keys import BothWays
from cinealign.evaluation.slices import SliceScore


@dataclass(frozen=True, kw_only=True)
class Permutation:
    """What `comparison.permutation_test` finds of the held-out movies."""

    movies: int
    k: int
    acc_sum: float
    permuted_mean: float
    permuted_high: float
    permutations: int
    p: float


@dataclass(frozen=True, kw_only=True)
class Band:
    """Values at each p of a curve, with their intervals."""

    value: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True, kw_only=True)
class Area(BothWays[Estimate]):
    """Areas below the curve of each direction, and that of chance."""

    poster_to_intro: Estimate
    intro_to_poster: Estimate
    chance: float


@dataclass(frozen=True, kw_only=True)
class Curve(BothWays[Band]):
    """Held-out top-p accuracy at every p."""

    p: list[float]
    poster_to_intro: Band
    intro_to_poster: Band
    chance: Band
    area: Area


@dataclass(frozen=True, kw_only=True)
class Canonical:
    """Canonical correlations of a poster view and an intro view, (C,) the strongest component first."""

    poster: str
    intro: str
    train_movies: int
    movies: int
    components: int
    dimensions: int
    train: list[float]
    held_out: list[float]
    null_high: list[float]
    mean_train: float
    mean_held_out: float
    mean_null: float
    mean_null_high: float
    permutations: int
    p: float


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """Kernel alignment of a poster view and an intro view."""

    poster: str
    intro: str
    movies: int
    cka: float
    debiased: float
    null_mean: float
    null_high: float
    permutations: int
    p: float


@dataclass(frozen=True, kw_only=True)
class Left(BothWays[Estimate]):
    """What is left of the accuracy when something is taken away.

    Attributes:
        name, says: what is taken away; nothing of `full`.
        movies: held-out ones.
        poster_to_intro, intro_to_poster, mean: held-out top-5 % accuracy, the last of both directions.
        difference: of the mean to that of `full`; None of `full` itself.
        share_left: the part of the mean above chance that is left; None where there was none.
    """

    name: str
    says: str
    movies: int
    poster_to_intro: Estimate
    intro_to_poster: Estimate
    mean: Estimate
    difference: Difference | None
    share_left: Estimate | None


@dataclass(frozen=True, kw_only=True)
class NotTaken(Skipped):
    """Something that this run or its data give no way to take away."""

    name: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Titles:
    """Share of held-out movies that name a content word of their title; None where nobody reads the posters."""

    intros_with_title_word: float
    posters_with_title_word: float | None


@dataclass(frozen=True, kw_only=True)
class MeanSlice(SliceScore):
    """A slice with the mean accuracy of both directions."""

    mean: float


@dataclass(frozen=True, kw_only=True)
class Ranked(ReferenceWithIntro, BothWays[int]):
    """A movie with the ranks of its partner."""

    poster_to_intro: int
    intro_to_poster: int


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Everything that question 1 asks."""

    permutation: Permutation
    curve: Curve
    cca: list[Canonical] | Skipped
    cka: list[Kernel] | Skipped
    left: list[Left | NotTaken]
    titles: Titles
    slices: list[MeanSlice]
    most: list[str]
    least: list[str]
    best: list[Ranked]
    worst: list[Ranked]
