"""The teacher's own columns, which he fills in grades.csv or grades.xlsx, whichever he likes, and which are kept.

teachers.json holds what these columns held when both tables were last written. So it is known which of the two he has
changed since, cell by cell; only where both were changed, and differently, he is asked.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cinealign.errors import DataError
from cinealign.grading.index_page import OURS
from cinealign.out import write_whole

THEIRS = ("points_solution", "points_analysis", "points_total", "comment")
"""Columns for the teacher; these and any other that he adds are kept."""
TABLE, WORKBOOK, BASE = "grades.csv", "grades.xlsx", "teachers.json"
SHEET = "grades"
"""Of the workbook; others in it are the teacher's and stay."""
MARKS = (",", ";", "\t")
"""Between the cells of a table that a spreadsheet has saved, by the country it is set to."""
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?", re.ASCII)
Cells = dict[str, dict[str, str]]
"""By submission, then by column."""


@dataclass(frozen=True)
class Formula:
    """A formula of the teacher's workbook and the cell it stood in, as in E7."""

    text: str
    cell: str


@dataclass(frozen=True)
class Teachers:
    """What the teacher has written.

    Attributes:
        columns: names, those of `THEIRS` first.
        cells: values as text; of a formula its last result.
        formulas: by (submission, column).
    """

    columns: tuple[str, ...] = THEIRS
    cells: Cells = field(default_factory=dict)
    formulas: dict[tuple[str, str], Formula] = field(default_factory=dict)

    @classmethod
    def read(cls, out: Path) -> Teachers:
        """What stands in the tables of `out`; nothing where there are none.

        Raises:
            DataError: a table cannot be read, or both were changed in one cell and differ.
        """
        base = _base(out / BASE)
        workbook, formulas = _workbook(out / WORKBOOK)
        table = _with_names_of(workbook, _table(out / TABLE))
        tables = (table, workbook, base)
        every = [name for cells in tables for row in (cells or {}).values() for name in row]
        columns = list(dict.fromkeys((*THEIRS, *every)))
        names = dict.fromkeys(name for cells in tables for name in cells or {})
        found = {
            name: {
                column: _merged(out, name, column, [_cell(cells, name, column) for cells in (base, table, workbook)])
                for column in columns
            }
            for name in names
        }
        return cls(tuple(columns), found, formulas)

    def save(self, out: Path, names: Mapping[str, Any]) -> None:
        """Note in `out` what the columns of the submissions `names` hold, now that both tables say so."""
        kept = {name: self.cells[name] for name in names if any(self.cells.get(name, {}).values())}
        write_whole(out / BASE, (json.dumps(kept, ensure_ascii=False, indent=1) + "\n").encode())


def plain(value: Any) -> str:
    """A cell as text that is the same from either table: 55, "55", 55.0 and "55.00" are all 55."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    text = str(value).replace("\r\n", "\n").replace("\r", "\n").strip()
    if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@"):
        text = text[1:]
    if NUMBER.fullmatch(text) and "." in text:
        number = float(text)
        return str(int(number)) if number.is_integer() else repr(number)
    return text


def _name(value: Any) -> str:
    """The name of a submission; unlike points, 1.50 is not 1.5."""
    if not isinstance(value, str):
        return plain(value)
    text = value.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text


def _with_names_of(workbook: Cells | None, table: Cells | None) -> Cells | None:
    """The table with the names of the workbook: a spreadsheet that opens grades.csv makes 1 of 001 and saves it so."""
    if workbook is None or table is None:
        return table
    missing = workbook.keys() - table.keys()

    def restored(name: str) -> str:
        same = [] if name in workbook else [one for one in missing if _same_number(one, name)]
        return same[0] if len(same) == 1 else name

    return {restored(name): cells for name, cells in table.items()}


def _same_number(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _cell(cells: Cells | None, name: str, column: str) -> str | None:
    """None where the table, the row or the column is not there."""
    return None if cells is None else cells.get(name, {}).get(column)


def _merged(out: Path, name: str, column: str, found: list[str | None]) -> str:
    before, mine, other = found[0] or "", found[1], found[2]
    changed = [one for one in (mine, other) if one is not None and one != before]
    if len(set(changed)) > 1:
        raise DataError(
            f"{out / TABLE} has {changed[0][:40]!r} and {out / WORKBOOK} {changed[1][:40]!r} as {column} of {name}; "
            "make them equal, so that the right one is kept"
        )
    return changed[0] if changed else before


def _base(path: Path) -> Cells:
    if not path.exists():
        return {}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): {str(key): plain(cell) for key, cell in row.items()} for name, row in read.items()}
    except (OSError, ValueError, AttributeError):
        raise DataError(
            f"{path} cannot be read; remove it, then {TABLE} and {WORKBOOK} have to agree on your points"
        ) from None


def _table(path: Path) -> Cells | None:
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
        readers = [csv.DictReader(io.StringIO(text), delimiter=mark) for mark in MARKS]
        reader = next((one for one in readers if "submission" in (one.fieldnames or [])), readers[0])
        lines, names = list(reader), list(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read ({error}), and it may hold your points; move it or save it as UTF-8"
        ) from None
    if "submission" not in names:
        raise DataError(f"{path} has no column 'submission', and it may hold your points; move it")
    extra = [name for name in names if name and name not in OURS]
    point = "," if reader.reader.dialect.delimiter == ";" else "."
    return {
        _name(line["submission"]): {
            name: plain(_pointed(line[name], point)) for name in extra if line[name] is not None
        }
        for line in lines
    }


def _pointed(cell: str, point: str) -> str:
    """A number with a decimal point; where cells are parted by semicolons, spreadsheets write a comma."""
    pointed = cell.replace(point, ".")
    return pointed if NUMBER.fullmatch(pointed.strip()) else cell


def _workbook(path: Path) -> tuple[Cells | None, dict[tuple[str, str], Formula]]:
    """Values and formulas; a formula that was never computed since we wrote it has no value of its own."""
    if not path.exists():
        return None, {}
    import openpyxl

    try:
        written, computed = (openpyxl.load_workbook(path, data_only=only) for only in (False, True))
        name = SHEET if SHEET in written.sheetnames else written.sheetnames[0]
        rows, values = list(written[name].iter_rows()), list(computed[name].iter_rows(values_only=True))
    except Exception as error:  # zipfile, xml and openpyxl each raise their own on damage
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{path} cannot be read ({said}), and it may hold your points; move it") from None
    titles = [plain(value) for value in values[0]] if values else []
    if "submission" not in titles:
        raise DataError(f"{path} has no column 'submission' in its first row, and it may hold your points; move it")
    key = titles.index("submission")
    extra = [(at, title) for at, title in enumerate(titles) if title and title not in OURS]
    found: Cells = {}
    formulas = {}
    for cells, line in zip(rows[1:], values[1:], strict=True):
        if not (submission := _name(line[key])):
            continue
        found[submission] = {}
        for at, title in extra:
            cell = cells[at]
            if cell.data_type == "f":
                formulas[submission, title] = Formula(str(cell.value), cell.coordinate)
            if cell.data_type != "f" or line[at] is not None:
                found[submission][title] = plain(line[at])
    return found, formulas
