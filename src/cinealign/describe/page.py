"""A described data folder on one page."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cinealign.describe.folder import Description
from cinealign.figures import COLOURS, drawing, save_page

_MOST_BARS = 12
_LEAST_BARS = 5
"""Room is kept for so many, so that a single bar does not fill its panel."""
_MOST_BINS = 45
_REST = "#999999"
_PAGE_INCHES = (8.27, 11.69)


def draw_description(description: Description, file: Path) -> None:
    """Write the page to `file`, a .png or .pdf.

    Raises:
        ConfigError: another suffix, or a place that cannot be written.
    """
    from matplotlib.figure import Figure

    with drawing():
        figure = Figure(figsize=_PAGE_INCHES)
        axes = figure.subplots(4, 2, height_ratios=(1.0, 1.0, 1.7, 0.75))
        figure.suptitle(
            f"{Path(description.folder).name or description.folder}: what the data folder holds", fontsize=12
        )
        _counts(axes[0][0], description)
        _bars(axes[0][1], description.languages, "language of the intro", COLOURS[1], most=5)
        _words(axes[1][0], description)
        _bars(axes[1][1], description.sizes, "size of the poster in pixels", COLOURS[4], most=6)
        _bars(axes[2][0], description.genres, "genre (an item may have several)", COLOURS[2])
        _decades(axes[2][1], description)
        _text(axes[3][0], "duplicates and damage", _duplicates(description))
        _text(axes[3][1], "lettering", _lettering(description))
        save_page(figure, file)


def _counts(axes: Any, description: Description) -> None:
    counts = description.counts
    bars = {
        "rows": counts.rows,
        "with poster": counts.with_poster,
        "with intro": counts.with_intro,
        "usable": counts.usable,
    }
    if counts.train is not None and counts.held_out is not None:
        bars |= {"train": counts.train, "held-out": counts.held_out}
    _bars(axes, bars, "items", COLOURS[0])


def _bars(axes: Any, counts: Mapping[str, int], title: str, colour: str, most: int = _MOST_BARS) -> None:
    """Horizontal bars with their counts, the longest above; the rest in one bar."""
    shown = dict(list(counts.items())[:most])
    if rest := sum(list(counts.values())[most:]):
        shown[f"{len(counts) - most} others"] = rest
    axes.set_title(title, loc="left")
    if not shown:
        _nothing(axes)
        return
    places = range(len(shown))
    colours = [_REST if at >= most else colour for at in places]
    axes.barh(places, list(shown.values()), color=colours, height=0.7)
    axes.set_axisbelow(True)
    axes.set_ylim(-0.6, max(len(shown), _LEAST_BARS) - 0.4)
    axes.set_yticks(places, [_short(name) for name in shown])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    for place, count in zip(places, shown.values(), strict=True):
        axes.annotate(f"{count:,}", (count, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7)
    axes.set_xlim(0, max(shown.values()) * 1.18)


def _words(axes: Any, description: Description) -> None:
    axes.set_title("length of the intro in words", loc="left")
    if not description.word_counts:
        _nothing(axes)
        return
    words = np.array(description.word_counts)
    shown = words[words <= np.quantile(words, 0.995)]
    if len(shown) < len(words):
        axes.set_title("length of the intro in words (longest 0.5 % not shown)", loc="left")
    step = int(np.ceil((shown.max() - shown.min() + 1) / _MOST_BINS))  # whole words, so that no bin holds one more
    axes.hist(shown, bins=np.arange(shown.min(), shown.max() + step + 1, step) - 0.5, color=COLOURS[0])
    axes.set_axisbelow(True)
    median = description.words.quantiles[3]
    axes.axvline(median, color=COLOURS[6], linestyle="--", linewidth=1)
    axes.annotate(
        f" median {median:g}, most {description.words.quantiles[-1]:g}",
        (median, 0.97),
        xycoords=("data", "axes fraction"),
        va="top",
        fontsize=8,
    )
    axes.set_ylabel("intros")


def _decades(axes: Any, description: Description) -> None:
    axes.set_title("decade", loc="left")
    if not description.decades:
        _nothing(axes)
        return
    places = range(len(description.decades))
    counts = list(description.decades.values())
    axes.bar(places, counts, color=COLOURS[3], width=0.75)
    axes.set_axisbelow(True)
    axes.set_xticks(places, list(description.decades), rotation=60, ha="right")
    axes.grid(axis="x", visible=False)
    axes.set_ylabel("items")
    for place, count in zip(places, counts, strict=True):
        axes.annotate(f"{count:,}", (place, count), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=7)


def _duplicates(description: Description) -> list[str]:
    return [
        f"equal posters: {description.equal_posters.line()}",
        f"near-equal posters: {description.near_equal_posters.line()}",
        f"equal intros: {description.equal_intros.line()}",
        f"unreadable posters: {len(description.unreadable):,}",
        f"without a genre: {description.without_genre:,}; without a year: {description.without_year:,}",
    ]


def _lettering(description: Description) -> list[str]:
    found = description.lettering
    if found is None:
        return [description.lettering_note]
    return [
        f"{found.posters - found.without:,} of {found.posters:,} posters have a readable word",
        f"median {found.median_lines:g} lines and {found.median_words:g} words on those, at most {found.most_words:,} words",
        f"the tallest line takes {100 * found.tallest:.1f} % of the poster's height (median)",
        f"mean confidence {found.confidence:.2f}",
        f"scripts: {', '.join(f'{name} {count:,}' for name, count in list(found.scripts.items())[:5])}",
    ]


def _text(axes: Any, title: str, lines: Sequence[str]) -> None:
    axes.set_axis_off()
    axes.set_title(title, loc="left")
    wrapped = "\n".join(textwrap.fill(line, 54, subsequent_indent="   ") for line in lines)
    axes.text(0, 1, wrapped, va="top", fontsize=7.5, transform=axes.transAxes, parse_math=False)


def _nothing(axes: Any) -> None:
    axes.set_axis_off()
    axes.text(0, 0.9, "none", va="top", transform=axes.transAxes)


def _short(name: str) -> str:
    return (name if len(name) <= 24 else name[:23] + "...").replace("$", r"\$")
