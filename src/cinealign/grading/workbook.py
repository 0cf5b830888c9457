"""grades.xlsx: the table for Excel, with numbers as numbers; the teacher's formulas and further sheets stay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cinealign.grading.teachers import NUMBER, SHEET, WORKBOOK, Teachers
from cinealign.out import whole_file

WIDTHS = {"submission": 20, "findings": 60, "remarks": 50, "resembles": 40, "comment": 40}
WIDTH = 14
COLOURS = {"FAIL": "F8D7DA", "NOTE": "FFF3CD"}
"""Of the audit's cell."""
LONGEST = 32_767
"""Characters that a cell of Excel holds."""


def write_workbook(
    out: Path, columns: Sequence[str], table: Sequence[dict[str, Any]], sheets: Sequence[str], teachers: Teachers
) -> None:
    """Write `out`/grades.xlsx beside and put it in its place.

    Args:
        out: the folder.
        columns: names of columns in order.
        table: cells as text by column.
        sheets: addresses of the sheets of the first rows.
        teachers: whose formulas are put where they now belong.
    Raises:
        ConfigError: the file is open elsewhere and cannot be replaced.
    """
    import openpyxl
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    path = out / WORKBOOK
    book = openpyxl.load_workbook(path) if path.exists() else openpyxl.Workbook()
    new = SHEET not in book.sheetnames
    page = book[SHEET] if not new else book.worksheets[0]
    if new:
        page.title = SHEET
    page.delete_rows(1, page.max_row)
    for at, name in enumerate(columns, 1):
        page.cell(1, at, name).font = Font(bold=True)
        if new:
            page.column_dimensions[get_column_letter(at)].width = WIDTHS.get(name, WIDTH)
    for number, cells in enumerate(table, 2):
        for at, name in enumerate(columns, 1):
            cell = page.cell(number, at)
            formula = teachers.formulas.get((str(cells.get("submission", "")), name))
            if formula is not None:
                cell.value = _moved(formula.text, formula.cell, cell.coordinate)
                continue
            _put(cell, str(cells.get(name, "")), as_number=name != "submission")
            cell.alignment = Alignment(vertical="top", wrap_text=name in WIDTHS)
            if name == "audit" and cell.value in COLOURS:
                cell.fill = PatternFill("solid", start_color=COLOURS[cell.value])
            if name == "submission" and number - 2 < len(sheets):
                cell.hyperlink = sheets[number - 2]
                cell.font = Font(color="0000EE", underline="single")
    page.freeze_panes = "B2"
    page.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{max(2, len(table) + 1)}"
    with whole_file(path, advice="close it in Excel and grade again") as beside:
        book.save(beside)


def _put(cell: Any, text: str, *, as_number: bool) -> None:
    """A value that Excel takes for a number or for text, never for a formula."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if as_number and NUMBER.fullmatch(text):
        cell.value = float(text) if "." in text else int(text)
        if "." in text:
            cell.number_format = "0." + "0" * len(text.partition(".")[2])
        return
    text = ILLEGAL_CHARACTERS_RE.sub("?", text)[:LONGEST]
    if text:
        cell.value = text
        cell.data_type = "s"


def _moved(formula: str, was: str, now: str) -> str:
    """The formula with its references counted from another cell."""
    from openpyxl.formula.translate import Translator

    try:
        return str(Translator(formula, origin=was).translate_formula(now))
    except Exception:  # what openpyxl cannot read stays as it was written
        return formula
