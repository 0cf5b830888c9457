"""Which figures an analysis has, in the order of its questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cinealign.analysis.downstream import figures as downstream
from cinealign.analysis.drawing import Plan, draw
from cinealign.analysis.explain import figure as explanation
from cinealign.analysis.explain.numbers import Explanation
from cinealign.analysis.neighbours import figures as neighbours
from cinealign.analysis.numbers import Findings
from cinealign.analysis.relation import figures as relation
from cinealign.data.posters import Poster
from cinealign.figures import SUFFIXES, Language


def plans(found: Findings, posters: Sequence[Poster]) -> list[Plan]:
    """The figures that these findings allow, in the order of the questions."""
    data, settings = found.data, found.settings
    of = f"{data.held_out} held-out items, gallery N = {data.n}"
    return [
        *relation.plans(found.relation, settings.ratio, settings.chance, of, data.n),
        *neighbours.plans(found.neighbours, posters, of),
        *downstream.plans(found.downstream, posters),
    ]


def draw_explanation(
    found: Explanation,
    posters: Sequence[Poster],
    base: Path,
    lang: Language = "en",
    suffixes: Sequence[str] = SUFFIXES,
) -> list[Path]:
    """The figure of one explanation in the files of `draw`."""
    return draw(lambda figure: explanation.draw_explanation(figure, found, posters), base, lang, suffixes)
