"""References to movies, as analysis.json holds them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A movie: its row in the catalogue, its id and its title."""

    row: int
    id: int
    title: str


@dataclass(frozen=True, kw_only=True)
class ReferenceWithIntro(Reference):
    """A movie and its intro."""

    intro: str


@dataclass(frozen=True, kw_only=True)
class Similar(Reference):
    """A movie and how similar it is to what was asked for."""

    similarity: float
