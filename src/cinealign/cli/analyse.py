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
    force: Annotated[bool, typer.Option("--force", help="Make a finished analysis again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Is the poster related to the intro, what do neighbours share, what is it good for: numbers, tables, figures.

    The same command resumes an interrupted analysis; a finished one is shown again.
    """
    from cinealign.analysis.analyse import analyse as answer
    from cinealign.analysis.analyse import finished_analysis
    from cinealign.cli.show.analysis import analysis_lines
    from cinealign.progress import say
    from cinealign.run import Run
    from cinealign.run_data import RunData

    run = Run(folder)
    found = None if force else finished_analysis(run, out)
    if found is None:
        found = answer(run, RunData.find(run, data).catalogue, out, force=force)
    else:
        say(f"{found.folder} is finished: this is what it says; --force makes it again")
    if as_json:
        print_json(found.numbers)
    else:
        typer.echo("\n".join([*analysis_lines(found.numbers), f"analysis: {found.folder}"]))


def explain(
    folder: RunFolder,
    movie: Annotated[
        str, typer.Option(metavar="ID|TITLE", help="Item whose poster is asked about, by its id or title.")
    ],
    other: Annotated[
        str | None, typer.Option("--with", metavar="ID|TITLE", help="Item whose intro is asked about, if another.")
    ] = None,
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; RUN/explain where absent.")] = None,
    lang: Lang = LanguageChoice.en,
    as_json: AsJson = False,
) -> None:
    """Why does this poster match this intro? Experts, words, parts of the poster, nearest train items: JSON and a figure."""
    from cinealign.analysis.analyse import explain as answer
    from cinealign.cli.show.analysis import explanation_lines
    from cinealign.data.find_item import find_item
    from cinealign.run import Run
    from cinealign.run_data import RunData

    run = Run(folder)
    catalogue = RunData.find(run, data).catalogue
    chosen = find_item(catalogue, movie)
    second = None if other is None else find_item(catalogue, other)
    found, files = answer(run, catalogue, chosen, second, out, lang=lang.value)
    if as_json:
        print_json(found)
    else:
        typer.echo("\n".join([*explanation_lines(found), "wrote " + ", ".join(map(str, files))]))
