"""Excel workbooks (.xlsx): the first sheet, or the one that is named."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cinealign.data.importing.source import HeadedTable, needed_package
from cinealign.errors import DataError

_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"})
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
MAX_UNPACKED_BYTES = 2_000_000_000
"""A workbook is a zip archive; one that would unpack to more is refused before it is read."""


class ExcelTable(HeadedTable):
    """A sheet whose first row names the columns; numbers and dates stay what they are, and formulas count by the
    values that were saved with them.
    """

    def __init__(self, path: Path, sheet: str | None, *, header: bool | None = None) -> None:
        self.path, self.folder = path, path.parent
        self._openpyxl = needed_package("openpyxl", "reading Excel")
        self._check_archive()
        workbook = self._workbook()
        try:
            names = [each.title for each in workbook.worksheets]
            seen = [each.title for each in workbook.worksheets if each.sheet_state == "visible"] or names
        finally:
            workbook.close()
        if sheet is not None and sheet not in names:
            raise DataError(f"{path.name} has no sheet {sheet!r}; its sheets are: {', '.join(names)}")
        if not names:
            raise DataError(f"{path.name} has no sheet with cells; save it again")
        self._sheet = sheet or seen[0]
        self._read_header(f"{path.name}, sheet {self._sheet!r}", header)
        hidden = " that is not hidden" if names[0] != seen[0] else ""
        others = (
            f", the first of {len(names)}{hidden}; --sheet takes another" if len(names) > 1 and sheet is None else ""
        )
        self.described = f"Excel, sheet {self._sheet!r}{others}{self._without_header()}"

    def _records(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        workbook = self._workbook()
        try:
            sheet = workbook[self._sheet]
            sheet.reset_dimensions()  # what a file says of its size is often wrong, and rows beyond it would vanish
            for number, cells in enumerate(_each(self.path, sheet.iter_rows(values_only=True)), start=1):
                if any(cell is not None and str(cell).strip() for cell in cells):
                    yield number, tuple(map(_meant, cells))
        finally:
            workbook.close()

    def _workbook(self) -> Any:
        try:
            return self._openpyxl.load_workbook(self.path, read_only=True, data_only=True)
        except Exception as error:  # on damaged files the reader raises errors of many kinds
            said = " ".join(str(error).split())[:120]
            raise DataError(f"{self.path.name} is no Excel workbook or damaged ({said}); save it again") from None

    def _check_archive(self) -> None:
        try:
            with zipfile.ZipFile(self.path) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, OSError) as error:
            raise DataError(f"{self.path.name} is no Excel workbook (.xlsx): {error}; save it again") from None
        if unpacked > MAX_UNPACKED_BYTES:
            raise DataError(f"{self.path.name} unpacks to more than {MAX_UNPACKED_BYTES:,} bytes; save it as CSV")


def _each(path: Path, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    iterator = iter(rows)
    while True:
        try:
            cells = next(iterator, None)
        except Exception as error:  # damaged sheets raise errors of many kinds
            said = " ".join(str(error).split())[:120]
            raise DataError(f"{path.name} is damaged ({said}); save it again") from None
        if cells is None:
            return
        yield cells


def _meant(value: Any) -> Any:
    """A cell as its reader sees it: `_x000D_` stands for a control character, and an error is nothing."""
    if not isinstance(value, str):
        return value
    if value in _ERRORS:
        return None
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "_x" in value else value
