"""Which figures an analysis has, in the order of its questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cinealign.analysis.downstream import figures as downstream
from cinealign.analysis.drawing import Plan, draw
from cinealign.analysis.explain import figure as explanation
from cinealign.analysis.neighbours import figures as neighbours
from cinealign.analysis.relation import figures as relation
from cinealign.data.posters import Poster
from cinealign.figures import SUFFIXES, Language


def plans(numbers: Mapping[str, Any], posters: Sequence[Poster]) -> list[Plan]:
    """The figures that `numbers` allow, in the order of the questions."""
    data = numbers["data"]
    of = f"{data['held_out']} held-out items, gallery N = {data['n']}"
    return [
        *relation.plans(numbers["relation"], numbers["settings"], of, data["n"]),
        *neighbours.plans(numbers["neighbours"], posters, of),
        *downstream.plans(numbers["downstream"], posters),
    ]


def draw_explanation(
    found: Mapping[str, Any],
    posters: Sequence[Poster],
    base: Path,
    lang: Language = "en",
    suffixes: Sequence[str] = SUFFIXES,
) -> list[Path]:
    """The figure of one explanation in the files of `draw`."""
    return draw(lambda figure: explanation.draw_explanation(figure, found, posters), base, lang, suffixes)
