"""The rows of info.csv (or of movies.csv and a table with intros), before any poster is looked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cinealign.data.cells import is_nothing, parts_of
from cinealign.data.intros import clean_text
from cinealign.data.system_files import left_by_a_system
from cinealign.data.tables import Row, Table, read_table, whole_number
from cinealign.errors import DataError

TABLES = ("info.csv", "movies.csv")
"""Where movies are listed: the first of these that exists, in its order."""
ID_COLUMNS = ("movie_id", "movieid", "id")
_TITLE = ("name", "title", "movie_title")
_GENRES = ("genre", "genres")
_RELEASE = ("release_time", "release_date", "released", "release", "year")
_INTRO = ("intro", "introduction", "plot", "description", "overview", "summary", "synopsis")
_DIRECTORS = ("directors", "director")
_WRITERS = ("writers", "writer")
_CAST = ("starts", "stars", "cast", "actors")
KNOWN_COLUMNS = frozenset({*ID_COLUMNS, *_TITLE, *_GENRES, *_RELEASE, *_INTRO, *_DIRECTORS, *_WRITERS, *_CAST})
"""Every name of a column that is understood, in lower case."""
_YEAR = re.compile(r"(?<!\d)(?:18|19|20)\d\d(?!\d)")
_YEAR_IN_TITLE = re.compile(r"\(((?:18|19|20)\d\d)\)\s*$")


@dataclass(frozen=True)
class MovieRow:
    """One movie as the tables give it, texts cleaned. `place` is where its intro belongs, for messages."""

    movie_id: int
    place: str
    title: str
    genres: tuple[str, ...]
    release: str
    year: int | None
    intro: str
    directors: tuple[str, ...]
    writers: tuple[str, ...]
    cast: tuple[str, ...]
    credited_twice: bool


@dataclass(frozen=True)
class MovieTable:
    """All movies in file order, the encoding of each file read, and what was left out.

    `read` counts the rows of the main table, repeats included; `repeats` and `strangers` name the rows that repeat
    another word for word and the intros of ids that the main table does not have.
    """

    name: str
    rows: tuple[MovieRow, ...]
    read: int
    encodings: dict[str, str]
    repeats: tuple[str, ...]
    strangers: tuple[str, ...]


def read_movie_table(folder: Path, *, needs_intros: bool = True) -> MovieTable:
    """The movies of `folder`/info.csv, else movies.csv; intros from the one other CSV that has them if this has none.

    Args:
        folder: the data folder.
        needs_intros: False gives empty intros where no table has a column for them.
    Raises:
        DataError: no table or an empty one, no column for ids, titles or intros, an id that is no whole number, or rows
            of one id that differ.
    """
    path = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if path is None:
        raise DataError(f"{folder} has neither info.csv nor movies.csv; is it the right folder?")
    table = read_table(path)
    if not table.rows:
        raise DataError(f"{table.name} has a header but no rows; expected one row an item")
    distinct, repeats = _by_id(table)
    title_at = _needed(table, "title", _TITLE)
    encodings = {table.name: table.encoding}
    strangers: tuple[str, ...] = ()
    if (intro_at := table.column(*_INTRO)) is not None:
        intros = {movie_id: (row.cells[intro_at], _place(table, row, movie_id)) for movie_id, row in distinct.items()}
    elif (extra := _intro_table(folder, table, needs_intros)) is None:
        intros = {}
    else:
        encodings[extra.name] = extra.encoding
        texts, again = _by_id(extra)
        repeats += again
        intro_at = _needed(extra, "intro", _INTRO)
        intros = {movie_id: (row.cells[intro_at], _place(extra, row, movie_id)) for movie_id, row in texts.items()}
        strangers = tuple(place for movie_id, (_, place) in intros.items() if movie_id not in distinct)
    rows = []
    for movie_id, row in distinct.items():
        text, place = intros.get(movie_id, ("", _place(table, row, movie_id)))
        release = _cell(row, table.column(*_RELEASE))
        title = clean_text(row.cells[title_at])
        people = [_parts(row, table.column(*names)) for names in (_DIRECTORS, _WRITERS, _CAST)]
        directors, writers, cast = (tuple(dict.fromkeys(names)) for names in people)
        rows.append(
            MovieRow(
                movie_id=movie_id,
                place=place,
                title=title,
                genres=tuple(dict.fromkeys(_parts(row, table.column(*_GENRES)))),
                release=release,
                year=_year(release, title),
                intro=present_text(clean_text(text)),
                directors=directors,
                writers=writers,
                cast=cast,
                credited_twice=any(len(set(names)) < len(names) for names in people),
            )
        )
    return MovieTable(table.name, tuple(rows), len(table.rows), encodings, repeats, strangers)


def _by_id(table: Table) -> tuple[dict[int, Row], tuple[str, ...]]:
    """The rows by movie id in file order, and the places of rows that repeat another word for word."""
    id_at = _needed(table, "id", ID_COLUMNS)
    # A stray index column counts the rows, so it differs between rows that are the same to a reader.
    told = [place for place, title in enumerate(table.header) if title.strip() and not title.startswith("Unnamed:")]
    if table.column("movie_id", "movieid") is not None and (stray := table.column("id")) is not None:
        told.remove(stray)
    rows: dict[int, Row] = {}
    repeats: list[str] = []
    for row in table.rows:
        movie_id = whole_number(row.cells[id_at])
        if movie_id is None or movie_id < 0:
            shown = row.cells[id_at][:40]
            raise DataError(f"{table.name} row {row.number}: the id must be a whole number, got {shown!r}")
        first = rows.setdefault(movie_id, row)
        if first is row:
            continue
        differing = [table.header[place] for place in told if first.cells[place].strip() != row.cells[place].strip()]
        if differing:
            raise DataError(
                f"{table.name} rows {first.number} and {row.number} both have the id {movie_id} "
                f"but differ in {', '.join(differing)}; keep one"
            )
        repeats.append(_place(table, row, movie_id))
    return rows, tuple(repeats)


def _intro_table(folder: Path, main: Table, needed: bool) -> Table | None:
    found = []
    for path in sorted(folder.glob("*.csv")):
        if path.name == main.name or left_by_a_system(path.name):
            continue
        table = read_table(path)
        if table.column(*ID_COLUMNS) is not None and table.column(*_INTRO) is not None:
            found.append(table)
    if not found:
        if not needed:
            return None
        raise DataError(
            f"{main.name} has no column for intros and no other CSV has one beside an id; "
            f"name it one of: {', '.join(_INTRO)}"
        )
    if len(found) > 1:
        raise DataError(f"intros are in both {found[0].name} and {found[1].name}; keep one of them in the folder")
    return found[0]


def _needed(table: Table, what: str, names: tuple[str, ...]) -> int:
    place = table.column(*names)
    if place is None:
        raise DataError(f"{table.name} has no column for the {what}; name it one of: {', '.join(names)}")
    return place


def _place(table: Table, row: Row, movie_id: int) -> str:
    return f"{table.name} row {row.number} (item {movie_id})"


def _cell(row: Row, place: int | None) -> str:
    return "" if place is None else present_text(clean_text(row.cells[place]))


def present_text(text: str) -> str:
    """`text`, or nothing where it only says that there is nothing ("N/A", "nan" ...)."""
    return "" if is_nothing(text) else text


def _parts(row: Row, place: int | None) -> list[str]:
    """The parts of a cell, each cleaned; a structure is read before, as cleaning could spoil it."""
    return [] if place is None else [part for piece in parts_of(row.cells[place]) if (part := clean_text(piece))]


def _year(release: str, title: str) -> int | None:
    """The year in brackets at the end of the title, else that of the release, which may be a later one elsewhere."""
    found = _YEAR.search(release)
    in_title = _YEAR_IN_TITLE.search(title)
    return int(in_title.group(1)) if in_title else int(found.group()) if found else None
