"""Reading text files and CSV tables: encodings, stray columns and damaged lines, each with its place in the message."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cinealign.data.dialect import Cells, Dialect, check_width, decide_whole, read_cells
from cinealign.data.encodings import find_encoding
from cinealign.errors import DataError

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?[0-9](?:\.[0-9]{0,20})?[eE][+-]?[0-9]{1,2}", re.ASCII)


@dataclass(frozen=True)
class TextFile:
    """The text of a file and the encoding it was read in ("utf-8", "utf-8 with BOM", "latin-1", "gb18030" ...)."""

    name: str
    text: str
    encoding: str


@dataclass(frozen=True)
class Row:
    """One record of a table. `number` counts as a spreadsheet does: the header is row 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A CSV file: its header as written, its records, and the encoding it was read in."""

    name: str
    encoding: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]

    def column(self, *names: str) -> int | None:
        """Place of the first of `names` that the header has, whatever its case; None if it has none of them."""
        known = [_plain(title) for title in self.header]
        return next((known.index(_plain(name)) for name in names if _plain(name) in known), None)


def read_text(path: Path) -> TextFile:
    """The text of `path`, in the encoding that `encodings.find_encoding` finds.

    Raises:
        DataError: the file cannot be read, is no text, or is in an encoding that cannot be told.
    """
    encoding = find_encoding(path)
    try:
        text = path.read_bytes().decode(encoding)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror or error}; check the file's rights") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path.name} line {line}: a byte that is not {encoding}; save the file as UTF-8") from None
    return TextFile(path.name, text, {"utf-8-sig": "utf-8 with BOM"}.get(encoding, encoding))


def read_table(path: Path) -> Table:
    """The CSV table in `path`, split at commas; blank lines are skipped, cells keep their text as it is.

    Raises:
        DataError: an empty file, a line with too few or too many cells, an open quote, or a column named twice.
    """
    file = read_text(path)
    # The limit is the process's and guards nothing here, as the text is in memory already; a long intro must pass.
    csv.field_size_limit(max(csv.field_size_limit(), len(file.text) + 1))
    records: list[Cells] = []
    try:
        for record in read_cells(io.StringIO(file.text, newline=""), Dialect()):
            if records:
                check_width(file.name, record, len(records[0].cells), ",")
            else:
                _check_header(file.name, record.cells)
            records.append(record)
    except csv.Error as error:
        line = records[-1].line + len(records[-1].lines) if records else 1
        raise DataError(
            f"{file.name} line {line}: not valid CSV ({error}); look for a quote that is not closed"
        ) from None
    if not records:
        raise DataError(f"{file.name} is empty; expected a header line and one row an item")
    decide_whole(file.name, records)
    header, width = tuple(records[0].cells), len(records[0].cells)
    rows = tuple(Row(record.number, tuple(record.cells[:width])) for record in records[1:])
    return Table(file.name, file.encoding, header, rows)


def whole_number(text: str) -> int | None:
    """The integer written in `text`; also "17.0" and "1.7e+01", as numpy and pandas write them; None if it is none."""
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return int(text.partition(".")[0])
    if _SCIENTIFIC.fullmatch(text):
        value = float(text)
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    return None


def listed(names: Iterable[object], most: int = 5) -> str:
    """The first `most` names with commas between, then how many are left unsaid."""
    every = [str(name) for name in names]
    said = ", ".join(every[:most])
    return f"{said} and {len(every) - most:,} more" if len(every) > most else said


def _plain(title: str) -> str:
    return title.strip().lower().replace(" ", "_")


def _check_header(name: str, cells: list[str]) -> None:
    titles = [_plain(cell) for cell in cells]
    for title in titles:
        if title and titles.count(title) > 1:
            raise DataError(f"{name}: two columns are named {title!r}; rename or remove one")
    if len(titles) == 1 and (separator := next((mark for mark in ";\t|" if mark in titles[0]), "")):
        raise DataError(f"{name}: columns are separated by {separator!r}; save it with commas")
