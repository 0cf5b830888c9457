"""Tables that are text: CSV and TSV, JSON lines and JSON."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cinealign.data.importing.source import HeadedTable, Record, Source
from cinealign.errors import DataError

SEPARATORS = {",": "','", "\t": "tabs", ";": "';'", "|": "'|'"}
_CHUNK = 1 << 20


class DelimitedTable(HeadedTable):
    """A CSV or TSV file. The separator is the one that its first line has most of; rows count as spreadsheets do."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        self.path, self.folder = path, path.parent
        self._encoding = encoding or text_encoding(path)
        first = next(self._lines(), "")
        tabs = path.suffix.lower() in (".tsv", ".tab")
        self._separator = "\t" if tabs else max(SEPARATORS, key=first.count)
        csv.field_size_limit(max(csv.field_size_limit(), path.stat().st_size + 1))  # a long text must pass
        self._read_header(path.name)
        self.described = f"separated by {SEPARATORS[self._separator]}, {self._encoding}"

    def _check_row(self, number: int, cells: Sequence[Any]) -> None:
        if len(cells) < len(self._titles) or any(cell.strip() for cell in cells[len(self._titles) :]):
            raise DataError(
                f"{self.place(number)}: {len(cells)} cells where the header has {len(self._titles)}; "
                f"put a text that holds {SEPARATORS[self._separator]} in double quotes"
            )

    def _lines(self) -> Iterator[str]:
        try:
            with self.path.open(encoding=self._encoding, newline="") as file:
                yield from file
        except (UnicodeDecodeError, LookupError) as error:
            raise DataError(f"{self.path.name} cannot be read as {self._encoding}: {error}; try --encoding") from None

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        number, reader = 0, csv.reader(self._lines(), delimiter=self._separator, strict=True)
        try:
            for cells in reader:
                number += 1
                if any(cell.strip() for cell in cells):
                    yield number, cells
        except csv.Error as error:
            raise DataError(
                f"{self.place(number + 1)} (line {reader.line_num}): not valid CSV ({error}); look for an open quote"
            ) from None


class JsonTable(Source):
    """One JSON object a line (.jsonl), or one array of objects (.json); the keys are the columns."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        self.path, self.folder = path, path.parent
        self._encoding = encoding or text_encoding(path)
        self._array = path.suffix.lower() == ".json"
        columns: dict[str, None] = {}
        self.count = 0
        for _, entry in self._entries():
            self.count += 1
            columns.update(dict.fromkeys(entry))
        self.columns = tuple(columns)
        if not self.columns:
            raise DataError(f"{path.name} is empty; expected one JSON object an item")
        self.described = f"{'one array' if self._array else 'one object a line'}, {self._encoding}"

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Record]:
        """The rows; a key that an object lacks is None."""
        wanted = self.columns if columns is None else columns
        for number, entry in self._entries():
            yield Record(number, {title: entry.get(title) for title in wanted})

    def place(self, number: int) -> str:
        """The line, or the place in the array."""
        return f"{self.path.name} {'object' if self._array else 'line'} {number}"

    def _entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, text in self._pieces():
            try:
                entry = text if self._array else json.loads(text)
            except (ValueError, RecursionError):
                raise DataError(f"{self.place(number)} is not valid JSON; expected an object a line") from None
            if not isinstance(entry, dict):
                raise DataError(f'{self.place(number)} is no object; expected {{"column": value, ...}}')
            yield number, entry

    def _pieces(self) -> Iterator[tuple[int, Any]]:
        try:
            with self.path.open(encoding=self._encoding) as file:
                if not self._array:
                    yield from ((number, line) for number, line in enumerate(file, start=1) if line.strip())
                    return
                try:
                    content = json.load(file)
                except (json.JSONDecodeError, RecursionError):
                    raise DataError(f"{self.path.name} is not valid JSON; expected an array of objects") from None
        except (UnicodeDecodeError, LookupError) as error:
            raise DataError(f"{self.path.name} cannot be read as {self._encoding}: {error}; try --encoding") from None
        if not isinstance(content, list):
            raise DataError(f"{self.path.name} is no array; expected [{{...}}, ...], or one object a line as .jsonl")
        yield from enumerate(content, start=1)


def text_encoding(path: Path) -> str:
    """The encoding of a text file, by Python's name: UTF-8 or UTF-16 where it is that, else GB 18030 or latin-1.

    In a file that is no UTF-8, bytes above 127 stand in pairs if it is Chinese, and mostly alone if it is European. A
    file in another encoding (Big5, Shift JIS ...) is not recognised; the report says what was taken.

    Raises:
        DataError: the file cannot be read, or holds NUL bytes and is thus no text.
    """
    utf8, alone, together, before = codecs.getincrementaldecoder("utf-8")(), 0, 0, False
    first, valid = b"", True
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                first = first or chunk[:4]
                if first.startswith((b"\xff\xfe", b"\xfe\xff")):
                    return "utf-16"
                if b"\0" in chunk:
                    raise DataError(f"{path.name} holds NUL bytes, so it is damaged or not text; save it as UTF-8 text")
                if valid:
                    try:
                        utf8.decode(chunk)
                    except UnicodeDecodeError:
                        valid = False
                lone, paired, before = _high_bytes(chunk, before)
                alone, together = alone + lone, together + paired
            if valid:
                utf8.decode(b"", final=True)
    except UnicodeDecodeError:
        valid = False
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror or error}; check the file's rights") from None
    if valid:
        return "utf-8-sig" if first.startswith(codecs.BOM_UTF8) else "utf-8"
    return "gb18030" if together > 4 * alone else "latin-1"


def _high_bytes(chunk: bytes, before: bool) -> tuple[int, int, bool]:
    """How many bytes above 127 stand alone, how many beside another one, and whether the chunk ends with one."""
    import numpy as np

    high = np.concatenate([[before], np.frombuffer(chunk, dtype=np.uint8) > 127, [False]])
    inner = high[1:-1]
    paired = int((inner & (high[:-2] | high[2:])).sum())
    return int(inner.sum()) - paired, paired, bool(inner[-1])
