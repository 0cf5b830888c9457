"""The tables of a downloaded catalogue, in the assignment's columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cinealign.data.download.archive import ListedMovie, MovieLens
from cinealign.data.download.facts import Facts
from cinealign.data.download.files import DownloadFolder

_INFO = ("id", "name", "imdb_id", "genre", "release_time", "intro", "directors", "writers", "starts")


@dataclass(frozen=True)
class Missing:
    """Something that could not be had. `what` is "facts", "intro" or "poster"; `address` may be ""."""

    movie_id: int
    title: str
    what: str
    reason: str
    address: str = ""


def write_tables(folder: DownloadFolder, movielens: MovieLens, facts: Mapping[int, Facts]) -> None:
    """Write info.csv, movies.csv, ratings.csv and the README with the licence."""
    rows = (_info_row(movie, facts.get(movie.movie_id, Facts(movie.movie_id))) for movie in movielens.movies)
    folder.write("info.csv", _csv(_INFO, rows))
    movies = ((movie.movie_id, movie.title, "|".join(movie.genres)) for movie in movielens.movies)
    folder.write("movies.csv", _csv(("movie_id", "title", "genres"), movies))
    folder.write("ratings.csv", _csv(("user_id", "movie_id", "rating", "timestamp"), movielens.ratings.tolist()))
    folder.write("ml-1m-README.txt", movielens.readme.encode())


def write_missing(folder: DownloadFolder, missing: Sequence[Missing]) -> None:
    """Write missing.csv; it has a header alone where all was had."""
    rows = ((entry.movie_id, entry.title, entry.what, entry.reason, entry.address) for entry in missing)
    folder.write("missing.csv", _csv(("movie_id", "title", "what", "reason", "address"), rows))


def _info_row(movie: ListedMovie, facts: Facts) -> tuple[object, ...]:
    people = ("|".join(names) for names in (facts.directors, facts.writers, facts.cast))
    genres = "|".join(facts.genres or movie.genres)
    return (movie.movie_id, movie.title, facts.imdb_id, genres, facts.release, facts.intro, *people)


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
