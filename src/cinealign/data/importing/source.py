"""A table to import from, whatever its format: named columns, and rows that are read one after another."""

from __future__ import annotations

import base64
import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from cinealign.data.tables import whole_number
from cinealign.errors import DataError

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".avif")
"""Endings of picture files that can be read, in lower case."""
_LOOKED_AT = 20


@dataclass(frozen=True)
class Record:
    """One row: its number in the source, counted as `Source.place` says, and the values of the columns asked for."""

    number: int
    values: dict[str, Any]


class Source(ABC):
    """A table that can be read again and again, a row at a time.

    Attributes:
        path: the file or folder that was named.
        folder: where relative picture paths start.
        described: format, encoding and the like, for the user.
        columns: the columns' names, in their order.
        count: how many rows there are.
        notes: what else was understood, for the user.
    """

    notes: tuple[str, ...] = ()

    path: Path
    folder: Path
    described: str
    columns: tuple[str, ...]
    count: int

    @abstractmethod
    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """The rows in order, with the values of `columns` (None: of all), as plain Python values.

        Raises:
            DataError: the file is damaged; the message says where.
        """

    def place(self, number: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.path.name} row {number}"


class HeadedTable(Source):
    """A table whose first row names the columns: a subclass gives the rows, and this finds what they hold."""

    @abstractmethod
    def _records(self) -> Iterator[tuple[int, Sequence[Any]]]:
        """Number and cells of every row that holds anything, the header first."""

    def _read_header(self, where: str, header: bool | None = None) -> None:
        """Find columns and count.

        Args:
            where: the table's name, for messages.
            header: whether the first row names the columns; None refuses one that looks like an item.
        """
        self._headed = header is not False
        first = list(itertools.islice(self._records(), _LOOKED_AT + 1))
        if not first:
            raise DataError(f"{where} is empty; expected the columns' names in its first row and one row an item")
        if header is None and (cell := item_in_header(first[0][1], [cells for _, cells in first[1:]])) is not None:
            raise DataError(
                f"{where} row {first[0][0]} holds {cell[:60]!r} where a column's name belongs; give a first row with "
                "names, or pass --no-header if it is an item, or --header if it is a name"
            )
        names = first[0][1] if self._headed else [f"column {place}" for place in range(1, len(first[0][1]) + 1)]
        self._titles = checked_columns(self.path.name, names)
        self.columns = tuple(title for title in self._titles if title)
        self.count = sum(1 for _ in self.rows([]))

    def _without_header(self) -> str:
        return "" if self._headed else ", without a header"

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """The rows, empty ones passed over; None for cells that a short row lacks."""
        wanted = self.columns if columns is None else columns
        places = {title: place for place, title in enumerate(self._titles) if title in wanted}
        records = self._records()
        if self._headed:
            next(records)
        for number, cells in records:
            yield Record(number, {t: cells[p] if p < len(cells) else None for t, p in places.items()})


def item_in_header(header: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str | None:
    """The first cell of a header that is no name: a picture's path, a number among numbers, a long text among such.

    Numbers that count the columns, as pandas names them, are names.
    """
    titles = [cell_text(cell).strip() for cell in header]
    numbers = [whole_number(title) for title in titles if title]
    counted = numbers == list(range(len(numbers))) or numbers == list(range(1, len(numbers) + 1))
    for place, title in enumerate(titles):
        below = [cell_text(row[place]).strip() for row in rows if place < len(row)]
        if title.lower().endswith(PICTURE_SUFFIXES) or title.lower().startswith("data:image/"):
            return title
        if (
            not counted
            and whole_number(title) is not None
            and below
            and all(whole_number(c) is not None for c in below)
        ):
            return title
        long = len(title) >= 40 and len(title.split()) >= 6 and not title.endswith(("?", ":", "？", "："))
        if long and below and sum(map(len, below)) / len(below) > len(title) / 2:
            return title
    return None


def cell_text(value: Any, join: str = " ") -> str:
    """A cell as text: whole floats without their ".0", dates as ISO 8601, parts of a list joined; else nothing.

    Bytes are text where they are UTF-8. Structures, None and NaN give the empty text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() and abs(value) < 2**53 else str(value)
    if isinstance(value, Decimal):
        return "" if value.is_nan() else str(int(value)) if value == value.to_integral_value() else f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (timedelta, UUID)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            return ""
    if isinstance(value, (list, tuple)):
        return join.join(part for element in value if (part := cell_text(element, join).strip()))
    return ""


def kept_text(value: Any) -> str:
    """A cell of a column that is kept as it is: plain values as `cell_text`, lists with "|", structures as JSON."""
    if isinstance(value, (list, tuple)):
        parts = [cell_text(each) for each in value]
        if all(isinstance(each, str) and each and "|" not in each for each in value):
            return "|".join(parts)
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, ensure_ascii=False, default=_told)
    if isinstance(value, (bytes, bytearray)) and not cell_text(value):
        return base64.b64encode(value).decode()
    return cell_text(value)


def _told(value: Any) -> str:
    return cell_text(value) or base64.b64encode(value).decode()


def needed_package(name: str, for_what: str) -> ModuleType:
    """The module `name` of the extra `data`.

    Raises:
        DataError: it is not installed.
    """
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        raise DataError(f"{for_what} needs {package}, which is missing; pip install 'cinealign[data]'") from None


def checked_columns(name: str, titles: Sequence[Any]) -> tuple[str, ...]:
    """Column titles as text, "" for one without a title.

    Raises:
        DataError: two columns have one title, or none has a title.
    """
    columns = tuple(cell_text(title).strip() for title in titles)
    for title in columns:
        if title and columns.count(title) > 1:
            raise DataError(f"{name}: two columns are named {title!r}; rename or remove one")
    if not any(columns):
        raise DataError(f"{name}: the first row names no column; put the columns' names there")
    return columns
