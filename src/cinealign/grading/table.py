"""grades.csv and index.html of a graded folder; columns that the teacher has added stay."""

from __future__ import annotations

import csv
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cinealign.errors import DataError
from cinealign.evaluation.metrics import DIRECTIONS
from cinealign.grading.judging import Judged

OURS = (
    *(
        "submission",
        "kind",
        "audit",
        "poster_to_intro",
        "intro_to_poster",
        "sum",
        "sum_low",
        "sum_high",
        "course_score",
    ),
    *(
        "held_out_poster_to_intro",
        "held_out_intro_to_poster",
        "sum_at_0.5",
        "claimed",
        "findings",
        "remarks",
        "resembles",
    ),
)
"""Columns that are written anew each time."""
THEIRS = ("points_solution", "points_analysis", "points_total", "comment")
"""Columns for the teacher; these and any other that he adds are kept."""


def write_grades(rows: Sequence[Judged], pairs: Sequence[tuple[Judged, Judged, str]], out: Path) -> list[str]:
    """Write `out`/grades.csv (UTF-8 with a mark, as Excel wants it) and `out`/index.html.

    Args:
        rows: the judged submissions.
        pairs: submissions that resemble each other, from `desk.alike`.
        out: folder, made where it is missing. A grades.csv in it gives the teacher's columns.
    Returns:
        Names of submissions in the old grades.csv that are gone; their rows stay, at the end.
    Raises:
        DataError: the old grades.csv cannot be read.
    """
    out.mkdir(parents=True, exist_ok=True)
    kept, extra = _teachers(out / "grades.csv")
    columns = [*OURS, *THEIRS, *(name for name in extra if name not in THEIRS)]
    table = [{**kept.pop(row.name, {}), **_cells(row, pairs)} for row in rows]
    gone = list(kept)
    table += [{"submission": name, "remarks": "no longer in the folder", **cells} for name, cells in kept.items()]
    beside = out / ".grades.csv.part"
    with beside.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows({name: _harmless(cells.get(name, "")) for name in columns} for cells in table)
    beside.replace(out / "grades.csv")
    (out / "index.html").write_text(_page(table, pairs), encoding="utf-8")
    return gone


def _cells(row: Judged, pairs: Sequence[tuple[Judged, Judged, str]]) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "submission": row.name,
        "kind": row.kind,
        "audit": row.verdict,
        "claimed": " ".join(f"{claim:.4f}" for claim in row.claims[-2:]),
        "findings": " | ".join(row.findings),
        "remarks": " | ".join(row.remarks),
        "resembles": " | ".join(
            f"{(other if one is row else one).name}: {said}" for one, other, said in pairs if row in (one, other)
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


def _page(table: Sequence[dict[str, Any]], pairs: Sequence[tuple[Judged, Judged, str]]) -> str:
    shown = [name for name in OURS if name != "resembles"]
    head = "".join(f"<th>{html.escape(name.replace('_', ' '))}</th>" for name in shown)
    lines = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cells.get(name, '')))}</td>" for name in shown) + "</tr>"
        for cells in table
    )
    resemble = "".join(
        f"<li>{html.escape(one.name)} and {html.escape(other.name)}: {html.escape(said)}</li>"
        for one, other, said in pairs
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Grades</title>
<style>body{{font:15px/1.4 system-ui,sans-serif;margin:2em}}table{{border-collapse:collapse}}
td,th{{border-bottom:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}}</style></head><body>
<h1>Submissions</h1>
<p>Accuracies are top 5 % of all items. An audit of PASS means that nothing was found, FAIL that an honest result cannot be so,
NOTE that numbers alone cannot tell. A finding is a reason to talk with the student.</p>
<table><thead><tr>{head}</tr></thead><tbody>
{lines}
</tbody></table>
<h2>Submissions that resemble each other</h2>
<ul>{resemble or "<li>none</li>"}</ul>
<p>Two students who use one public model without training have the same matrix honestly. Look at both files.</p>
</body></html>
"""
