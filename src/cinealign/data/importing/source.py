"""A table to import from, whatever its format: named columns, and rows that are read one after another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from cinealign.errors import DataError


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
    """

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

    def _read_header(self, where: str) -> None:
        """Find columns and count; `where` is the table's name, for messages."""
        header = next(self._records(), None)
        if header is None:
            raise DataError(f"{where} is empty; expected the columns' names in its first row and one row an item")
        self._titles = checked_columns(self.path.name, header[1])
        self.columns = tuple(title for title in self._titles if title)
        self.count = sum(1 for _ in self.rows([]))

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """The rows, empty ones passed over; None for cells that a short row lacks."""
        wanted = self.columns if columns is None else columns
        places = {title: place for place, title in enumerate(self._titles) if title in wanted}
        records = self._records()
        next(records)
        for number, cells in records:
            self._check_row(number, cells)
            yield Record(number, {t: cells[p] if p < len(cells) else None for t, p in places.items()})

    def _check_row(self, number: int, cells: Sequence[Any]) -> None:
        """Refuse a row that does not fit the header, where the format allows none."""


def cell_text(value: Any, join: str = " ") -> str:
    """A cell as text: whole floats without their ".0", dates as ISO 8601, parts of a list joined; else nothing.

    Pictures, structures, None and NaN give the empty text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() and abs(value) < 2**53 else str(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return join.join(part for element in value if (part := cell_text(element).strip()))
    return ""


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
