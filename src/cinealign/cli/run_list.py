"""`cinealign runs`: what runs there are, and their numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cinealign.cli.folders import RUNS
from cinealign.cli.runs import AsJson
from cinealign.cli.show.values import print_json

DEEPEST = 3
"""Folders below the one that is asked about: runs/compare/default/seed-0."""


def runs(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Folder to search, with its subfolders.")] = RUNS,
    as_json: AsJson = False,
) -> None:
    """List the runs in a folder with their numbers, and those that were interrupted."""
    from cinealign.errors import DataError
    from cinealign.run import finished_runs, interrupted_runs

    if not folder.is_dir():
        raise DataError(f"{folder} does not exist; `cinealign run` makes runs/default, or name the folder of your runs")
    found, left = [_row(each) for each in finished_runs(folder, DEEPEST)], interrupted_runs(folder, DEEPEST)
    if as_json:
        print_json({"runs": found, "interrupted": [str(each) for each in left]})
        return
    if found:
        _print(found)
    else:
        typer.echo(f"no finished run in {folder}")
    for each in left:
        typer.echo(f"interrupted: {each}; the same command resumes it")


def _row(run: Any) -> dict[str, Any]:
    numbers = run.metrics
    return {
        "run": str(run.folder),
        "recipe": numbers["recipe"],
        "n": numbers["n"],
        "held_out": {way: numbers[way]["held_out"] for way in ("poster_to_intro", "intro_to_poster")},
        "acc_sum": numbers["acc_sum"],
        "course_score": numbers["course_score"],
        "digest": numbers["data"]["digest"],
    }


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console

    from cinealign.cli.show.metrics import PLAIN_WIDTH, terminal_table
    from cinealign.phrases import word

    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    table = terminal_table(console.width)
    table.add_column("run", no_wrap=False, overflow="fold")
    for head in ("N", "poster\nto intro", "intro to\nposter", "sum, all", "data"):
        table.add_column(head, justify="right", no_wrap=True)
    digests = list(dict.fromkeys(row["digest"] for row in rows))
    for row in rows:
        ways = ["-" if value is None else f"{value:.4f}" for value in row["held_out"].values()]
        data = chr(ord("A") + digests.index(row["digest"])) if len(digests) <= 26 else row["digest"][:6]
        table.add_row(row["run"], str(row["n"]), *ways, f"{row['acc_sum']:.4f}", data)
    console.print(table)
    for line in (
        "poster to intro, intro to poster: top 5 % of the held-out items; `cinealign show RUN` gives the intervals",
        "data: runs of one letter have the same data and split, so `cinealign diff RUN_A RUN_B` can compare them",
    ):
        console.print(word(line), markup=False, highlight=False, soft_wrap=True)
