"""The catalogue: the movies that have both a poster and an intro, in the order of the file, and the split."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cinealign.arguments import as_flag, as_path, one_of
from cinealign.data import report as drops
from cinealign.data.movie_table import TABLES, MovieRow, read_movie_table
from cinealign.data.one_side import files_by_name, side_line
from cinealign.data.posters import Poster, check_posters, find_posters
from cinealign.data.report import CatalogueReport, Drop
from cinealign.data.split.record import read_split_record
from cinealign.data.split.train_file import ReadAs, TrainIds, TrainList, choose_reading, read_train_list
from cinealign.data.tables import listed
from cinealign.errors import DataError, as_argument

MissingIntro = Literal["error", "drop"]
Source = Literal["folder", "sample"]
IMPORT_MARK = "import.json"
"""`cinealign data import` writes this file: where the catalogue is from, and what its things are called."""
SAMPLE_MARK = "sample.json"
"""A folder that holds this file was drawn by the program; its catalogue says so in `source`."""


@dataclass(frozen=True)
class Movie:
    """A movie with both its sides. Texts are cleaned, names kept once in the order given."""

    movie_id: int
    title: str
    genres: tuple[str, ...]
    release: str
    year: int | None
    intro: str
    poster: Poster
    directors: tuple[str, ...]
    writers: tuple[str, ...]
    cast: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The movies that have both sides, in file order: row i of every matrix is movie i of this.

    `train_rows` and `held_out_rows` are sorted int64 row numbers that together name every row once. `digest` is a
    sha256 of the content (ids, intros, poster bytes, split), so it is the same wherever the folder lies.
    """

    folder: Path
    source: Source
    movies: tuple[Movie, ...]
    train_rows: NDArray[np.int64]
    held_out_rows: NDArray[np.int64]
    report: CatalogueReport
    digest: str

    def __len__(self) -> int:
        return len(self.movies)

    @property
    def ids(self) -> NDArray[np.int64]:
        """(N,) int64 movie ids in row order."""
        return np.array([movie.movie_id for movie in self.movies], dtype=np.int64)

    @property
    def intros(self) -> list[str]:
        """N cleaned intros in row order."""
        return [movie.intro for movie in self.movies]

    @property
    def noun(self) -> str:
        """What one thing of the catalogue is called: "movie", or what an import was told."""
        return self.report.noun

    @property
    def posters(self) -> list[Poster]:
        """N posters in row order."""
        return [movie.poster for movie in self.movies]

    @classmethod
    def load(
        cls,
        folder: Path | str,
        *,
        train_ids: TrainIds = "auto",
        missing_intro: MissingIntro = "error",
        strict: bool = False,
    ) -> Catalogue:
        """The catalogue of a folder with info.csv (or movies.csv and intros), poster/ and train.txt.

        Every poster is decoded once, so that a damaged one is found here and not hours later.

        Args:
            folder: the data folder; see docs/data-format.md.
            train_ids: what train.txt holds; "auto" decides and refuses where that is not certain.
            missing_intro: "drop" leaves out movies that have a poster but no intro; "error" refuses them.
            strict: True makes everything that would be left out an error.
        Raises:
            DataError: the folder cannot be used as it is; the message says what to do.
            ConfigError: an option that is none of its choices.
        Examples:
            >>> from cinealign import Catalogue
            >>> catalogue = Catalogue.load("data/sample")
            >>> len(catalogue), len(catalogue.train_rows), len(catalogue.held_out_rows)
            (240, 144, 96)
        """
        folder, strict = as_path(folder, "folder"), as_flag(strict, "strict")
        one_of(train_ids, "train_ids", get_args(TrainIds))
        one_of(missing_intro, "missing_intro", get_args(MissingIntro))
        if not folder.is_dir():
            raise DataError(f"{folder} is not a folder; give the folder that holds info.csv, poster/ and train.txt")
        _refuse_files_alone(folder)
        table = read_movie_table(folder)
        pictures = find_posters(folder)
        train = read_train_list(folder)
        known = [row.movie_id for row in table.rows]
        with_poster = [row for row in table.rows if row.movie_id in pictures.files]
        if not with_poster:
            raise DataError(f"no item of {table.name} has a poster; name the pictures after the item ids, as in 7.jpg")
        poster_ids = [row.movie_id for row in with_poster]
        record = read_split_record(folder)
        said = "ids" if record is not None and train_ids == "auto" else train_ids
        read_as = choose_reading(train, poster_ids, known, said)

        no_intro = [row for row in with_poster if not row.intro]
        if no_intro and (missing_intro == "error" or strict):
            more = f" (and {len(no_intro) - 1:,} more)" if len(no_intro) > 1 else ""
            remedy = "give one" if strict else "give one or pass --missing-intro drop"
            raise DataError(f"{no_intro[0].place}: no intro{more}; {remedy}")
        checked, unusable = check_posters([pictures.files[row.movie_id] for row in with_poster if row.intro])
        movies = tuple(
            _movie(row, checked[pictures.files[row.movie_id]])
            for row in with_poster
            if pictures.files[row.movie_id] in checked
        )

        train_rows, lost = _train_rows(train, read_as, poster_ids, movies)
        held_out_rows = np.setdiff1d(np.arange(len(movies), dtype=np.int64), train_rows)
        every_drop: dict[str, Sequence[object]] = {
            drops.NO_POSTER: [i for i in known if i not in pictures.files],
            drops.UNREADABLE: unusable,
            drops.NO_INTRO: [row.movie_id for row in no_intro],
            drops.REPEATED_ROW: table.repeats,
            drops.STRANGE_INTRO: table.strangers,
            drops.STRANGE_POSTER: [pictures.files[i].name for i in sorted(set(pictures.files) - set(known))],
            drops.STRANGE_FILE: pictures.strangers,
            drops.REPEATED_NUMBER: train.repeated,
            drops.LOST_NUMBER: lost,
        }
        report = CatalogueReport(
            read=table.read,
            kept=len(movies),
            train=len(train_rows),
            drops=tuple(Drop(reason, tuple(map(str, names))) for reason, names in every_drop.items() if names),
            encodings={**table.encodings, "train.txt": train.encoding},
            train_read_as=read_as,
            train_asked=train_ids,
            missing_intro_asked=missing_intro,
            notes=tuple(_notes(movies, with_poster, train_rows)),
            split=record,
            noun=_noun(folder),
            assignment=not (folder / IMPORT_MARK).is_file(),
        )
        _refuse_useless(report, strict)
        source: Source = "sample" if (folder / SAMPLE_MARK).is_file() else "folder"
        return cls(folder, source, movies, train_rows, held_out_rows, report, _digest(movies, train_rows))


def _refuse_files_alone(folder: Path) -> None:
    """Say what a folder of files without a table is good for."""
    if any((folder / name).is_file() for name in TABLES):
        return
    found = files_by_name(folder)
    if found.side is not None:
        raise DataError(side_line(folder, found))
    if found.pictures:
        raise DataError(
            f"{folder} holds pictures and texts but neither info.csv nor movies.csv; make a data folder of them: "
            f"cinealign data import {as_argument(folder)} --out DIR"
        )


def _train_rows(
    train: TrainList, read_as: ReadAs, poster_ids: Sequence[int], movies: Sequence[Movie]
) -> tuple[NDArray[np.int64], list[int]]:
    """The sorted rows of the train movies, and the numbers of train.txt whose movie was dropped.

    Row numbers count the movies that have a poster file (`poster_ids`), so dropping a movie moves the rows after it.
    """
    row_of = {movie.movie_id: row for row, movie in enumerate(movies)}
    rows, lost = [], []
    for number in train.numbers:
        row = row_of.get(poster_ids[number.value] if read_as == "rows" else number.value)
        if row is None:
            lost.append(number.value)
        else:
            rows.append(row)
    return np.array(sorted(rows), dtype=np.int64), lost


def _refuse_useless(report: CatalogueReport, strict: bool) -> None:
    said = "; ".join(f"{drop.reason}: {drop.count:,} ({listed(drop.names, 3)})" for drop in report.drops)
    if strict and said:
        raise DataError(f"--strict allows no drop, and these would be left out: {said}")
    if not report.kept:
        raise DataError(f"no item is left; mend the data: {said}")
    if not report.train:
        raise DataError("train.txt names no item that has both sides; list at least one")


def _movie(row: MovieRow, poster: Poster) -> Movie:
    return Movie(
        movie_id=row.movie_id,
        title=row.title,
        genres=row.genres,
        release=row.release,
        year=row.year,
        intro=row.intro,
        poster=poster,
        directors=row.directors,
        writers=row.writers,
        cast=row.cast,
    )


def _notes(movies: Sequence[Movie], with_poster: Sequence[MovieRow], train_rows: NDArray[np.int64]) -> list[str]:
    """What is kept but worth knowing: near-impossible matches, repeated names, a split with nothing to test on."""
    intros = Counter(movie.intro for movie in movies)
    posters = Counter(movie.poster.digest for movie in movies)
    same_intro = [movie.movie_id for movie in movies if intros[movie.intro] > 1]
    same_poster = [movie.movie_id for movie in movies if posters[movie.poster.digest] > 1]
    train = set(train_rows.tolist())
    sides = [
        {movie.poster.digest for row, movie in enumerate(movies) if (row in train) is side} for side in (True, False)
    ]
    kept = {movie.movie_id for movie in movies}
    twice = [row.movie_id for row in with_poster if row.credited_twice and row.movie_id in kept]
    notes = []
    if same_intro:
        notes.append(f"kept: items that share their intro with another: {len(same_intro):,} ({listed(same_intro)})")
    if same_poster:
        notes.append(f"kept: items that share their poster with another: {len(same_poster):,} ({listed(same_poster)})")
    if both := len(sides[0] & sides[1]):
        notes.append(f"posters that are on both sides of the split: {both:,}; results may be optimistic for them")
    if twice:
        notes.append(f"items that credit a name twice, which is kept once: {len(twice):,} ({listed(twice)})")
    if len(train) == len(movies):
        notes.append("every item is a train item, so nothing is held out and results will say little")
    return notes


def _noun(folder: Path) -> str:
    """What one thing of the catalogue is called: what its import was told, else a movie."""
    try:
        noun = json.loads((folder / IMPORT_MARK).read_text(encoding="utf-8"))["noun"]
    except (OSError, ValueError, KeyError, TypeError):
        return "movie"
    return noun if isinstance(noun, str) and noun.isprintable() and 0 < len(noun) <= 40 else "item"


def _digest(movies: Sequence[Movie], train_rows: NDArray[np.int64]) -> str:
    content = [[movie.movie_id, movie.intro, movie.poster.digest] for movie in movies]
    return hashlib.sha256(json.dumps([content, train_rows.tolist()]).encode()).hexdigest()
