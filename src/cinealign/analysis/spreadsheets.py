"""The numbers of an analysis as flat tables, for a spreadsheet: the same values as in analysis.json."""

from __future__ import annotations

import csv
from pathlib import Path

from cinealign.analysis.downstream.spreadsheets import downstream_lines
from cinealign.analysis.lines import Lines
from cinealign.analysis.neighbours.spreadsheets import neighbour_lines
from cinealign.analysis.numbers import Findings
from cinealign.analysis.relation.spreadsheets import relation_lines


def spreadsheets(found: Findings) -> dict[str, Lines]:
    """Name -> rows with the same keys; a table whose part was skipped is left out."""
    tables = {
        **relation_lines(found.relation),
        **neighbour_lines(found.neighbours),
        **downstream_lines(found.downstream),
    }
    return {name: lines for name, lines in tables.items() if lines}


def write_table(lines: Lines, path: Path) -> None:
    """One CSV in UTF-8, a column for every key that any line has."""
    columns = list(dict.fromkeys(key for line in lines for key in line))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(lines)
