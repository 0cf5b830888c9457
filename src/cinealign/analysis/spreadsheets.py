"""The numbers of an analysis as flat tables, for a spreadsheet: the same values as in analysis.json."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cinealign.analysis.downstream.spreadsheets import downstream_lines
from cinealign.analysis.lines import Lines
from cinealign.analysis.neighbours.spreadsheets import neighbour_lines
from cinealign.analysis.relation.spreadsheets import relation_lines


def spreadsheets(numbers: Mapping[str, Any]) -> dict[str, Lines]:
    """Name -> rows with the same keys; a table whose part was skipped is left out."""
    found = {
        **relation_lines(numbers["relation"]),
        **neighbour_lines(numbers["neighbours"]),
        **downstream_lines(numbers["downstream"]),
    }
    return {name: lines for name, lines in found.items() if lines}


def write_table(lines: Lines, path: Path) -> None:
    """One CSV in UTF-8, a column for every key that any line has."""
    columns = list(dict.fromkeys(key for line in lines for key in line))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(lines)
