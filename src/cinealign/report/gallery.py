"""Posters side by side with a few words below each, as the notebook shows them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cinealign.data.posters import open_poster
from cinealign.figures import fonts

if TYPE_CHECKING:
    from cinealign.data.catalogue import Movie

CELL_WIDTH_IN, POSTER_HEIGHT_IN, LINE_HEIGHT_IN = 1.25, 1.85, 0.14
LINE_LETTERS = 22


def poster_gallery(
    movies: Sequence[Movie], captions: Sequence[str] | None = None, *, title: str = "", columns: int = 6
) -> Any:
    """A matplotlib figure of the movies' posters, `columns` in a row.

    Args:
        movies: one at least.
        captions: below the posters, wrapped; the titles where None. Line ends in them are kept.
        title: above all.
        columns: posters in a row.
    """
    from matplotlib.figure import Figure

    texts = [_wrapped(text) for text in (captions or [movie.title for movie in movies])]
    columns = min(columns, len(movies))
    rows = -(-len(movies) // columns)
    lines = max(text.count("\n") + 1 for text in texts)
    cell_height = POSTER_HEIGHT_IN + LINE_HEIGHT_IN * lines + 0.1
    top = 0.3 if title else 0.05
    height = rows * cell_height + top
    figure = Figure(figsize=(columns * CELL_WIDTH_IN, height), dpi=100)
    if title:
        figure.text(0.01, 1 - 0.06 / height, title, fontsize=9, va="top", weight="bold", family=fonts())
    for at, (movie, text) in enumerate(zip(movies, texts, strict=True)):
        row, column = divmod(at, columns)
        upper = height - top - row * cell_height
        axes = figure.add_axes(
            (
                (column + 0.04) / columns,
                (upper - POSTER_HEIGHT_IN) / height,
                0.92 / columns,
                POSTER_HEIGHT_IN / height,
            )
        )
        axes.imshow(open_poster(movie.poster))
        axes.set_anchor("N")
        axes.set_axis_off()
        figure.text(
            (column + 0.5) / columns,
            (upper - POSTER_HEIGHT_IN - 0.04) / height,
            text,
            fontsize=7,
            ha="center",
            va="top",
            family=fonts(),
            parse_math=False,
        )
    return figure


def _wrapped(text: str) -> str:
    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, LINE_LETTERS) or [""])
