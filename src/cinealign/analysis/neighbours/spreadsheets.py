"""Question 2 as flat tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cinealign.analysis.lines import Lines
from cinealign.evaluation.metrics import DIRECTIONS


def neighbour_lines(near: Mapping[str, Any]) -> dict[str, Lines]:
    """Name -> rows with the same keys."""
    return {
        "neighbours": [line for name, trait in near["traits"].items() for line in _trait(name, trait, near["k"])],
        "galleries": [line for name in DIRECTIONS for line in _gallery(name, near["galleries"][name])],
    }


def _trait(name: str, trait: Mapping[str, Any], ks: list[int]) -> Lines:
    if "skipped" in trait:
        return []
    lines: Lines = [{"trait": name, "space": "chance", "k": "", **trait["chance"]}]
    for space, found in trait["spaces"].items():
        lines += [
            {"trait": name, "space": space, "k": k, **{key: values[at] for key, values in found.items()}}
            for at, k in enumerate(ks)
        ]
    return lines


def _gallery(direction: str, cases: Lines) -> Lines:
    return [
        {
            **{"direction": direction, "kind": case["kind"], "query": case["query"]["title"]},
            **{"query id": case["query"]["id"], "partner rank": case["partner_rank"], "place": found["place"]},
            **{"id": found["id"], "title": found["title"], "distance": found["distance"]},
            **{"partner": found["partner"], "shared": "|".join(found["shared"]), "genres": "|".join(found["genres"])},
        }
        for case in cases
        for found in case["neighbours"]
    ]
