"""Labels of train movies, as numbers; a held-out movie never has any."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cinealign.data.catalogue import Catalogue


def train_labels(catalogue: Catalogue) -> Mapping[str, NDArray[np.float32]]:
    """`genre`: (T, G) zeros and ones, row t of the movie catalogue.train_rows[t], a column for each genre of train movies.

    Columns are in alphabetical order. Empty where no train movie has a genre.
    """
    train = [catalogue.movies[row] for row in catalogue.train_rows]
    genres = sorted({genre for movie in train for genre in movie.genres})
    if not genres:
        return {}
    return {"genre": np.array([[genre in movie.genres for genre in genres] for movie in train], dtype=np.float32)}
