"""Reading text files and CSV tables: encodings, stray columns and damaged lines, each with its place in the message."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cinealign.errors import DataError

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?[0-9](?:\.[0-9]{0,20})?[eE][+-]?[0-9]{1,2}", re.ASCII)


@dataclass(frozen=True)
class TextFile:
    """The text of a file and the encoding it was read in ("utf-8", "utf-8 with BOM" or "latin-1")."""

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
    """The text of `path`, as UTF-8 (with or without a byte order mark), else as latin-1, which never fails.

    Raises:
        DataError: the file cannot be read or holds NUL bytes (UTF-16, or not a text file at all).
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror or error}; check the file's rights") from None
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise DataError(f"{path.name} is UTF-16; save it as UTF-8")
    if b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        raise DataError(
            f"{path.name} line {line}: holds a NUL byte, so it is damaged or not text; save it as UTF-8 text"
        )
    if raw.startswith(b"\xef\xbb\xbf"):
        raw, encoding = raw[3:], "utf-8 with BOM"
    else:
        encoding = "utf-8"
    try:
        return TextFile(path.name, raw.decode("utf-8"), encoding)
    except UnicodeDecodeError:
        return TextFile(path.name, raw.decode("latin-1"), "latin-1")


def read_table(path: Path) -> Table:
    """The CSV table in `path`, split at commas; blank lines are skipped, cells keep their text as it is.

    Raises:
        DataError: an empty file, a line with too few or too many cells, an open quote, or a column named twice.
    """
    file = read_text(path)
    # The limit is the process's and guards nothing here, as the text is in memory already; a long intro must pass.
    csv.field_size_limit(max(csv.field_size_limit(), len(file.text) + 1))
    reader = csv.reader(io.StringIO(file.text, newline=""), strict=True)
    header: tuple[str, ...] | None = None
    rows: list[Row] = []
    number, line = 0, 1
    try:
        for cells in reader:
            number += 1
            if any(cell.strip() for cell in cells):
                if header is None:
                    header = _header(file.name, cells)
                else:
                    rows.append(Row(number, _record(file.name, line, cells, len(header))))
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{file.name} line {line}: not valid CSV ({error}); look for a quote that is not closed"
        ) from None
    if header is None:
        raise DataError(f"{file.name} is empty; expected a header line and one row an item")
    return Table(file.name, file.encoding, header, tuple(rows))


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


def _header(name: str, cells: list[str]) -> tuple[str, ...]:
    titles = [_plain(cell) for cell in cells]
    for title in titles:
        if title and titles.count(title) > 1:
            raise DataError(f"{name}: two columns are named {title!r}; rename or remove one")
    if len(titles) == 1 and (separator := next((mark for mark in ";\t|" if mark in titles[0]), "")):
        raise DataError(f"{name}: columns are separated by {separator!r}; save it with commas")
    return tuple(cells)


def _record(name: str, line: int, cells: list[str], width: int) -> tuple[str, ...]:
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        raise DataError(
            f"{name} line {line}: {len(cells)} cells where the header has {width}; "
            "put a text that holds a comma in double quotes"
        )
    return tuple(cells[:width])
