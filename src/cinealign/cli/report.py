"""`cinealign notebook`, `report` and `submit`: what a user hands in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path | None, typer.Option(help="Data folder; else where the run's data usually are.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what lies at --out.")]


class LanguageChoice(StrEnum):
    """Languages of what is written."""

    en = "en"
    zh = "zh"


Lang = Annotated[LanguageChoice, typer.Option(help="Language of the text.")]


def notebook(
    target: Annotated[str, typer.Argument(metavar="RUN|RECIPE", help="A run directory, or a recipe to train by.")],
    out: Annotated[Path, typer.Option(metavar="FILE.ipynb", help="The notebook to write.")],
    data: Data = None,
    lang: Lang = LanguageChoice.en,
    force: Force = False,
) -> None:
    """Write an executed notebook that tells the story step by step.

    Of a run it loads the saved model; of a recipe it trains, into a run directory beside the notebook.
    """
    from cinealign.report.notebook import notebook_of_recipe, notebook_of_run, refuse_taken, write_notebook

    refuse_taken(out, ".ipynb", force)
    if Path(target).is_dir():
        from cinealign.cli.run_data import run_catalogue
        from cinealign.run import Run

        run = Run(Path(target))
        made = notebook_of_run(run, run_catalogue(run, data).folder, out, lang.value)
    else:
        from cinealign.cli.runs import given_catalogue

        made = notebook_of_recipe(target, given_catalogue(data).folder, out, lang.value, force=force)
    write_notebook(made, out)
    typer.echo(f"wrote {out}: {len(made.cells)} cells, executed from the top")
