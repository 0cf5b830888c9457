"""Ratings of the catalogue's movies: who liked what, for the analysis of what aligned features are good for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinealign.data.catalogue import Catalogue
from cinealign.data.tables import read_table, whole_number
from cinealign.errors import DataError

FILE = "ratings.csv"


@dataclass(frozen=True)
class Ratings:
    """One entry a rating of a movie of the catalogue; a user who rates a movie again counts with the last rating.

    Attributes:
        user: (R,) int64, users numbered from 0 without gaps.
        row: (R,) int64, row of the movie in the catalogue.
        value: (R,) float64, as in the file: 1 to 5 on MovieLens.
        users: how many there are.
    """

    user: NDArray[np.int64]
    row: NDArray[np.int64]
    value: NDArray[np.float64]
    users: int


def read_ratings(catalogue: Catalogue) -> Ratings | None:
    """The ratings in `ratings.csv` of the data folder; None where there is no such file.

    Ratings of movies that the catalogue does not have are passed over.

    Raises:
        DataError: a column is missing, or a cell is no number.
    """
    path = Path(catalogue.folder) / FILE
    if not path.is_file():
        return None
    table = read_table(path)
    places = [
        table.column(*names) for names in (("user_id", "userid"), ("movie_id", "movieid", "item_id"), ("rating",))
    ]
    if None in places:
        raise DataError(f"{FILE} needs the columns user_id, movie_id and rating, got {', '.join(table.header)}")
    user_at, movie_at, value_at = (place for place in places if place is not None)
    row_of = {movie.movie_id: row for row, movie in enumerate(catalogue.movies)}
    last: dict[tuple[str, int], float] = {}
    for record in table.rows:
        movie_id = whole_number(record.cells[movie_at])
        try:
            value = float(record.cells[value_at])
        except ValueError:
            value = float("nan")
        if movie_id is None or not np.isfinite(value):
            raise DataError(f"{FILE} row {record.number}: movie_id and rating must be numbers; mend or remove the row")
        if movie_id in row_of:
            last[record.cells[user_at].strip(), row_of[movie_id]] = value
    number = {user: at for at, user in enumerate(dict.fromkeys(user for user, _ in last))}
    return Ratings(
        user=np.array([number[user] for user, _ in last], dtype=np.int64),
        row=np.array([row for _, row in last], dtype=np.int64),
        value=np.array(list(last.values()), dtype=np.float64),
        users=len(number),
    )
