"""grades.csv and grades.xlsx of a graded folder, and the pages beside them; the teacher's own columns stay in both."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.figures import Language
from cinealign.grading.index_page import OURS, index_page
from cinealign.grading.judging import Judged
from cinealign.grading.notebooks import Shared
from cinealign.grading.pictures import resemblance_picture
from cinealign.grading.resemblance import correlations
from cinealign.grading.sheets import write_sheets
from cinealign.grading.teachers import NUMBER, TABLE, Teachers
from cinealign.grading.words import said
from cinealign.grading.workbook import write_workbook
from cinealign.out import whole_file, write_whole

LISTED = 5
"""Submissions that a cell names at most; index.html lists all."""


def write_grades(
    rows: Sequence[Judged],
    pairs: Sequence[tuple[Judged, Judged, str]],
    out: Path,
    lang: Language = "en",
    notebooks: Sequence[tuple[Judged, Judged, Shared]] = (),
) -> list[str]:
    """Write `out`/grades.csv (UTF-8 with a mark, as Excel wants it), grades.xlsx, index.html and a sheet for every student.

    Args:
        rows: the judged submissions.
        pairs: submissions that resemble each other, from `desk.alike`.
        out: folder, made where it is missing. Tables in it give the teacher's columns; see `teachers`.
        lang: of the pages and of the cells; names of columns stay English, so that an older table is read again.
        notebooks: submissions whose notebooks share passages, from `desk.alike_notebooks`.
    Returns:
        Names of submissions in the old tables that are gone; their rows stay, at the end.
    Raises:
        DataError: an old table cannot be read, or the two differ in what the teacher wrote.
    """
    out.mkdir(parents=True, exist_ok=True)
    picture = _picture(rows, pairs, notebooks, lang)
    pairs = [*pairs, *((one, other, shared.line()) for one, other, shared in notebooks)]
    teachers = Teachers.read(out)
    columns = [*OURS, *teachers.columns]
    kept = dict(teachers.cells)
    table = [{**kept.pop(" ".join(row.name.split()), {}), **_cells(row, pairs, lang)} for row in rows]
    gone = list(kept)
    table += [
        {"submission": name, "remarks": said("no longer in the folder", lang), **cells} for name, cells in kept.items()
    ]
    sheets = write_sheets(rows, pairs, out, lang)
    with whole_file(out / TABLE) as beside:  # both tables or neither: its rows take their place when the workbook has
        with beside.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows({name: _harmless(cells.get(name, "")) for name in columns} for cells in table)
        write_workbook(out, columns, table, sheets, teachers)
    teachers.save(out, teachers.cells)
    write_whole(out / "index.html", index_page(table, pairs, sheets, lang, notebooks, picture).encode())
    return gone


def _picture(
    rows: Sequence[Judged],
    pairs: Sequence[tuple[Judged, Judged, str]],
    notebooks: Sequence[tuple[Judged, Judged, Shared]],
    lang: Language,
) -> bytes:
    """Who resembles whom; empty where fewer than two have anything to compare."""
    at = {id(row): number for number, row in enumerate(row for row in rows if row.fingerprint or row.notebooks)}
    if len(at) < 2:
        return b""
    shown = [row for row in rows if id(row) in at]
    matrices, books = ([(at[id(one)], at[id(other)]) for one, other, _ in found] for found in (pairs, notebooks))
    return resemblance_picture([row.name for row in shown], correlations(shown), matrices, books, lang)


def _cells(row: Judged, pairs: Sequence[tuple[Judged, Judged, str]], lang: Language) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "submission": row.name,
        "kind": row.kind,
        "audit": row.verdict,
        "claimed": " ".join(f"{claim:.4f}" for claim in row.claims[-2:]),
        "findings": " | ".join(
            ": ".join(said(part, lang) for part in (one.strength, one.check, one.said)) for one in row.findings
        ),
        "remarks": " | ".join(said(line, lang) for line in row.remarks),
        "resembles": _resembles(row, pairs, lang),
    }
    cells = {name: " ".join(str(text).split()) for name, text in cells.items()}
    if row.metrics:
        low, high = row.metrics["intervals"]["acc_sum"]
        numbers = {
            **{direction: row.metrics[direction]["all"] for direction in DIRECTIONS},
            **{f"held_out_{direction}": row.metrics[direction]["held_out"] for direction in DIRECTIONS},
            "sum": row.metrics["acc_sum"],
            "sum_low": low,
            "sum_high": high,
            "sum_at_0.5": row.metrics["ratio_0.5"]["acc_sum"],
        }
        cells |= {name: "" if number is None else f"{number:.4f}" for name, number in numbers.items()}
        cells["course_score"] = f"{row.metrics['course_score']:.2f}"
    return cells


def _resembles(row: Judged, pairs: Sequence[tuple[Judged, Judged, str]], lang: Language) -> str:
    found = [(other if one is row else one, told) for one, other, told in pairs if row is one or row is other]
    shown = [f"{other.name}: {said(told, lang)}" for other, told in found[:LISTED]]
    return " | ".join([*shown, *([said(f"and {len(found) - LISTED} more", lang)] if len(found) > LISTED else [])])


def _harmless(cell: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(cell).strip()
    harmless = text == "-" or not text.startswith(("=", "+", "-", "@")) or NUMBER.fullmatch(text)
    return text if harmless else f"'{text}"
