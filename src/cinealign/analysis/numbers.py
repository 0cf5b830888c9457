"""analysis.json: everything that an analysis found, as values that know their fields."""

from __future__ import annotations

from dataclasses import dataclass

from cinealign.analysis.downstream.numbers import Downstream
from cinealign.analysis.identity import RunIdentity
from cinealign.analysis.neighbours.numbers import Neighbours
from cinealign.analysis.references import Reference
from cinealign.analysis.relation.numbers import Relation


@dataclass(frozen=True, kw_only=True)
class Data:
    """What was analysed: kind of source, movies, train and held-out ones."""

    source: str
    n: int
    train: int
    held_out: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every question was asked with."""

    ratio: float
    k: int
    chance: float
    level: float
    samples: int
    seed: int
    permutations: int


@dataclass(frozen=True, kw_only=True)
class OtherLabels:
    """The same figure with labels in another language."""

    pdf: str


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A movie that the analysis explains: good or bad, and its files within the folder."""

    movie: Reference
    kind: str
    json: str
    pdf: str
    png: str
    zh: OtherLabels | None = None


@dataclass(frozen=True, kw_only=True)
class DrawnFigure:
    """A figure: its files within the folder, and what is said of it."""

    pdf: str
    png: str
    caption: str
    question: str
    shows_posters: bool
    zh: OtherLabels | None = None


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The answers to the three questions."""

    format: int
    run: RunIdentity
    data: Data
    settings: Settings
    relation: Relation
    neighbours: Neighbours
    downstream: Downstream


@dataclass(frozen=True, kw_only=True)
class Numbers(Findings):
    """The whole file: findings, and where their files lie; `figures` and `tables` are by name."""

    explained: list[Explained]
    figures: dict[str, DrawnFigure]
    tables: dict[str, str]
