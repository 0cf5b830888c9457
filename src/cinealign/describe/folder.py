"""What a data folder holds: counts, pictures, intros, languages, genres, decades, duplicates, lettering.

It looks at files, not at a catalogue, so that a folder that no run would take is described too.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.fingerprints import HASH_SIDE, difference_hash, near_equal_pairs
from cinealign.data.intros import tokens
from cinealign.data.languages import languages_of
from cinealign.data.movie_table import MovieRow, MovieTable, read_movie_table
from cinealign.data.posters import Poster, decode_poster, find_posters, read_poster
from cinealign.data.split.record import read_split_record
from cinealign.data.split.train_file import TrainIds, choose_reading, read_train_list
from cinealign.describe.lettering import Lettering
from cinealign.errors import DataError
from cinealign.progress import progress
from cinealign.threads import on_threads

SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""The quantiles that stand for a distribution: least, 5 %, quartiles, median, 95 %, most."""
_EXAMPLES = 5
_MODES = {"RGB": "", "L": " greyscale", "RGBA": " with transparency", "CMYK": " CMYK", "P": " with a palette"}


@dataclass(frozen=True)
class Spread:
    """A distribution of numbers: how many, their sum, and their values at `SHARES`."""

    count: int
    total: float
    quantiles: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of `values`; all quantiles are 0 where there are none."""
        if not len(values):
            return cls(0, 0.0, (0.0,) * len(SHARES))
        return cls(len(values), float(np.sum(values)), tuple(float(q) for q in np.quantile(values, SHARES)))


@dataclass(frozen=True)
class Groups:
    """Items that are equal or nearly so: how many groups, how many items are in them, and the largest groups by title."""

    groups: int
    items: int
    examples: tuple[tuple[str, ...], ...]

    def line(self) -> str:
        """How many groups and items, and the largest groups by title."""
        if not self.groups:
            return "none"
        examples = "; ".join(" = ".join(names) for names in self.examples[:3])
        return f"{self.items:,} items in {self.groups:,} groups, such as {examples}"


@dataclass(frozen=True)
class Counts:
    """Rows of the table, those with a picture, with a text, with both and readable, and the split.

    `train` and `held_out` count among `usable`; they are None where there is no train.txt or it cannot be read, and
    `split` says so or how it is written.
    """

    rows: int
    with_poster: int
    with_intro: int
    usable: int
    train: int | None
    held_out: int | None
    split: str


@dataclass(frozen=True)
class Description:
    """A described folder. Genres and decades count items of the table; languages, lengths and duplicates too."""

    folder: str
    table: str
    counts: Counts
    width: Spread
    height: Spread
    size: Spread
    sizes: dict[str, int]
    formats: dict[str, int]
    words: Spread
    characters: Spread
    word_counts: tuple[int, ...]
    languages: dict[str, int]
    genres: dict[str, int]
    decades: dict[str, int]
    without_genre: int
    without_year: int
    equal_posters: Groups
    near_equal_posters: Groups
    equal_intros: Groups
    unreadable: tuple[str, ...]
    lettering: Lettering | None
    lettering_note: str

    def to_json(self) -> dict[str, Any]:
        """The description as JSON values."""
        content = asdict(self)
        del content["word_counts"]
        return {**content, "quantiles_at": list(SHARES)}


@dataclass(frozen=True)
class _Picture:
    """A poster that decodes."""

    poster: Poster
    width: int
    height: int
    bytes: int
    format: str
    hash: NDArray[np.bool_]


def describe(folder: Path, train_ids: TrainIds = "auto") -> tuple[Description, list[Poster]]:
    """The folder without its lettering (see `lettering_statistics`), and the posters that decode, for reading that.

    Args:
        folder: a data folder; train.txt may be missing, posters damaged, intros empty.
        train_ids: what train.txt holds.
    Raises:
        DataError: no folder, no table of items or no poster folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the folder that holds info.csv and poster/")
    table = read_movie_table(folder)
    files = find_posters(folder).files
    rows = [row for row in table.rows if row.movie_id in files]
    pictures, unreadable = _look_at([files[row.movie_id] for row in rows])
    shown = [(row, pictures[files[row.movie_id]]) for row in rows if files[row.movie_id] in pictures]
    intros = [row for row in table.rows if row.intro]
    word_counts = [len(tokens(row.intro, stop_words=False, stem=False)) for row in intros]
    seen = [picture for _, picture in shown]
    pairs = near_equal_pairs(np.array([picture.hash for picture in seen], dtype=np.bool_).reshape(-1, HASH_SIDE**2))
    names = [row.title for row, _ in shown]
    description = Description(
        folder=str(folder),
        table=table.name,
        counts=_counts(folder, table, rows, {row.movie_id for row, _ in shown if row.intro}, train_ids),
        width=Spread.of([picture.width for picture in seen]),
        height=Spread.of([picture.height for picture in seen]),
        size=Spread.of([picture.bytes for picture in seen]),
        sizes=_most(f"{picture.width} x {picture.height}" for picture in seen),
        formats=_most(picture.format for picture in seen),
        words=Spread.of(word_counts),
        characters=Spread.of([len(row.intro) for row in intros]),
        word_counts=tuple(word_counts),
        languages=languages_of(row.intro for row in intros),
        genres=_most(genre for row in table.rows for genre in row.genres),
        decades=dict(sorted(Counter(f"{row.year // 10 * 10}s" for row in table.rows if row.year is not None).items())),
        without_genre=sum(not row.genres for row in table.rows),
        without_year=sum(row.year is None for row in table.rows),
        equal_posters=_equal([picture.poster.digest for picture in seen], names),
        near_equal_posters=_connected(pairs, names),
        equal_intros=_equal([row.intro for row in intros], [row.title for row in intros]),
        unreadable=tuple(unreadable),
        lettering=None,
        lettering_note="not looked for",
    )
    return description, [picture.poster for picture in seen]


def with_lettering(description: Description, lettering: Lettering | None, note: str) -> Description:
    """`description` with what is known of the lettering, or with the note that says why nothing is."""
    return replace(description, lettering=lettering, lettering_note=note)


def _counts(
    folder: Path, table: MovieTable, with_poster: Sequence[MovieRow], usable: set[int], train_ids: TrainIds
) -> Counts:
    ids = [row.movie_id for row in with_poster]
    train: int | None = None
    try:
        listed = read_train_list(folder)
        record = read_split_record(folder)
        asked = "ids" if record is not None and train_ids == "auto" else train_ids
        read_as = choose_reading(listed, ids, [row.movie_id for row in table.rows], asked)
        named = {ids[number.value] if read_as == "rows" else number.value for number in listed.numbers}
        train = len(named & usable)
        holds = f"train.txt holds {'row numbers' if read_as == 'rows' else 'item ids'}"
        split = holds if record is None else f"{holds}; {record.line()}"
    except DataError as error:
        split = str(error) if (folder / "train.txt").exists() else "there is no train.txt"
    return Counts(
        rows=len(table.rows),
        with_poster=len(with_poster),
        with_intro=sum(bool(row.intro) for row in table.rows),
        usable=len(usable),
        train=train,
        held_out=None if train is None else len(usable) - train,
        split=split,
    )


def _look_at(paths: Sequence[Path]) -> tuple[dict[Path, _Picture], list[str]]:
    """What the posters that decode are like, by path, and what is wrong with each of the others."""
    good: dict[Path, _Picture] = {}
    bad: list[str] = []

    def look(path: Path) -> _Picture | str:
        try:
            return _picture(path)
        except DataError as error:
            return str(error).partition(";")[0].removeprefix("poster ")

    with (
        warnings.catch_warnings(),
        progress("posters", len(paths)) as report,
    ):
        warnings.simplefilter("ignore")  # Pillow warns of sizes that `decode_poster` refuses anyway
        for path, found in zip(paths, on_threads(look, paths), strict=True):
            if isinstance(found, str):
                bad.append(found)
            else:
                good[path] = found
            report.advance()
    return good, bad


def _picture(path: Path) -> _Picture:
    from PIL import Image

    poster, content = read_poster(path)
    picture = decode_poster(path.name, content)
    with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as header:
        kind = f"{header.format}{_MODES.get(header.mode, ' ' + header.mode)}"
    return _Picture(poster, picture.width, picture.height, len(content), kind, difference_hash(picture))


def _most(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _equal(keys: Sequence[str], names: Sequence[str]) -> Groups:
    members: dict[str, list[str]] = {}
    for key, name in zip(keys, names, strict=True):
        members.setdefault(key, []).append(name)
    return _groups([names for names in members.values() if len(names) > 1])


def _connected(pairs: NDArray[np.int64], names: Sequence[str]) -> Groups:
    """Groups of items that are linked by pairs, perhaps over others."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return Groups(0, 0, ())
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(names), len(names)))
    _, label = connected_components(links, directed=False)
    members: dict[int, list[str]] = {}
    for row in np.unique(pairs):
        members.setdefault(int(label[row]), []).append(names[row])
    return _groups(list(members.values()))


def _groups(members: Sequence[Sequence[str]]) -> Groups:
    largest = sorted(members, key=len, reverse=True)[:_EXAMPLES]
    return Groups(len(members), sum(map(len, members)), tuple(tuple(names[:_EXAMPLES]) for names in largest))
