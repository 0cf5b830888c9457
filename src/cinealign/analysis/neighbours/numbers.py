"""The numbers of question 2; docs/analysis.md says what each means."""

from __future__ import annotations

from dataclasses import dataclass

from cinealign.analysis.estimates import Difference, Estimate
from cinealign.analysis.references import ReferenceWithIntro
from cinealign.analysis.skipped import Skipped
from cinealign.evaluation.keys import BothWays


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """The mean of a trait over the k nearest, a number a k, and the same divided by that of any item (`lift`)."""

    value: list[float | None]
    low: list[float | None]
    high: list[float | None]
    lift: list[float | None]
    lift_low: list[float | None]
    lift_high: list[float | None]


@dataclass(frozen=True, kw_only=True)
class Against:
    """A space across the sides minus `space`, its counterpart on one side, at one k."""

    space: str
    k: int
    difference: Difference


@dataclass(frozen=True, kw_only=True)
class TraitScores:
    """A trait in every space.

    Attributes:
        says: what is measured.
        known: share of queries that it is known of.
        chance: its mean over all other movies.
        spaces: by name.
        against: by the name of the space across the sides.
    """

    says: str
    known: float
    chance: Estimate
    spaces: dict[str, Nearest]
    against: dict[str, Against]


@dataclass(frozen=True, kw_only=True)
class Described(ReferenceWithIntro):
    """A movie with what a reader wants to see of it."""

    genres: list[str]


@dataclass(frozen=True, kw_only=True)
class Neighbour(Described):
    """A near movie: its place, its distance, whether it is the query's partner, and what it has in common with it."""

    place: int
    distance: float
    partner: bool
    shared: list[str]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A query with its nearest items of the other side; of a `kind`: good, typical or bad."""

    kind: str
    query: Described
    partner_rank: int
    neighbours: list[Neighbour]


@dataclass(frozen=True, kw_only=True)
class Galleries(BothWays[list[Case]]):
    """Cases of each direction."""

    poster_to_intro: list[Case]
    intro_to_poster: list[Case]


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Everything that question 2 asks; `k` are the numbers of neighbours, `traits` are by name."""

    k: list[int]
    spaces: list[str]
    traits: dict[str, TraitScores | Skipped]
    galleries: Galleries
