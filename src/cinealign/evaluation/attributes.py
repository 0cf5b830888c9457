"""What is known of each movie, as slices for `slices.score_slices`: genre, decade, lengths, lettering, colour, popularity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cinealign.data.catalogue import Catalogue
from cinealign.data.intros import tokens
from cinealign.data.posters import Poster, open_poster
from cinealign.data.ratings import read_ratings
from cinealign.evaluation.slices import Slices, by_decade, by_label, by_size
from cinealign.threads import on_threads

PARTS = 4


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

    return np.array(list(on_threads(measure, posters)))


def rating_counts(catalogue: Catalogue) -> NDArray[np.float64] | None:
    """(N,) ratings of each movie in `ratings.csv` of the data folder; None where there is no such file.

    Raises:
        DataError: what `read_ratings` cannot read.
    """
    ratings = read_ratings(catalogue)
    return None if ratings is None else np.bincount(ratings.row, minlength=len(catalogue)).astype(np.float64)
