"""One side alone: pictures without texts, or texts without pictures, as a catalogue needs both and an encoder does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cinealign.data.posters import SUFFIXES
from cinealign.data.tables import read_table, read_text
from cinealign.errors import DataError

TEXT_COLUMNS = ("intro", "text", "plot", "overview", "description")
"""Where a table's texts are looked for where nobody says; the first of them that there is."""
ID_COLUMNS = ("id", "movie_id", "movieid", "item_id", "name")


@dataclass(frozen=True)
class Pictures:
    """Picture files and what each is called: its path as it was given, or within the folder that was given."""

    names: tuple[str, ...]
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Texts:
    """Texts and what each is called: its id or number in the file, or the name of its own file."""

    names: tuple[str, ...]
    texts: tuple[str, ...]


def find_pictures(places: Sequence[Path | str]) -> Pictures:
    """The pictures in `places`: files as they are, folders with all that lie in them, by name.

    Hidden files and files that are no pictures by their ending are passed over in folders.

    Raises:
        DataError: a place is missing, or a folder holds no picture.
    """
    names: list[str] = []
    paths: list[Path] = []
    for place in map(Path, places):
        if place.is_file():
            names.append(str(place))
            paths.append(place)
            continue
        if not place.is_dir():
            raise DataError(f"{place} does not exist; give picture files, or folders that hold them")
        found = sorted(path for path in place.rglob("*") if _is_picture(path.relative_to(place)) and path.is_file())
        if not found:
            raise DataError(f"{place} holds no picture ({', '.join(SUFFIXES)})")
        names += [path.relative_to(place).as_posix() for path in found]
        paths += found
    return Pictures(tuple(names), tuple(paths))


def read_texts(place: Path | str, column: str | None = None) -> Texts:
    """The texts in `place`.

    Args:
        place: a .csv table with a column of texts (and of ids, where it has one); any other file, a text a line, blank lines
            left out; or a folder of .txt files, a text each.
        column: of the table; else the first of `TEXT_COLUMNS` that it has.
    Raises:
        DataError: the place is missing or holds no text, or the table has no such column.
    """
    place = Path(place)
    if place.is_dir():
        files = sorted(place.glob("*.txt"))
        texts = Texts(tuple(file.stem for file in files), tuple(read_text(file).text for file in files))
    elif not place.is_file():
        raise DataError(
            f"{place} does not exist; give a file with a text a line, a .csv table or a folder of .txt files"
        )
    elif place.suffix.lower() == ".csv":
        texts = _of_table(place, column)
    elif column is not None:
        raise DataError(f"{place.name} is no .csv table, so it has no column {column!r}; leave the column out")
    else:
        lines = [
            (str(number), line) for number, line in enumerate(read_text(place).text.splitlines(), 1) if line.strip()
        ]
        texts = Texts(tuple(name for name, _ in lines), tuple(line for _, line in lines))
    if not texts.texts:
        raise DataError(f"{place} holds no text")
    return texts


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _of_table(path: Path, column: str | None) -> Texts:
    table = read_table(path)
    at = table.column(*TEXT_COLUMNS if column is None else (column,))
    if at is None:
        wanted = f"no column {column!r}" if column is not None else f"none of the columns {', '.join(TEXT_COLUMNS)}"
        raise DataError(f"{path.name} has {wanted}; its columns are: {', '.join(table.header)}")
    ids = table.column(*ID_COLUMNS)
    names = [row.cells[ids] if ids is not None else str(row.number) for row in table.rows]
    return Texts(tuple(names), tuple(row.cells[at] for row in table.rows))
