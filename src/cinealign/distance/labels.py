"""Labels of a foreign matrix: what its rows and columns are called, and the order that this asks for.

A D[i, j] pairs poster i with intro i by place. Where a file names its rows or columns, the names decide which item stands
at which place: rows and columns are put into the catalogue's order, or the matrix is refused. Nothing is scored in an
order that its own labels contradict.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.tables import listed, whole_number
from cinealign.errors import DataError
from cinealign.progress import say

Label = int | str
Places = NDArray[np.int64]
_AROUND = re.compile(r"(\D*)([0-9]{1,18})(\D*)", re.ASCII)


@dataclass(frozen=True)
class LabelledMatrix:
    """A matrix as a file has it.

    Attributes:
        values: (N, N) numbers in the file's order.
        rows, columns: N labels each; None where the file names none on that side.
        name: what the array is called inside the file; empty where it has no name.
    """

    values: NDArray[Any]
    rows: tuple[Label, ...] | None = None
    columns: tuple[Label, ...] | None = None
    name: str = ""


def as_labels(cells: Sequence[Any]) -> tuple[Label, ...]:
    """Labels as whole numbers where all of them are numbers in any common spelling, else as text.

    7, "7", "7.0", "007" and "movie_7.jpg" (with the same words around every number of a side) are all 7.
    """
    texts = [_text(cell) for cell in cells]
    numbers = [whole_number(text) for text in texts]
    if all(number is not None for number in numbers):
        return tuple(int(number) for number in numbers if number is not None)
    parts = [_AROUND.fullmatch(text) for text in texts]
    if all(part is not None for part in parts):
        found = [part.groups() for part in parts if part is not None]
        if len({(before, after) for before, _, after in found}) == 1:
            return tuple(int(number) for _, number, _ in found)
    return tuple(texts)


def ordered(matrix: LabelledMatrix, what: str, ids: Sequence[int] | NDArray[np.int64] | None) -> NDArray[Any]:
    """The values with rows and columns in one order: the catalogue's where `ids` is given, else the file's.

    Labels are item ids, or row numbers 0 to N - 1 as pandas writes them unasked. A matrix that had to be put in order is
    announced on stderr.

    Args:
        matrix: as the file has it, square.
        what: the file, for messages.
        ids: (N,) ids of the catalogue in row order; None where there is no catalogue.
    Raises:
        DataError: labels that repeat, are not those of the catalogue, or contradict each other.
    """
    sides = {"rows": matrix.rows, "columns": matrix.columns}
    labelled = {side: labels for side, labels in sides.items() if labels is not None}
    for side, labels in labelled.items():
        _check_distinct(labels, side, what)
    if not labelled:
        return matrix.values
    if ids is None:
        _check_without_catalogue(labelled, what)
        return matrix.values
    places = {side: places_of(labels, [int(one) for one in ids], side, what) for side, labels in labelled.items()}
    here = np.arange(len(matrix.values))
    moved = [side for side, place in places.items() if not np.array_equal(place, here)]
    if not moved:
        return matrix.values
    if len(labelled) == 1:
        other = "columns" if moved[0] == "rows" else "rows"
        raise DataError(
            f"{what}: its {moved[0]} are labelled in another order than the data and its {other} have no labels, so "
            f"their order is not known; save D with the ids on both sides"
        )
    say(f"{what}: {' and '.join(moved)} put into the order of the data by their labels")
    return matrix.values[np.ix_(places["rows"], places["columns"])]


def _text(cell: Any) -> str:
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", errors="replace")
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        cell = int(cell)
    return str(cell).strip()


def _check_distinct(labels: Sequence[Label], side: str, what: str) -> None:
    empty = sum(label == "" for label in labels)
    if empty:
        raise DataError(f"{what}: {empty} of its {side} have an empty label; label every one, or none")
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise DataError(f"{what}: {side} name {listed(twice, 3)} more than once; give each item one row and one column")


def places_of(labels: Sequence[Label], ids: Sequence[int], side: str, what: str) -> Places:
    """Where in the file each item of the catalogue stands.

    Args:
        labels: item ids, or row numbers 0 to N - 1, in the order of the file.
        ids: (N,) of the catalogue.
        side, what: which labels of which file, for messages.
    Raises:
        DataError: labels that repeat, are not those of the catalogue, or can be read in two ways.
    """
    _check_distinct(labels, side, what)
    at = {label: place for place, label in enumerate(labels)}
    by_id = np.array([at[one] for one in ids]) if set(ids) == set(at) else None
    by_row = np.array([at[row] for row in range(len(labels))]) if set(range(len(labels))) == set(at) else None
    if by_id is None and by_row is None:
        strange, missing = sorted(set(at) - set(ids), key=str), sorted(set(ids) - set(at))
        raise DataError(
            f"{what}: labels of its {side} are not the ids of the data: {len(strange)} are no item ({listed(strange, 3)}), "
            f"{len(missing)} items have none ({listed(missing, 3)}); is it from another data set?"
        )
    if by_id is not None and by_row is not None and not np.array_equal(by_id, by_row):
        raise DataError(
            f"{what}: labels of its {side} can be item ids and row numbers alike, and the two name different items; "
            "save D in the order of the data without labels"
        )
    found = by_id if by_id is not None else by_row
    assert found is not None
    return found


def _check_without_catalogue(labelled: dict[str, tuple[Label, ...]], what: str) -> None:
    """Refuse where the order of the file cannot be the order that row numbers of train.txt count."""
    remedy = "pass --data DIR to have it put in order, or save it in the order of the data"
    for side, labels in labelled.items():
        numbers = [label for label in labels if isinstance(label, int)]
        rising = sorted(numbers)
        if len(numbers) < len(labels) or numbers == rising:
            continue
        if rising == list(range(len(numbers))):
            raise DataError(f"{what}: its {side} are labelled with row numbers in another order; {remedy}")
        if numbers == sorted(numbers, key=str):
            raise DataError(
                f"{what}: its {side} are sorted as text ({listed(numbers, 3)}), and the rows that train.txt names are "
                f"most likely counted in another order; {remedy}"
            )
    if len(labelled) < 2:
        return
    rows, columns = labelled["rows"], labelled["columns"]
    in_turn = tuple(range(len(rows)))
    if rows == columns or in_turn in (rows, columns):
        return
    place = next(place for place, (one, other) in enumerate(zip(rows, columns, strict=True)) if one != other)
    differ = "the same labels in different orders" if set(rows) == set(columns) else "different labels"
    raise DataError(
        f"{what}: rows and columns have {differ} (at place {place} row {rows[place]}, column {columns[place]}); {remedy}"
    )
