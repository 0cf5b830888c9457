"""Figures of question 2: what the nearest k share, and galleries of cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cinealign.analysis.drawing import Plan
from cinealign.analysis.marks import GREY, blank, show_poster, write
from cinealign.analysis.neighbours.numbers import Case, Neighbours, TraitScores
from cinealign.data.posters import Poster
from cinealign.figures import COLOURS, label

SPACE_STYLES = {
    "poster_to_intro": ("poster to intro", COLOURS[0], "-", "o"),
    "intro_to_poster": ("intro to poster", COLOURS[1], "--", "s"),
    "poster_to_poster": ("poster to poster, raw", COLOURS[2], "-.", "^"),
    "intro_to_intro": ("intro to intro, raw", COLOURS[3], ":", "D"),
}
TITLES = {
    "genre": "genre overlap",
    "decade": "same decade",
    "director": "common director",
    "cast": "common actor",
    "words": "shared words of intros",
    "palette": "palette overlap",
    "co_rating": "co-rating correlation",
}
CASES = 2
KINDS = {"good": COLOURS[2], "typical": COLOURS[4], "bad": COLOURS[1]}


def draw_lift(figure: Any, numbers: Neighbours) -> None:
    """Each known trait's mean over the k nearest neighbours as k grows, in each space, beside chance."""
    known = {name: found for name, found in numbers.traits.items() if isinstance(found, TraitScores)}
    columns = 4
    rows = -(-(len(known) + 1) // columns)
    figure.set_size_inches(7.2, 1.9 * rows + 0.2)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (name, found) in zip(panels, known.items(), strict=False):
        for space, (_, colour, line, marker) in SPACE_STYLES.items():
            if space not in found.spaces:
                continue
            curve = found.spaces[space]
            points = [at for at, low in enumerate(curve.low) if low is not None]
            k, low, high = ([values[at] for at in points] for values in (numbers.k, curve.low, curve.high))
            axes.fill_between(k, low, high, color=colour, alpha=0.15, linewidth=0)
            value = [curve.value[at] for at in points]
            axes.plot(k, value, color=colour, linestyle=line, marker=marker, markersize=3)
        axes.axhline(found.chance.value, color=GREY, linestyle=(0, (1, 1)), linewidth=1)
        axes.set(xscale="log", title=label(TITLES[name]))
        axes.set_xticks(numbers.k, [str(k) for k in numbers.k], fontsize=7)
        axes.tick_params(axis="y", labelsize=7)
        axes.minorticks_off()
        axes.set_xlabel(label("k nearest"), fontsize=8)
    for axes in panels[len(known) :]:
        axes.set_axis_off()
    legend = panels[len(known)]
    spaces = {space for found in known.values() for space in found.spaces}
    for told, colour, line, marker in (style for space, style in SPACE_STYLES.items() if space in spaces):
        legend.plot([], [], color=colour, linestyle=line, marker=marker, markersize=3, label=label(told))
    legend.plot([], [], color=GREY, linestyle=(0, (1, 1)), label=label("chance (any item)"))
    legend.legend(loc="center left", fontsize=8, borderaxespad=0)


def draw_posters_to_intros(figure: Any, cases: Sequence[Case], posters: Sequence[Poster]) -> None:
    """A query poster a row, and the five intros that are nearest to it; the true partner is marked."""
    chosen = _chosen(cases)
    figure.set_size_inches(7.2, 1.62 * len(chosen))
    grid = figure.subplots(len(chosen), 2, width_ratios=[1, 5.4], squeeze=False)
    for (left, right), case in zip(grid, chosen, strict=True):
        show_poster(left, posters[case.query.row], frame=KINDS[case.kind])
        blank(right)
        _headline(right, case)
        write(right, 0.0, 0.915, case.query.intro, width=122, lines=1, fontsize=6.3, va="top", style="italic")
        for at, found in enumerate(case.neighbours):
            y = 0.81 - 0.168 * at
            colour = KINDS["good"] if found.partner else "black"
            mark = label("its own: ") if found.partner else ""
            title = f"{found.place}. {mark}{_short(found.title, 46)}"
            head = f"{title}   {found.distance:.2f}" + (
                f"   {label('same {traits}', traits=', '.join(label(trait) for trait in found.shared))}"
                if found.shared
                else ""
            )
            weight = "bold" if found.partner else "normal"
            write(right, 0.0, y, head, fontsize=6.8, va="top", color=colour, fontweight=weight)
            write(right, 0.02, y - 0.075, found.intro, width=118, lines=1, fontsize=6.3, va="top", color="0.3")


def draw_intros_to_posters(figure: Any, cases: Sequence[Case], posters: Sequence[Poster]) -> None:
    """A query intro a row, the five posters that are nearest to it, and its own at the right where it is not one of them."""
    chosen = _chosen(cases)
    figure.set_size_inches(7.2, 1.72 * len(chosen))
    grid = figure.subplots(len(chosen), 7, width_ratios=[2.1, 1, 1, 1, 1, 1, 1], squeeze=False)
    for row, case in zip(grid, chosen, strict=True):
        blank(row[0])
        query = case.query
        write(
            row[0],
            0,
            1.0,
            label("{kind}: own poster at {rank}", kind=label(case.kind), rank=case.partner_rank),
            fontsize=7,
            va="top",
            color=KINDS[case.kind],
            fontweight="bold",
        )
        write(row[0], 0, 0.88, query.title, width=31, lines=2, fontsize=6.8, va="top")
        write(row[0], 0, 0.68, query.intro, width=36, lines=8, fontsize=6, va="top", color="0.3")
        for axes, found in zip(row[1:6], case.neighbours, strict=True):
            show_poster(axes, posters[found.row], frame=KINDS["good"] if found.partner else None)
            axes.set_title(f"{found.place}. {found.distance:.2f}", fontsize=6.5, pad=2)
            axes.set_xlabel(_short(found.title, 20), fontsize=5.5, labelpad=2, parse_math=False)
        if any(found.partner for found in case.neighbours):
            row[6].set_axis_off()
        else:
            show_poster(row[6], posters[query.row], frame=KINDS[case.kind])
            row[6].set_title(label("its own"), fontsize=6.5, pad=2)


def _chosen(cases: Sequence[Case]) -> list[Case]:
    return [case for kind in KINDS for case in [case for case in cases if case.kind == kind][:CASES]]


def _headline(axes: Any, case: Case) -> None:
    query = case.query
    place = label("{kind}: own intro at {rank}", kind=label(case.kind), rank=case.partner_rank)
    text = f"{place}.  {_short(query.title, 60)}  ({', '.join(query.genres)})"
    write(axes, 0.0, 1.0, text, fontsize=7, va="top", color=KINDS[case.kind], fontweight="bold")


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 3].rstrip() + "..."


def plans(near: Neighbours, posters: Sequence[Poster], of: str) -> list[Plan]:
    """The figures that these numbers allow."""
    galleries = near.galleries
    return [
        Plan(
            "neighbours-lift",
            "neighbours",
            f"What a held-out item shares with its k nearest neighbours, mean and 95 % interval ({of}); grey: any item.",
            lambda figure: draw_lift(figure, near),
        ),
        Plan(
            "gallery-poster-to-intro",
            "neighbours",
            "The five nearest intros of held-out posters, drawn by seed: good, typical and bad cases, with distances.",
            lambda figure: draw_posters_to_intros(figure, galleries.poster_to_intro, posters),
            shows_posters=True,
        ),
        Plan(
            "gallery-intro-to-poster",
            "neighbours",
            "The five nearest posters of held-out intros, drawn by seed: good, typical and bad cases, with distances.",
            lambda figure: draw_intros_to_posters(figure, galleries.intro_to_poster, posters),
            shows_posters=True,
        ),
    ]
