"""What is known of each movie, as slices for `slices.score_slices`: genre, decade, lengths, lettering, colour, popularity."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinealign.data.catalogue import Catalogue
from cinealign.data.intros import tokens
from cinealign.data.posters import Poster, open_poster
from cinealign.data.tables import read_table, whole_number
from cinealign.errors import DataError
from cinealign.evaluation.slices import Slices, by_decade, by_label, by_size

PARTS = 4
RATINGS = "ratings.csv"


def catalogue_slices(catalogue: Catalogue, lettering: Sequence[str] | None = None) -> dict[str, Slices]:
    """Slices of all N movies by what the data folder says of them; an attribute that nothing is known of is left out.

    Args:
        catalogue: the data; `ratings.csv` in its folder gives popularity, where there is one.
        lettering: the text read on each poster, None where nobody read it.
    """
    years = [float("nan") if movie.year is None else float(movie.year) for movie in catalogue.movies]
    found = {
        "genre": by_label([movie.genres for movie in catalogue.movies]),
        "decade": by_decade(years),
        "intro length (words)": by_size([len(tokens(text, stop_words=False)) for text in catalogue.intros], PARTS),
        "poster colourfulness": by_size(np.round(colourfulness(catalogue.posters), 1), PARTS),
    }
    if lettering is not None:
        found["lettering read (letters)"] = by_size([sum(c.isalnum() for c in text) for text in lettering], PARTS)
    counts = rating_counts(catalogue)
    if counts is not None:
        found["popularity (ratings)"] = by_size(counts, PARTS)
    return {name: slices for name, slices in found.items() if slices}


def colourfulness(posters: Sequence[Poster]) -> NDArray[np.float64]:
    """(N,) 0 for grey posters, about 15 for slightly and 60 for quite colourful ones.

    Source:
        Hasler and Suesstrunk, "Measuring colorfulness in natural images" (2003), the measure M3.
    """

    def measure(poster: Poster) -> float:
        red, green, blue = np.moveaxis(np.asarray(open_poster(poster).resize((64, 96)), dtype=np.float64), 2, 0)
        first, second = red - green, (red + green) / 2 - blue
        spread = np.hypot(first.std(), second.std())
        return float(spread + 0.3 * np.hypot(first.mean(), second.mean()))

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return np.array(list(pool.map(measure, posters)))


def rating_counts(catalogue: Catalogue) -> NDArray[np.float64] | None:
    """(N,) ratings of each movie in `ratings.csv` of the data folder; None where there is no such file.

    Raises:
        DataError: the file has no column of movie ids.
    """
    path = Path(catalogue.folder) / RATINGS
    if not path.is_file():
        return None
    table = read_table(path)
    column = table.column("movie_id", "movieid", "item_id")
    if column is None:
        raise DataError(f"{RATINGS} has no column movie_id; name it so, or take the file out of the folder")
    rows = {movie.movie_id: row for row, movie in enumerate(catalogue.movies)}
    counts = np.zeros(len(catalogue))
    for record in table.rows:
        movie_id = whole_number(record.cells[column])
        if movie_id is not None and movie_id in rows:
            counts[rows[movie_id]] += 1
    return counts
