"""Which figures an analysis has, what each is called, and what its caption says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinealign import figures
from cinealign.analysis.figures import downstream, explanation, neighbours, relation
from cinealign.data.posters import Poster
from cinealign.figures import SUFFIXES, Language, drawing, save_figure


@dataclass(frozen=True)
class Plan:
    """A figure that an analysis has if `draw` is not None."""

    name: str
    question: str
    caption: str
    draw: Callable[[Any], None] | None
    shows_posters: bool = False


def plans(numbers: Mapping[str, Any], posters: Sequence[Poster]) -> list[Plan]:
    """The figures that `numbers` allow, in the order of the questions."""
    settings, related, near, tasks = (numbers[key] for key in ("settings", "relation", "neighbours", "downstream"))
    data = numbers["data"]
    of = f"{data['held_out']} held-out items, gallery N = {data['n']}"
    galleries = near["galleries"]
    return [
        Plan(
            "relation-curve",
            "relation",
            f"Held-out top-p accuracy with 95 % intervals ({of}); grey: chance and its 95 % band.",
            lambda figure: relation.draw_curve(figure, related["curve"], settings),
        ),
        Plan(
            "relation-cca",
            "relation",
            "Canonical correlations of raw views, fitted on train items (dotted), read on held-out ones (solid); grey: 95 % "
            "of shuffled partners lie below.",
            None if "skipped" in related["cca"] else lambda figure: relation.draw_cca(figure, related["cca"]),
        ),
        Plan(
            "relation-left",
            "relation",
            f"Top-{100 * settings['ratio']:g} % accuracy that is left when something is taken away ({of}), 95 % intervals.",
            lambda figure: relation.draw_left(figure, related["left"], settings),
        ),
        Plan(
            "relation-slices",
            "relation",
            f"Accuracy of parts of the held-out items (number in brackets) with Wilson's 95 % interval; hollow: fewer than "
            f"30 items; gallery N = {data['n']}.",
            lambda figure: relation.draw_slices(figure, related["slices"]),
        ),
        Plan(
            "neighbours-lift",
            "neighbours",
            f"What a held-out item shares with its k nearest neighbours, mean and 95 % interval ({of}); grey: any item.",
            lambda figure: neighbours.draw_lift(figure, near),
        ),
        Plan(
            "gallery-poster-to-intro",
            "neighbours",
            "The five nearest intros of held-out posters, drawn by seed: good, typical and bad cases, with distances.",
            lambda figure: neighbours.draw_posters_to_intros(figure, galleries["poster_to_intro"], posters),
            shows_posters=True,
        ),
        Plan(
            "gallery-intro-to-poster",
            "neighbours",
            "The five nearest posters of held-out intros, drawn by seed: good, typical and bad cases, with distances.",
            lambda figure: neighbours.draw_intros_to_posters(figure, galleries["intro_to_poster"], posters),
            shows_posters=True,
        ),
        Plan(
            "downstream",
            "downstream",
            "Down-stream tasks on held-out items: aligned features, raw features and baselines, with 95 % intervals.",
            lambda figure: downstream.draw_table(figure, tasks["table"]),
        ),
        Plan(
            "clusters",
            "downstream",
            "Clusters of the shared space, fitted on train items, named by the words that mark their intros.",
            None
            if "skipped" in tasks["clusters"]
            else lambda figure: downstream.draw_clusters(figure, tasks["clusters"]),
        ),
        Plan(
            "search",
            "downstream",
            "Free texts and the held-out posters nearest to them.",
            None
            if "skipped" in tasks["search"]
            else lambda figure: downstream.draw_search(figure, tasks["search"]["text_to_poster"], posters),
            shows_posters=True,
        ),
    ]


def draw(plan: Callable[[Any], None], base: Path, lang: Language = "en") -> list[Path]:
    """Draw one figure as `base`.pdf and `base`.png; with Chinese labels, which only reports need, as PDF alone.

    Raises:
        ConfigError: the place cannot be written.
    """
    from matplotlib.figure import Figure

    with drawing(lang):
        figure = Figure(dpi=figures.DPI)
        plan(figure)
        figure.draw_without_rendering()  # places everything, which for posters in a grid takes longer than drawing it:
        figure.set_layout_engine("none")  # once is enough for both files
        return save_figure(figure, base, SUFFIXES if lang == "en" else (".pdf",))


def draw_explanation(
    found: Mapping[str, Any], posters: Sequence[Poster], base: Path, lang: Language = "en"
) -> list[Path]:
    """The figure of one explanation in the files of `draw`."""
    return draw(lambda figure: explanation.draw_explanation(figure, found, posters), base, lang)
