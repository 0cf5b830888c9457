"""The figure of one explanation: the poster with what its parts add, the experts, the words, the nearest train movies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.cells import cell_len

from cinealign.analysis.explain.numbers import Explanation, NearestTrain, WordDrop
from cinealign.analysis.marks import blank, show_poster, write
from cinealign.analysis.references import ReferenceWithIntro
from cinealign.data.posters import Poster, open_poster
from cinealign.figures import COLOURS, fonts, label

PRODUCT = "product {product:.3f}: place {first} of {n} for the poster, {second} for the intro"
PRODUCT_UNREMEMBERED = (
    "without memory: product {product:.3f}, place {first} of {n} for the poster, {second} for the intro"
)
GAIN, LOSS = COLOURS[0], COLOURS[1]
"""Blue adds to the match, orange takes from it; they differ in grey print too, and signs are written beside them."""
LETTERS = 70
"""Of a line of the intro, in a font whose letters are equally wide, so that words can be placed by counting."""
SHOWN_LINES = 4
SHOWN_CELLS = 0.1
"""Share of the strongest cell's drop from which on a cell is framed."""


def draw_explanation(figure: Any, found: Explanation, posters: Sequence[Poster]) -> None:
    """Draw what `explain.explain` gives.

    Args:
        figure: an empty one.
        found: the explanation.
        posters: of all movies in row order.
    """
    figure.set_size_inches(7.6, 5.1)
    top, bottom = figure.subfigures(2, 1, height_ratios=[3.6, 1.5])
    left, right = top.subfigures(1, 2, width_ratios=[2.6, 4.4])
    _draw_poster(left.subplots(), found, posters[found.poster.row])
    experts, words = right.subfigures(2, 1, height_ratios=[1.5, 1.7])
    _draw_experts(experts.subplots(), found)
    _draw_words(words.subplots(), found.intro, found.split.intro, found.words)
    _draw_nearest(bottom, found.nearest_train, posters)


def _draw_poster(axes: Any, found: Explanation, poster: Poster) -> None:
    from matplotlib.patches import Polygon, Rectangle
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2, foreground="white")]
    picture = open_poster(poster)
    width, height = picture.size
    axes.imshow(picture)
    drops = np.array(found.cells.drop)
    most = max(float(np.abs(drops).max()), 1e-9)
    rows, columns = drops.shape
    for row in range(rows):
        for column in range(columns):
            drop = drops[row, column]
            place = (column * width / columns, row * height / rows)
            share = abs(drop) / most
            if share > SHOWN_CELLS:  # a frame within the cell, so that the poster is seen as it is
                inset = 0.03 * width / columns
                size = (width / columns - 2 * inset, height / rows - 2 * inset)
                style = {
                    "edgecolor": GAIN if drop > 0 else LOSS,
                    "linewidth": 0.5 + 2.5 * share,
                    "alpha": 0.4 + 0.6 * share,
                }
                axes.add_patch(Rectangle((place[0] + inset, place[1] + inset), *size, fill=False, **style))
            if share > 0.3:
                middle = (place[0] + width / columns / 2, place[1] + height / rows / 2)
                axes.text(*middle, f"{drop:+.2f}", ha="center", va="center", fontsize=6.5, path_effects=halo)
    for line in found.lines:
        corners = [(x * width, y * height) for x, y in line.box]
        axes.add_patch(Polygon(corners, fill=False, edgecolor=GAIN if line.drop > 0 else LOSS, linewidth=1.2))
    axes.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0))
    axes.grid(False)
    told = label(
        "poster: {title}\n{split}; product lost when a cell is covered",
        title=found.poster.title[:30],
        split=label(found.split.poster.replace("_", "-")),
    )
    axes.set_title(told, fontsize=8, parse_math=False)
    strongest = sorted(found.lines, key=lambda line: -abs(line.drop))[:SHOWN_LINES]
    told = "\n".join(f"{line.drop:+.3f}  {line.text[:38]}" for line in strongest)
    if told:
        told = f"{label('without a line of lettering:')}\n{told}"
        axes.set_xlabel(told, fontsize=7, loc="left", parse_math=False, labelpad=4)


def _draw_experts(axes: Any, found: Explanation) -> None:
    experts = found.experts
    places = list(range(len(experts)))[::-1]
    values = [expert.contribution for expert in experts]
    axes.barh(places, values, color=[GAIN if value >= 0 else LOSS for value in values], height=0.6)
    for place, expert in zip(places, experts, strict=True):
        low, high = (expert.typical + sign * expert.spread for sign in (-1, 1))
        axes.plot([low, high], [place, place], color="0.25", linewidth=1.5)
        axes.plot([expert.typical], [place], marker="|", color="0.25", markersize=7)
    labels = [f"{expert.expert}: {' + '.join(expert.poster)}" for expert in experts]
    axes.set_yticks(places, labels, fontsize=7)
    rank = found.rank
    axes.set_title(
        label(
            PRODUCT_UNREMEMBERED if found.without_memory else PRODUCT,
            product=found.product,
            first=rank.poster_to_intro,
            second=rank.intro_to_poster,
            n=rank.n,
        ),
        fontsize=8,
        loc="right",
    )
    told = label("added by each expert (grey: mean and spread over other intros)")
    axes.set_xlabel(told, fontsize=7.5, loc="right")
    axes.tick_params(axis="x", labelsize=7)
    axes.grid(False, axis="y")


def _draw_words(axes: Any, intro: ReferenceWithIntro, split: str, words: Sequence[WordDrop]) -> None:
    """The intro word by word, each on a ground as strong as what is lost without it."""
    blank(axes)
    title = label(
        "intro: {title} ({split}); product lost without a word",
        title=intro.title[:36],
        split=label(split.replace("_", "-")),
    )
    axes.set_title(title, fontsize=8, loc="left", parse_math=False)
    text = intro.intro
    most = max([abs(word.drop) for word in words] or [0.0]) or 1.0
    strongest = sorted(words, key=lambda word: -abs(word.drop))[:3]
    line, column = 0, 0
    for at, word in enumerate(words):
        end = words[at + 1].start if at + 1 < len(words) else len(text)
        shown = word.word + text[word.end : end].rstrip()
        told = f"{shown} ({word.drop:+.2f})" if word in strongest else shown
        if column + cell_len(told) > LETTERS and column:
            line, column = line + 1, 0
        colour = GAIN if word.drop > 0 else LOSS
        ground = {"facecolor": colour, "alpha": 0.55 * abs(word.drop) / most, "linewidth": 0, "pad": 1.2}
        place = (column / LETTERS, 0.9 - 0.14 * line)
        write(axes, *place, told, fontsize=7.5, va="center", family=fonts("DejaVu Sans Mono"), bbox=ground)
        column += cell_len(told) + 1


def _draw_nearest(part: Any, nearest: NearestTrain, posters: Sequence[Poster]) -> None:
    movies = [*(("poster", movie) for movie in nearest.poster), *(("intro", movie) for movie in nearest.intro)]
    if not movies:
        return
    grid = part.subplots(1, len(movies), squeeze=False)[0]
    for at, (axes, (side, movie)) in enumerate(zip(grid, movies, strict=True)):
        show_poster(axes, posters[movie.row])
        name = movie.title if len(movie.title) <= 17 else movie.title[:15].rstrip() + ".."
        axes.set_xlabel(f"{name}\n{movie.similarity:.2f}", fontsize=5.5, labelpad=2, parse_math=False)
        if at in (0, len(nearest.poster)):
            axes.set_title(label(f"train items nearest by {side}"), fontsize=7.5, loc="left", pad=4)
