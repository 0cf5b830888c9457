"""Which folder a RUN on the command line is: as given, or by its name among the runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from cinealign.errors import DataError, meant

RUNS = Path("runs")
"""Where `cinealign run` puts a run that is given no other place."""
_MARKS = ("metrics.json", "CURRENT", "run/metrics.json")
"""What a run, an index and an unpacked submission hold."""


def found_run(given: str | Path) -> Path | None:
    """The run or index at `given`, else the run of that name in runs/, finished or interrupted, else whatever `given` is.

    A folder of other things, such as data, does not hide the run of its name. None where there is nothing.
    """
    path = Path(given)
    there = os.path.exists(path)  # noqa: PTH110  (pathlib raises where a name is too long)
    if there and (not os.path.isdir(path) or any(os.path.exists(path / mark) for mark in _MARKS)):  # noqa: PTH110, PTH112
        return path
    if len(path.parts) == 1 and path.name == str(given):
        named = RUNS / path
        for place in (named, named.with_name(f"{path.name}.partial")):
            if os.path.isdir(place):  # noqa: PTH112
                return named
    return path if there else None


def run_folder(given: Path | None) -> Path | None:
    """The folder of a run that the command line names; None where it names none.

    Raises:
        DataError: there is none, but one of nearly that name.
    """
    found = None if given is None else found_run(given)
    if given is not None and found is None and RUNS.is_dir():
        known = sorted(each.name for each in RUNS.iterdir() if (each / "metrics.json").is_file())
        if choices := meant(given.name, known):
            raise DataError(f"{given} does not exist{choices} (`cinealign runs` lists all)")
    return given if found is None else found


def index_folder(given: Path) -> Path:
    """The index that the command line names, or that of the run it names."""
    found = found_run(given)
    inner = None if found is None else found / "index"
    return inner if inner is not None and inner.is_dir() and not (inner.parent / "CURRENT").exists() else given


RunFolder = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", callback=run_folder, help="A run directory, such as runs/default, or its name in runs/."
    ),
]
"""The argument of every command that reads a run."""
