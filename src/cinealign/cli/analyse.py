"""`cinealign analyse` and `explain`: the three questions answered for a run, and one pair of it explained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinealign.cli.folders import RunFolder
from cinealign.cli.report import Lang, LanguageChoice
from cinealign.cli.runs import AsJson
from cinealign.cli.show.values import print_json

Data = Annotated[Path | None, typer.Option(help="Data folder; else where the run's data usually are.")]


def analyse(
    folder: RunFolder,
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="Folder to make; RUN/analysis where absent.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a finished analysis.")] = False,
    as_json: AsJson = False,
) -> None:
    """Is the poster related to the intro, what do near ones share, what is it good for: numbers, tables, figures.

    The same command goes on with an analysis that was interrupted.
    """
    from cinealign.analysis.analyse import analyse as answer
    from cinealign.cli.show.analysis import analysis_lines
    from cinealign.run import Run
    from cinealign.run_data import RunData

    run = Run(folder)
    found = answer(run, RunData.find(run, data).catalogue, out, force=force)
    if as_json:
        print_json(found.numbers)
    else:
        typer.echo("\n".join([*analysis_lines(found.numbers), f"wrote {found.folder}"]))


def explain(
    folder: RunFolder,
    movie: Annotated[int, typer.Option(metavar="ID", help="Item whose poster is asked about.")],
    other: Annotated[
        int | None, typer.Option("--with", metavar="ID", help="Item whose intro is asked about, if another.")
    ] = None,
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; RUN/explain where absent.")] = None,
    lang: Lang = LanguageChoice.en,
    as_json: AsJson = False,
) -> None:
    """Why does this poster match this intro? Experts, words, parts of the poster, nearest train movies: JSON and a figure."""
    from cinealign.analysis.analyse import explain as answer
    from cinealign.cli.show.analysis import explanation_lines
    from cinealign.run import Run
    from cinealign.run_data import RunData

    run = Run(folder)
    found, files = answer(run, RunData.find(run, data).catalogue, movie, other, out, lang=lang.value)
    if as_json:
        print_json(found)
    else:
        typer.echo("\n".join([*explanation_lines(found), "wrote " + ", ".join(map(str, files))]))
