"""Question 2 as flat tables."""

from __future__ import annotations

from dataclasses import asdict

from cinealign.analysis.lines import Lines
from cinealign.analysis.neighbours.numbers import Case, Neighbours, TraitScores
from cinealign.analysis.skipped import Skipped
from cinealign.evaluation.metrics import DIRECTIONS


def neighbour_lines(near: Neighbours) -> dict[str, Lines]:
    """Name -> rows with the same keys."""
    return {
        "neighbours": [line for name, trait in near.traits.items() for line in _trait(name, trait, near.k)],
        "galleries": [line for name in DIRECTIONS for line in _gallery(name, near.galleries[name])],
    }


def _trait(name: str, trait: TraitScores | Skipped, ks: list[int]) -> Lines:
    if isinstance(trait, Skipped):
        return []
    lines: Lines = [{"trait": name, "space": "chance", "k": "", **asdict(trait.chance)}]
    for space, found in trait.spaces.items():
        lines += [
            {"trait": name, "space": space, "k": k, **{key: values[at] for key, values in vars(found).items()}}
            for at, k in enumerate(ks)
        ]
    return lines


def _gallery(direction: str, cases: list[Case]) -> Lines:
    return [
        {
            **{"direction": direction, "kind": case.kind, "query": case.query.title},
            **{"query id": case.query.id, "partner rank": case.partner_rank, "place": found.place},
            **{"id": found.id, "title": found.title, "distance": found.distance},
            **{"partner": found.partner, "shared": "|".join(found.shared), "genres": "|".join(found.genres)},
        }
        for case in cases
        for found in case.neighbours
    ]
