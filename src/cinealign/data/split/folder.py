"""Splitting a catalogue folder anew, by what its info.csv says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cinealign.data.cells import parts_of
from cinealign.data.movie_table import MovieRow, read_movie_table
from cinealign.data.posters import check_posters, find_posters
from cinealign.data.series import series_name
from cinealign.data.split.new_split import (
    SHARE,
    NewSplit,
    check_chance,
    group_split,
    on_both_sides,
    own_split,
    split_by_chance,
    write_split,
    year_split,
)
from cinealign.data.split.record import TRAIN_FILE, SplitRecord
from cinealign.data.split.train_file import choose_reading, read_train_file
from cinealign.data.tables import Table, listed, read_table, read_text, whole_number
from cinealign.errors import ConfigError, DataError
from cinealign.progress import say

KINDS = ("own", "list", "random", "group", "year")
SOURCE_ID = "source_id"


@dataclass(frozen=True)
class SplitOptions:
    """How to split: one of `KINDS`, and what that kind needs.

    Attributes:
        by: the kind.
        column: of info.csv, for "own" (else "split") and "group" (else titles of sequels and directors).
        train_value: for "own", what the column says of a train item.
        listing: for "list", the file.
        before: for "year", the first year that is held out.
        share, seed: where chance decides; `share` also chooses a year.
    """

    by: str = "random"
    column: str | None = None
    train_value: str | None = None
    listing: Path | None = None
    before: int | None = None
    share: float = SHARE
    seed: int = 0


def split_folder(folder: Path, options: SplitOptions, *, force: bool = False) -> SplitRecord:
    """Write train.txt and split.json to a folder with info.csv and poster/; only items that have both sides count.

    Raises:
        ConfigError: an option that the kind does not know, or one out of range.
        DataError: the folder cannot be read or written, holds a train.txt already, or cannot be split that way.
    """
    _check(options)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the folder that holds info.csv and poster/")
    if (folder / TRAIN_FILE).exists() and not force:
        raise DataError(f"{folder / TRAIN_FILE} exists; pass --force to replace it")
    table = read_movie_table(folder)
    pictures = find_posters(folder)
    with_both = [row for row in table.rows if row.movie_id in pictures.files and row.intro]
    sound, _ = check_posters([pictures.files[row.movie_id] for row in with_both])
    rows = [row for row in with_both if pictures.files[row.movie_id] in sound]
    if not rows:
        raise DataError(f"no item of {folder} has a sound poster and an intro")
    known = [row.movie_id for row in table.rows]
    digests = [sound[pictures.files[row.movie_id]].digest for row in rows]
    split = _made(folder, rows, (known, [each for each in known if each in pictures.files]), digests, options)
    if both := on_both_sides(digests, split):
        say(f"split: {both:,} pictures stand in several rows and are on both sides of the split")
    return write_split(folder, [row.movie_id for row in rows], split, force=force)


def _check(options: SplitOptions) -> None:
    if options.by not in KINDS:
        raise ConfigError(f"a split is one of: {', '.join(KINDS)}; got {options.by!r}")
    for name, given, kinds in (
        ("--column", options.column, ("own", "group")),
        ("--train-value", options.train_value, ("own",)),
        ("--from", options.listing, ("list",)),
        ("--before", options.before, ("year",)),
    ):
        if given is not None and options.by not in kinds:
            raise ConfigError(f"{name} is for --by {' or '.join(kinds)}, not for {options.by}")
    check_chance(options.share, options.seed)
    if options.by == "list" and options.listing is None:
        raise ConfigError("--by list needs --from FILE, a file of ids or row numbers")


def _made(
    folder: Path,
    rows: Sequence[MovieRow],
    ids: tuple[Sequence[int], Sequence[int]],
    digests: Sequence[str],
    options: SplitOptions,
) -> NewSplit:
    """The split of `rows`; `ids` are those of the whole table, then of its items that have a poster file.

    Where chance decides, rows of one picture (`digests`) stay on one side.
    """
    share, seed = options.share, options.seed
    if options.by == "own":
        column = options.column or "split"
        return own_split(_cells(folder, rows, column), column, options.train_value)
    if options.by == "list":
        assert options.listing is not None
        return _listed_split(folder, rows, ids, options.listing)
    if options.by == "year":
        return year_split([row.year for row in rows], options.before, share=share)
    if options.by == "group" and options.column is not None:
        cells = [parts_of(cell) for cell in _cells(folder, rows, options.column)]
        if not any(cells):
            raise DataError(f"no item has a {options.column}, so there is nothing to split by; choose another column")
        return group_split(_with_pictures(cells, digests), share=share, seed=seed, what=options.column)
    if options.by == "group":
        series = [[f"title {series_name(row.title)}", *(f"by {name}" for name in row.directors)] for row in rows]
        return group_split(_with_pictures(series, digests), share=share, seed=seed, what="sequel or director")
    return split_by_chance(digests, share=share, seed=seed)


def _with_pictures(groups: Sequence[list[str]], digests: Sequence[str]) -> list[list[str]]:
    """The groups, and one more for a picture that several rows have."""
    counts = Counter(digests)
    return [[*each, *([f"picture {d}"] if counts[d] > 1 else [])] for each, d in zip(groups, digests, strict=True)]


def _cells(folder: Path, rows: Sequence[MovieRow], column: str) -> list[str]:
    """The cell of a column of info.csv for every row."""
    table = _info(folder)
    place = table.column(column)
    if place is None:
        raise DataError(f"{table.name} has no column {column!r}; it has: {listed(filter(None, table.header), 30)}")
    by_id = _by_id(table, place)
    return [by_id.get(row.movie_id, "").strip() for row in rows]


def _info(folder: Path) -> Table:
    path = next(path for name in ("info.csv", "movies.csv") if (path := folder / name).is_file())
    return read_table(path)


def _by_id(table: Table, place: int) -> dict[int, str]:
    id_at = table.column("movie_id", "movieid", "id")
    assert id_at is not None
    return {int(whole_number(row.cells[id_at]) or 0): row.cells[place] for row in table.rows}


def _listed_split(
    folder: Path, rows: Sequence[MovieRow], ids: tuple[Sequence[int], Sequence[int]], listing: Path
) -> NewSplit:
    """The items that a file names: by the source's ids, one a line, where there are any; else as train.txt does."""
    table = _info(folder)
    place = table.column(SOURCE_ID)
    if not listing.is_file():
        raise DataError(f"{listing}: no such file; give the file that names the train items")
    if place is None:
        known, poster_ids = ids
        train = read_train_file(listing)
        read_as = choose_reading(train, poster_ids, known, "auto")
        wanted = {poster_ids[n.value] if read_as == "rows" else n.value for n in train.numbers}
        chosen = [row for row, movie in enumerate(rows) if movie.movie_id in wanted]
        return NewSplit("list", chosen, {"file": listing.name, "numbers": read_as})
    named = {line.strip() for line in read_text(listing).text.splitlines() if line.strip()}
    own = _by_id(table, place)
    if strangers := sorted(named - set(own.values())):
        raise DataError(f"{listing.name} names {strangers[0]!r}, which no {SOURCE_ID} of {table.name} is")
    chosen = [row for row, movie in enumerate(rows) if own[movie.movie_id] in named]
    if not chosen:
        raise DataError(f"{listing.name} names no item that has both sides; list at least one")
    return NewSplit("list", chosen, {"file": listing.name, "numbers": SOURCE_ID})
