"""One side alone: pictures without texts, or texts without pictures, as a catalogue needs both and an encoder does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cinealign.data.importing.source import PICTURE_SUFFIXES
from cinealign.data.intros import clean_text
from cinealign.data.movie_table import TABLES
from cinealign.data.posters import SUFFIXES, check_posters
from cinealign.data.system_files import left_by_a_system
from cinealign.data.tables import listed, read_table, read_text
from cinealign.errors import DataError, as_argument

TEXT_COLUMNS = ("intro", "text", "plot", "overview", "description")
"""Where a table's texts are looked for where nobody says; the first of them that there is."""
ID_COLUMNS = ("id", "movie_id", "movieid", "item_id", "name")
_NO_ITEMS = ("train.txt", "readme.txt")
"""Text files that belong to a data folder and to no item of it, in lower case."""


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


@dataclass(frozen=True)
class NamedFiles:
    """The picture and text files of a folder without a table, by the item that their names name."""

    pictures: dict[str, Path]
    texts: dict[str, Path]

    @property
    def side(self) -> Literal["poster", "intro"] | None:
        """The side that the folder has, where it has only one."""
        if bool(self.pictures) == bool(self.texts):
            return None
        return "poster" if self.pictures else "intro"


def files_by_name(folder: Path) -> NamedFiles:
    """The pictures and .txt files in `folder` and the folders inside it: "0007.jpg" and "texts/7.txt" are of item 7.

    An item is called by its files' name without suffix, or by the path where a name comes twice. Hidden files and folders
    are passed over, as are train.txt and readme.txt.

    Raises:
        DataError: two pictures or two texts of one folder are of one item.
    """
    files = [
        path for path in sorted(folder.rglob("*")) if path.is_file() and not left_by_a_system(path.relative_to(folder))
    ]
    pictures = [path for path in files if path.suffix.lower() in PICTURE_SUFFIXES]
    texts = [path for path in files if path.suffix.lower() == ".txt" and path.name.lower() not in _NO_ITEMS]
    plain = all(len({_item(path) for path in side}) == len(side) for side in (pictures, texts))
    return NamedFiles(*(_by_item(folder, side, plain) for side in (pictures, texts)))


def side_line(folder: Path, found: NamedFiles) -> str:
    """What a folder of one side holds and what it is good for."""
    if found.side == "poster":
        count, other, option = f"{len(found.pictures):,} pictures", "texts", "--images"
    else:
        count, other, option = f"{len(found.texts):,} texts", "pictures", "--texts"
    return (
        f"{folder} holds {count} and no {other}; "
        f"one side is enough for `cinealign encode RUN {option} {as_argument(folder)}` and "
        f"`cinealign index add RUN {as_argument(folder)}`, a run needs both"
    )


@dataclass(frozen=True)
class OneSide:
    """A folder of pictures alone or of texts alone, after every file was opened.

    Attributes:
        folder, files: what was looked at.
        unusable: what is wrong with each file that cannot be used.
    """

    folder: Path
    files: NamedFiles
    unusable: tuple[str, ...]

    def lines(self) -> list[str]:
        """For the user."""
        said = f"cannot be used: {len(self.unusable):,} ({listed(self.unusable)})"
        return [side_line(self.folder, self.files), *([said] if self.unusable else [])]

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        files = self.files.pictures if self.files.side == "poster" else self.files.texts
        return {"folder": str(self.folder), "side": self.files.side, "n": len(files), "unusable": list(self.unusable)}


def check_one_side(folder: Path, *, strict: bool = False) -> OneSide | None:
    """What is in a folder of one side; None where it holds a table, both sides, or neither.

    Raises:
        DataError: `strict`, and a file cannot be used.
    """
    if not folder.is_dir() or any((folder / name).is_file() for name in TABLES):
        return None
    files = files_by_name(folder)
    if files.side is None:
        return None
    unusable = (
        check_posters(list(files.pictures.values()))[1]
        if files.side == "poster"
        else [path.name for path in files.texts.values() if not clean_text(read_text(path).text)]
    )
    if strict and unusable:
        raise DataError(f"--strict allows no drop, and these cannot be used: {listed(unusable, 3)}")
    return OneSide(folder, files, tuple(unusable))


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
        place: a .csv table with a column of texts (and of ids, where it has one); any other file, one text per line, blank
            lines left out; or a folder of .txt files, one text each.
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
            f"{place} does not exist; give a file with one text per line, a .csv table or a folder of .txt files"
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
    return path.suffix.lower() in SUFFIXES and not left_by_a_system(path)


def _item(path: Path) -> str:
    return str(int(path.stem)) if path.stem.isascii() and path.stem.isdigit() else path.stem


def _by_item(folder: Path, files: Sequence[Path], plain: bool) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        name = _item(path) if plain else (path.relative_to(folder).parent / _item(path)).as_posix()
        if name in found:
            raise DataError(f"{folder} has two files for item {name}: {found[name].name} and {path.name}; remove one")
        found[name] = path
    return found


def _of_table(path: Path, column: str | None) -> Texts:
    table = read_table(path)
    at = table.column(*TEXT_COLUMNS if column is None else (column,))
    if at is None:
        wanted = f"no column {column!r}" if column is not None else f"none of the columns {', '.join(TEXT_COLUMNS)}"
        raise DataError(f"{path.name} has {wanted}; its columns are: {', '.join(table.header)}")
    ids = table.column(*ID_COLUMNS)
    names = [row.cells[ids] if ids is not None else str(row.number) for row in table.rows]
    return Texts(tuple(names), tuple(row.cells[at] for row in table.rows))
