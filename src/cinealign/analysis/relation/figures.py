"""Figures of question 1: the top-p curve, canonical correlations, what is left, and which movies are related most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cinealign.analysis.drawing import Plan
from cinealign.analysis.estimates import Estimate
from cinealign.analysis.marks import DIRECTION_LABELS, GREY, dots
from cinealign.analysis.relation.numbers import Canonical, Curve, Left, MeanSlice, NotTaken, Relation
from cinealign.analysis.skipped import Skipped
from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.figures import COLOURS, label

PANELS = 4
MARKERS = dict(zip(DIRECTIONS, "os", strict=True))
HUES = dict(zip(DIRECTIONS, COLOURS, strict=False))
LEFT_LABELS = {
    "full": "the run as it is",
    "lettering_blank": "lettering not read",
    "lettering_painted": "... and painted over",
    "appearance_blank": "appearance not seen",
    "genre_removed": "genre partialled out",
    "genre_only": "true genres alone",
    "title_out_of_intro": "title out of the intro",
    "title_out_of_lettering": "title off the poster",
    "title_out_of_both": "title out of both",
}


def draw_curve(figure: Any, numbers: Curve, ratio: float) -> None:
    """Held-out top-p accuracy with its interval beside the band of chance, p on a log scale."""
    figure.set_size_inches(6.3, 2.9)
    for axes, direction in zip(figure.subplots(1, 2, sharey=True), DIRECTIONS, strict=True):
        p, found, chance = numbers.p, numbers[direction], numbers.chance
        axes.fill_between(p, found.low, found.high, color=HUES[direction], alpha=0.25, linewidth=0)
        axes.plot(p, found.value, color=HUES[direction])
        axes.fill_between(p, chance.low, chance.high, color=GREY, alpha=0.4, linewidth=0)
        axes.plot(p, chance.value, color=GREY, linestyle="--")
        axes.axvline(ratio, color="0.3", linewidth=0.8, linestyle=":")
        at = p.index(ratio)
        axes.annotate(
            label("{value:.3f} at p = {p:g}", value=found.value[at], p=ratio),
            (p[at], found.value[at]),
            textcoords="offset points",
            xytext=(-6, 6),
            ha="right",
            fontsize=8,
        )
        axes.annotate(
            label("chance"),
            (0.3, chance.value[p.index(0.3)]),
            textcoords="offset points",
            xytext=(2, -12),
            fontsize=8,
        )
        axes.set(xscale="log", ylim=(0, 1.02), xlim=(p[0], 1), title=label(DIRECTION_LABELS[direction]))
        axes.set_xlabel(label("p, part of the gallery that counts as near"))
    figure.axes[0].set_ylabel(label("held-out top-p accuracy"))


def draw_cca(figure: Any, entries: Sequence[Canonical]) -> None:
    """Canonical correlations of raw views: on train movies, on held-out ones, and by chance."""
    shown = sorted(entries, key=lambda entry: -entry.mean_held_out)[:PANELS]
    figure.set_size_inches(max(3.4, 2.1 * len(shown)), 2.9)
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, entry in zip(panels, shown, strict=True):
        places = range(1, entry.components + 1)
        axes.plot(places, entry.train, color=GREY, marker="^", markersize=3.5, linestyle=":", label=label("train"))
        axes.plot(places, entry.held_out, color=COLOURS[0], marker="o", markersize=4, label=label("held-out"))
        chance = label("chance, 95 %")
        axes.fill_between(places, entry.null_high, 0, color="0.8", step="mid", linewidth=0, label=chance)
        axes.set(ylim=(min(0.0, *entry.held_out) - 0.02, 1.05), xticks=[1, entry.components])
        told = label("mean {mean:.2f}, p = {p:.3g}", mean=entry.mean_held_out, p=entry.p)
        axes.set_title(f"{entry.poster} - {entry.intro}\n{told}")
        axes.set_xlabel(label("component"))
    first = panels[0]
    figure.legend(*first.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    first.set_ylabel(label("canonical correlation"))


def draw_left(figure: Any, entries: Sequence[Left | NotTaken], ratio: float, chance: float) -> None:
    """Accuracy that is left when something is taken away, both directions with intervals, beside chance."""
    shown = [entry for entry in entries if isinstance(entry, Left)]
    figure.set_size_inches(6.3, 1.1 + 0.3 * len(shown))
    axes = figure.subplots()
    places = list(range(len(shown)))[::-1]
    for shift, direction in zip((0.14, -0.14), DIRECTIONS, strict=True):
        found = [entry[direction] for entry in shown]
        at = [place + shift for place in places]
        dots(
            axes, found, at, colour=HUES[direction], marker=MARKERS[direction], label=label(DIRECTION_LABELS[direction])
        )
    axes.axvline(chance, color=GREY, linestyle="--", linewidth=1)
    axes.set_yticks(places, [label(LEFT_LABELS[entry.name]) for entry in shown])
    axes.set_xlim(left=0)
    asked = "held-out top-{percent:g} % accuracy, {items} items (dashed: chance)"
    axes.set_xlabel(label(asked, percent=100 * ratio, items=shown[0].movies))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


def draw_slices(figure: Any, entries: Sequence[MeanSlice]) -> None:
    """Accuracy of each slice of movies, genres on the left, everything else on the right; small slices hollow."""
    whole = entries[0]
    left = [entry for entry in entries if entry.attribute == "genre"]
    right = [entry for entry in entries if entry.attribute not in ("all", "genre")]
    columns = [part for part in (sorted(left, key=lambda entry: -entry.mean), right) if part]
    heights = [_rows(part) for part in columns]
    figure.set_size_inches(7.2, 1.1 + 0.17 * max(heights))
    for axes, part in zip(figure.subplots(1, len(columns), squeeze=False)[0], columns, strict=True):
        labels, places, at, attribute = [], [], 0.0, None
        for entry in part:
            if entry.attribute != attribute:
                attribute = entry.attribute
                at -= 1.0
                axes.text(
                    0.01,
                    at,
                    label(attribute),
                    fontsize=8,
                    fontweight="bold",
                    va="center",
                    transform=axes.get_yaxis_transform(),
                )
            at -= 1.0
            labels.append(f"{label(entry.slice)} ({entry.movies})")
            places.append(at)
            for shift, direction in zip((0.15, -0.15), DIRECTIONS, strict=True):
                found = entry[direction]
                estimate = Estimate(value=found.accuracy, low=found.interval[0], high=found.interval[1])
                face = {"markerfacecolor": "white"} if entry.small else {}
                dots(axes, [estimate], [at + shift], colour=HUES[direction], marker=MARKERS[direction], **face)
        axes.axvline(whole.mean, color=GREY, linestyle="--", linewidth=1)
        axes.set_yticks(places, labels, fontsize=7)
        axes.set(xlim=(0, 1), ylim=(at - 0.8, -0.3))
        axes.set_xlabel(label("held-out accuracy (dashed: all items)"))
    handles = [
        figure.axes[0].plot([], [], color=HUES[name], marker=MARKERS[name], linestyle="", label=label(told))[0]
        for name, told in DIRECTION_LABELS.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)


def _rows(part: Sequence[MeanSlice]) -> int:
    return len(part) + len({entry.attribute for entry in part})


def plans(related: Relation, ratio: float, chance: float, of: str, n: int) -> list[Plan]:
    """The figures that these numbers allow."""
    cca = related.cca
    return [
        Plan(
            "relation-curve",
            "relation",
            f"Held-out top-p accuracy with 95 % intervals ({of}); grey: chance and its 95 % band.",
            lambda figure: draw_curve(figure, related.curve, ratio),
        ),
        Plan(
            "relation-cca",
            "relation",
            "Canonical correlations of raw views, fitted on train items (dotted), read on held-out ones (solid); grey: 95 % "
            "of shuffled partners lie below.",
            None if isinstance(cca, Skipped) else lambda figure: draw_cca(figure, cca),
        ),
        Plan(
            "relation-left",
            "relation",
            f"Top-{100 * ratio:g} % accuracy that is left when something is taken away ({of}), 95 % intervals.",
            lambda figure: draw_left(figure, related.left, ratio, chance),
        ),
        Plan(
            "relation-slices",
            "relation",
            f"Accuracy of parts of the held-out items (number in brackets) with Wilson's 95 % interval; hollow: fewer than "
            f"30 items; gallery N = {n}.",
            lambda figure: draw_slices(figure, related.slices),
        ),
    ]
