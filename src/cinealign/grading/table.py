"""grades.csv of a graded folder, and the pages beside it; columns that the teacher has added stay."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cinealign.errors import DataError
from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.figures import Language
from cinealign.grading.index_page import OURS, index_page
from cinealign.grading.judging import Judged
from cinealign.grading.notebooks import Shared
from cinealign.grading.sheets import write_sheets
from cinealign.grading.words import said

THEIRS = ("points_solution", "points_analysis", "points_total", "comment")
"""Columns for the teacher; these and any other that he adds are kept."""


def write_grades(
    rows: Sequence[Judged],
    pairs: Sequence[tuple[Judged, Judged, str]],
    out: Path,
    lang: Language = "en",
    notebooks: Sequence[tuple[Judged, Judged, Shared]] = (),
) -> list[str]:
    """Write `out`/grades.csv (UTF-8 with a mark, as Excel wants it), `out`/index.html and a sheet for every student.

    Args:
        rows: the judged submissions.
        pairs: submissions that resemble each other, from `desk.alike`.
        out: folder, made where it is missing. A grades.csv in it gives the teacher's columns.
        lang: of the pages and of the cells; names of columns stay English, so that an older table is read again.
        notebooks: submissions whose notebooks share passages, from `desk.alike_notebooks`.
    Returns:
        Names of submissions in the old grades.csv that are gone; their rows stay, at the end.
    Raises:
        DataError: the old grades.csv cannot be read.
    """
    out.mkdir(parents=True, exist_ok=True)
    pairs = [*pairs, *((one, other, shared.line()) for one, other, shared in notebooks)]
    kept, extra = _teachers(out / "grades.csv")
    columns = [*OURS, *THEIRS, *(name for name in extra if name not in THEIRS)]
    table = [{**kept.pop(row.name, {}), **_cells(row, pairs, lang)} for row in rows]
    gone = list(kept)
    table += [
        {"submission": name, "remarks": said("no longer in the folder", lang), **cells} for name, cells in kept.items()
    ]
    beside = out / ".grades.csv.part"
    with beside.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows({name: _harmless(cells.get(name, "")) for name in columns} for cells in table)
    beside.replace(out / "grades.csv")
    sheets = write_sheets(rows, pairs, out, lang)
    (out / "index.html").write_text(index_page(table, pairs, sheets, lang, notebooks), encoding="utf-8")
    return gone


def _cells(row: Judged, pairs: Sequence[tuple[Judged, Judged, str]], lang: Language) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "submission": row.name,
        "kind": row.kind,
        "audit": row.verdict,
        "claimed": " ".join(f"{claim:.4f}" for claim in row.claims[-2:]),
        "findings": " | ".join(f"{said(one.strength, lang)}: {one.check}: {one.said}" for one in row.findings),
        "remarks": " | ".join(said(line, lang) for line in row.remarks),
        "resembles": " | ".join(
            f"{(other if one is row else one).name}: {said(told, lang)}"
            for one, other, told in pairs
            if row is one or row is other
        ),
    }
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


def _teachers(path: Path) -> tuple[dict[str, dict[str, str]], list[str]]:
    """The teacher's cells by submission, and the names of his columns."""
    if not path.exists():
        return {}, []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            lines, names = list(reader), list(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} cannot be read ({error}), and it may hold your points; move it or save it as UTF-8"
        ) from None
    if "submission" not in names:
        raise DataError(f"{path} has no column 'submission', and it may hold your points; move it")
    extra = [name for name in names if name not in OURS]
    return {_plain(line["submission"]): {name: _plain(line[name] or "") for name in extra} for line in lines}, extra


def _harmless(cell: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = " ".join(str(cell).split())
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) and text != "-" else text


def _plain(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell
