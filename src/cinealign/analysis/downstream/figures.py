"""Figures of question 3: the table of tasks as dots, the clusters with their names, and searches by free text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cinealign.analysis.downstream.numbers import Cluster, Downstream, TextSearch
from cinealign.analysis.downstream.task_table import TaskRow
from cinealign.analysis.drawing import Plan
from cinealign.analysis.marks import GREY, blank, dots, show_poster, write
from cinealign.analysis.skipped import Skipped
from cinealign.data.posters import Poster
from cinealign.figures import COLOURS, label

SHOWN = {
    "genre tagging, zero-shot": "macro AUC",
    "genre probe": "macro AUC",
    "decade probe": "accuracy",
    "cold-start rating": "RMSE",
    "cold-start ranking": "NDCG@10",
    "series mates": "recall@10",
    "odd one out": "accuracy",
    "clusters": "genre overlap of mates",
}
"""Task -> the measure that the figure shows; the table has the others."""
KIND_STYLES = {
    "aligned": (COLOURS[0], "o"),
    "raw": (COLOURS[1], "s"),
    "baseline": ("0.35", "^"),
    "reference": (COLOURS[3], "D"),
}
COLUMNS = 2


def draw_table(figure: Any, rows: Sequence[TaskRow]) -> None:
    """One panel a task, one line a method with its interval; dotted where chance is known."""
    panels = [
        (task, measure, [row for row in rows if (row.task, row.measure) == (task, measure)])
        for task, measure in SHOWN.items()
    ]
    panels = [panel for panel in panels if panel[2]]
    lines = -(-len(panels) // COLUMNS)
    pairs = [panels[at * COLUMNS : (at + 1) * COLUMNS] for at in range(lines)]
    heights = [max(len(panel[2]) for panel in pair) + 2.5 for pair in pairs]
    figure.set_size_inches(7.4, 0.165 * sum(heights) + 0.5)
    grid = figure.subplots(lines, COLUMNS, squeeze=False, height_ratios=heights)
    for axes in grid.ravel()[len(panels) :]:
        axes.set_axis_off()
    for axes, (task, measure, found) in zip(grid.ravel(), panels, strict=False):
        places = list(range(len(found)))[::-1]
        for row, place in zip(found, places, strict=True):
            colour, marker = KIND_STYLES[row.kind]
            dots(axes, [row.estimate], [place], colour=colour, marker=marker)
        if found[0].chance is not None:
            axes.axvline(found[0].chance, color=GREY, linestyle=":", linewidth=1.2)
        axes.set_yticks(places, [label(row.method) for row in found], fontsize=7)
        axes.set_ylim(-0.7, len(found) - 0.3)
        axes.tick_params(axis="x", labelsize=7)
        asked = "{task}: {measure}, lower is better" if found[0].lower_is_better else "{task}: {measure}"
        axes.set_title(label(asked, task=label(task), measure=label(measure)), fontsize=8, loc="left")
    handles = [
        grid[0, 0].plot([], [], color=colour, marker=marker, linestyle="", label=label(kind))[0]
        for kind, (colour, marker) in KIND_STYLES.items()
        if any(row.kind == kind for row in rows)
    ]
    chance = grid[0, 0].plot([], [], color=GREY, linestyle=":", label=label("chance"))[0]
    figure.legend(handles=[*handles, chance], loc="outside upper center", ncols=5)


def draw_clusters(figure: Any, clusters: Sequence[Cluster]) -> None:
    """Clusters by size, named by the words that mark their intros, with the genres that are over-represented."""
    figure.set_size_inches(7.2, 0.8 + 0.3 * len(clusters))
    axes = figure.subplots()
    places = list(range(len(clusters)))[::-1]
    axes.barh(places, [cluster.movies for cluster in clusters], color=COLOURS[5], height=0.62)
    axes.barh(places, [cluster.held_out for cluster in clusters], color=COLOURS[0], height=0.62)
    for place, cluster in zip(places, clusters, strict=True):
        told = ", ".join(f"{genre.genre} {100 * genre.share:.0f} % (x{genre.lift:.1f})" for genre in cluster.genres)
        axes.text(cluster.movies, place, f"  {told}", va="center", fontsize=7, parse_math=False)
    largest = max(cluster.movies for cluster in clusters)
    axes.set_yticks(places, [cluster.name for cluster in clusters], fontsize=7.5)
    axes.set_xlim(0, largest * 2.7)
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= largest])
    told = label("items (dark: held-out), and share of each genre (times its share of all items)")
    axes.set_xlabel(told, loc="left")
    axes.grid(False, axis="y")


def draw_search(figure: Any, searches: Sequence[TextSearch], posters: Sequence[Poster]) -> None:
    """A free text a row and the five held-out posters nearest to it."""
    figure.set_size_inches(7.2, 1.5 * len(searches))
    shown = len(searches[0].found)
    grid = figure.subplots(len(searches), 1 + shown, width_ratios=[1.7] + [1] * shown, squeeze=False)
    for row, search in zip(grid, searches, strict=True):
        blank(row[0])
        write(row[0], 0, 0.6, search.query, width=26, fontsize=8, va="center")
        for axes, found in zip(row[1:], search.found, strict=True):
            show_poster(axes, posters[found.row])
            title = found.title if len(found.title) <= 24 else found.title[:21].rstrip() + "..."
            axes.set_xlabel(f"{title}\n{found.similarity:.2f}", fontsize=5.5, labelpad=2, parse_math=False)


def plans(tasks: Downstream, posters: Sequence[Poster]) -> list[Plan]:
    """The figures that these numbers allow."""
    clusters, search = tasks.clusters, tasks.search
    return [
        Plan(
            "downstream",
            "downstream",
            "Down-stream tasks on held-out items: aligned features, raw features and baselines, with 95 % intervals.",
            lambda figure: draw_table(figure, tasks.table),
        ),
        Plan(
            "clusters",
            "downstream",
            "Clusters of the shared space, fitted on train items, named by genre and by the words that mark their intros.",
            None if isinstance(clusters, Skipped) else lambda figure: draw_clusters(figure, clusters.clusters),
        ),
        Plan(
            "search",
            "downstream",
            "Free texts and the held-out posters nearest to them.",
            None
            if isinstance(search, Skipped) or not search.text_to_poster
            else lambda figure: draw_search(figure, search.text_to_poster, posters),
            shows_posters=True,
        ),
    ]
