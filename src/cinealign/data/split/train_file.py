"""train.txt: which movies may be learned from, written as row numbers or as movie ids."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cinealign.data.tables import read_text, whole_number
from cinealign.errors import DataError

TrainIds = Literal["auto", "rows", "ids"]
ReadAs = Literal["rows", "ids"]
_SETTLE = "--train-ids rows|ids settles it"


@dataclass(frozen=True)
class TrainNumber:
    """A number of train.txt and the line it stands on."""

    value: int
    line: int


@dataclass(frozen=True)
class TrainList:
    """train.txt as read: distinct numbers in the order of the file, those that came again, and the file's encoding."""

    numbers: tuple[TrainNumber, ...]
    repeated: tuple[int, ...]
    encoding: str


def read_train_list(folder: Path) -> TrainList:
    """The numbers in `folder`/train.txt, separated by blanks or line ends.

    Raises:
        DataError: no such file, nothing in it, or something that is not a whole number.
    """
    path = folder / "train.txt"
    if not path.is_file():
        raise DataError(f"{folder} has no train.txt; write one row number (or item id) of a train item a line")
    return read_train_file(path)


def read_train_file(path: Path) -> TrainList:
    """The numbers in the file `path`, as `read_train_list`."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; give the file that names the train items")
    file = read_text(path)
    numbers: dict[int, TrainNumber] = {}
    repeated: list[int] = []
    for line, words in enumerate(file.text.splitlines(), start=1):
        for word in words.split():
            value = whole_number(word)
            if value is None:
                shown = word if len(word) <= 40 else word[:40] + "..."
                raise DataError(
                    f"{path.name} line {line}: expected a whole number, got {shown!r}; correct or remove it"
                )
            if value in numbers:
                repeated.append(value)
            else:
                numbers[value] = TrainNumber(value, line)
    if set(numbers) <= {0, 1} and len(repeated) > 1:
        raise DataError(
            f"{path.name} holds nothing but 0 and 1, {len(numbers) + len(repeated)} times, so it is a mask; "
            "write one row number (or item id) of a train item a line"
        )
    if not numbers:
        raise DataError(f"{path.name} is empty; write one row number (or item id) of a train item a line")
    return TrainList(tuple(numbers.values()), tuple(repeated), file.encoding)


def choose_reading(train: TrainList, ids: Sequence[int], known_ids: Collection[int], asked: TrainIds) -> ReadAs:
    """Whether the numbers of `train` are row numbers or movie ids: whichever every number fits.

    Where every number fits both ways and both ways name the same movies, they are read as row numbers.

    Args:
        train: the numbers.
        ids: ids of the movies that have a poster, in row order; a row number fits in [0, len(ids)).
        known_ids: ids of all movies in the table; ids that merely lack a poster still fit, so that a list of ids is
            never taken for row numbers because of one missing picture.
        asked: "rows" or "ids" settles it; "auto" decides.
    Raises:
        DataError: a number does not fit the reading that was asked for, or both or neither reading fits.
    """
    known = set(known_ids)
    no_row = next((number for number in train.numbers if not 0 <= number.value < len(ids)), None)
    no_id = next((number for number in train.numbers if number.value not in known), None)
    if asked == "rows" or (asked == "auto" and no_row is None and no_id is not None):
        if no_row is not None:
            raise DataError(f"{_names_row(no_row, len(ids))}; is it from another data set?")
        return "rows"
    if asked == "ids" or (no_id is None and no_row is not None):
        if no_id is not None:
            raise DataError(
                f"train.txt names item id {no_id.value} (line {no_id.line}) but no item has it; "
                "is it from another data set, or does it hold row numbers?"
            )
        return "ids"
    if no_row is not None and no_id is not None:
        raise DataError(
            f"{_names_row(no_row, len(ids))}, and no item has the id {no_id.value}; "
            f"is it from another data set? Once corrected, {_SETTLE}"
        )
    if all(ids[number.value] == number.value for number in train.numbers):
        return "rows"
    raise DataError(f"train.txt can be row numbers and item ids alike, as every number fits both; {_SETTLE}")


def _names_row(number: TrainNumber, movies: int) -> str:
    return f"train.txt names row {number.value} but the catalogue has {movies} items"


def read_train_rows(path: Path, movies: int) -> list[int]:
    """Rows of the train movies from a file like train.txt that names rows of a matrix of `movies` rows.

    Raises:
        DataError: no such file, something that is not a whole number, or a row that the matrix does not have.
    """
    train = read_train_file(path)
    outside = next((number for number in train.numbers if not 0 <= number.value < movies), None)
    if outside is not None:
        raise DataError(
            f"{path.name} names row {outside.value} (line {outside.line}) but D has {movies} rows; "
            "does it hold item ids? Then pass --data DIR, whose train.txt is read with the ids beside it"
        )
    return sorted(number.value for number in train.numbers)


def read_split_of(path: Path, ids: Sequence[int], read_as: ReadAs) -> tuple[list[int], ReadAs]:
    """Rows of the train movies from a file like train.txt that names rows or ids of a catalogue.

    Args:
        path: the file.
        ids: ids of the catalogue's movies in row order.
        read_as: the reading where every number fits both: that of the catalogue's own list.
    Returns:
        Sorted rows, and the reading.
    Raises:
        DataError: no such file, or numbers that fit neither.
    """
    train, row_of = read_train_file(path), {one: row for row, one in enumerate(ids)}
    numbers = [number.value for number in train.numbers]
    fits: dict[ReadAs, bool] = {
        "rows": all(0 <= number < len(ids) for number in numbers),
        "ids": all(number in row_of for number in numbers),
    }
    if not any(fits.values()):
        raise DataError(
            f"{path.name}: its numbers are neither all rows (0 to {len(ids) - 1}) nor all ids of the data; "
            "is it from another data set?"
        )
    chosen = read_as if fits[read_as] else next(reading for reading, fit in fits.items() if fit)
    return sorted(row_of[number] if chosen == "ids" else number for number in numbers), chosen
