"""The ladder's file: benchmarks/ladder.py writes it, a report reads it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cinealign.errors import DataError
from cinealign.out import whole_file

COLUMNS = ("step", "poster to intro", "intro to poster")
"""Accuracies on folds inside the train movies, the simplest step first."""
MADE_BY = "python benchmarks/ladder.py --data DIR --csv FILE.csv"


def write_ladder_file(file: Path, steps: Sequence[tuple[str, float, float]]) -> None:
    """Write one line a step: its name and its accuracies in both directions.

    Raises:
        ConfigError: the file cannot be written.
    """
    with whole_file(file) as beside, beside.open("w", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((step, f"{there:.4f}", f"{back:.4f}") for step, there, back in steps)


def read_ladder_file(file: Path) -> list[dict[str, Any]]:
    """The steps, each with its `COLUMNS`.

    Raises:
        DataError: the file cannot be read or holds something else.
    """
    try:
        lines = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
        if tuple(lines[0]) != COLUMNS:
            raise ValueError
        return [dict(zip(COLUMNS, (step, float(there), float(back)), strict=True)) for step, there, back in lines[1:]]
    except OSError as error:
        raise DataError(f"--ladder {file} cannot be read: {error.strerror}; make it with: {MADE_BY}") from None
    except (ValueError, IndexError):
        raise DataError(
            f"--ladder {file}: expected a CSV with the columns {', '.join(COLUMNS)}; make it with: {MADE_BY}"
        ) from None
