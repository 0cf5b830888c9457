"""Excel workbooks (.xlsx): the first sheet, or the one that is named."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cinealign.data.importing.source import HeadedTable, needed_package
from cinealign.errors import DataError

MAX_UNPACKED_BYTES = 2_000_000_000
"""A workbook is a zip archive; one that would unpack to more is refused before it is read."""


class ExcelTable(HeadedTable):
    """A sheet whose first row names the columns; numbers and dates stay what they are, and formulas count by the
    values that were saved with them.
    """

    def __init__(self, path: Path, sheet: str | None) -> None:
        self.path, self.folder = path, path.parent
        self._openpyxl = needed_package("openpyxl", "reading Excel")
        self._check_archive()
        workbook = self._workbook()
        try:
            names = [name for name in workbook.sheetnames if name in {each.title for each in workbook.worksheets}]
        finally:
            workbook.close()
        if sheet is not None and sheet not in names:
            raise DataError(f"{path.name} has no sheet {sheet!r}; its sheets are: {', '.join(names)}")
        self._sheet = sheet or names[0]
        self._read_header(f"{path.name}, sheet {self._sheet!r}")
        others = f", the first of {len(names)}; --sheet takes another" if len(names) > 1 and sheet is None else ""
        self.described = f"Excel, sheet {self._sheet!r}{others}"

    def _records(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        workbook = self._workbook()
        try:
            for number, cells in enumerate(workbook[self._sheet].iter_rows(values_only=True), start=1):
                if any(cell is not None and str(cell).strip() for cell in cells):
                    yield number, cells
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
