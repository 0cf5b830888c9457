"""Tables that are text: CSV, TSV and their kin."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from cinealign.data.dialect import check_width, decide_dialect, read_cells
from cinealign.data.encodings import check_encoding, find_encoding
from cinealign.data.importing.source import HeadedTable
from cinealign.errors import DataError


class DelimitedTable(HeadedTable):
    """A CSV or TSV file, in the layout that `dialect.decide_dialect` finds; rows count as spreadsheets do.

    Args:
        path: the file.
        encoding: None finds it.
        quoting: one of `dialect.QUOTINGS`; None finds it.
        header: whether the first row names the columns; None decides, and refuses a row that looks like an item.
    """

    def __init__(
        self, path: Path, encoding: str | None, *, quoting: str | None = None, header: bool | None = None
    ) -> None:
        self.path, self.folder = path, path.parent
        self._encoding = check_encoding(encoding) if encoding else find_encoding(path)
        csv.field_size_limit(max(csv.field_size_limit(), path.stat().st_size + 1))  # a long text must pass
        tabs = path.suffix.lower() in (".tsv", ".tab")
        self._dialect = decide_dialect(path.name, self._lines, tabs=tabs, quoting=quoting)
        self._read_header(path.name, header)
        self.described = f"{self._dialect.described()}, {self._encoding}{self._without_header()}"

    def _lines(self) -> Iterator[str]:
        yield from decoded_lines(self.path, self._encoding, newline="")

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        width: int | None = None
        try:
            for record in read_cells(self._lines(), self._dialect):
                cells = record.cells
                if width is None:
                    cells = ["", *cells] if self._dialect.row_names else cells
                    width = len(cells)
                check_width(self.path.name, record, width - (cells is not record.cells), self._dialect.separator)
                yield record.number, cells
        except csv.Error as error:  # the whole file was read before, so it has changed since
            raise DataError(f"{self.path.name} is not valid CSV any more ({error}); import it again") from None


def decoded_lines(path: Path, encoding: str, *, newline: str | None = None) -> Iterator[str]:
    """The lines of a text file.

    Raises:
        DataError: a line is not of that encoding; the message names it.
    """
    number = 0
    try:
        with path.open(encoding=encoding, newline=newline) as file:
            for line in file:
                number += 1
                yield line
    except UnicodeError as error:
        where = f"near line {number + 1}" if number else "from its beginning"
        said = " ".join(str(error).split())[:120]
        raise DataError(f"{path.name} cannot be read as {encoding} {where}: {said}; try --encoding") from None
