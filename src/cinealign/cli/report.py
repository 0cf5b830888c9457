"""`cinealign notebook`, `report` and `submit`: what a user hands in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinealign.cli.folders import RunFolder

if TYPE_CHECKING:
    from cinealign.run import Run

Data = Annotated[Path | None, typer.Option(help="Data folder; else where the run's data usually are.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the file at --out.")]
Compare = Annotated[
    list[Path] | None,
    typer.Option("--compare", metavar="DIR", help="A folder of `cinealign compare`; may be repeated."),
]
Ladder = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.csv",
        help="Steps from the simplest method to this one, as benchmarks/ladder.py --csv FILE.csv writes them.",
    ),
]


class LanguageChoice(StrEnum):
    """Languages of what is written."""

    en = "en"
    zh = "zh"


Lang = Annotated[LanguageChoice, typer.Option(help="Language of the text.")]


Own = Annotated[
    Path | None,
    typer.Option("--notebook", metavar="FILE", help="A notebook (or ID.zip) whose cells `My analysis` are kept."),
]


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
    from cinealign.report.notebook import check_target, notebook_of_recipe, notebook_of_run, write_notebook
    from cinealign.report.own_words import kept_words

    check_target(out, ".ipynb", force)
    if Path(target).is_dir():
        from cinealign.run import Run
        from cinealign.run_data import RunData

        run = Run(Path(target))
        catalogue = RunData.find(run, data).catalogue
        own = kept_words(out)
        made = notebook_of_run(run, catalogue.folder, out, lang.value, noun=catalogue.noun, own=own)
    else:
        from cinealign.cli.runs import given_catalogue

        catalogue = given_catalogue(data)
        made = notebook_of_recipe(target, catalogue.folder, out, lang.value, noun=catalogue.noun, force=force)
    write_notebook(made, out)
    typer.echo(f"wrote {out}: {len(made.cells)} cells, executed from the top")


def report(
    folder: RunFolder,
    out: Annotated[Path, typer.Option(metavar="FILE.pdf", help="The PDF to write.")] = Path("report.pdf"),
    lang: Lang = LanguageChoice.en,
    data: Data = None,
    compare: Compare = None,
    ladder: Ladder = None,
    whose: Annotated[str, typer.Option("--by", metavar="TEXT", help="Author, for the title page.")] = "",
    own: Own = None,
    force: Force = False,
) -> None:
    """Write a typeset report of a run: method, results with intervals, the three questions, limits.

    Analyses the run first where `cinealign analyse` has not done so yet.
    """
    from cinealign.out import write_whole
    from cinealign.report.notebook import check_target
    from cinealign.report.own_words import read_own_words
    from cinealign.report.pdf import report_pdf
    from cinealign.run import Run

    check_target(out, ".pdf", force)
    run, words = Run(folder), None if own is None else read_own_words(own)
    analysis = _analysed(run, data)
    made = report_pdf(run, analysis, lang.value, comparisons=compare or [], ladder=ladder, whose=whose, own=words)
    write_whole(out, made, "--out")
    typer.echo(f"wrote {out}: {len(made) / 1e6:.1f} MB")


def _analysed(run: Run, data: Path | None) -> Path:
    """The folder of the run's analysis, which is made first where there is none."""
    from cinealign.analysis.analyse import FOLDER, analyse
    from cinealign.progress import say
    from cinealign.run_data import RunData

    folder = run.folder / FOLDER
    if not (folder / "analysis.json").is_file():
        say(f"{run.folder} is not analysed yet: doing that first")
        analyse(run, RunData.find(run, data).catalogue)
    return folder


def submit(
    folder: RunFolder,
    student_id: Annotated[str, typer.Option(help="Student ID; names the zip and its files.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for ID.zip.")] = Path(),
    name: Annotated[str, typer.Option(help="Name for the title pages.")] = "",
    lang: Lang = LanguageChoice.en,
    data: Data = None,
    compare: Compare = None,
    ladder: Ladder = None,
    own: Own = None,
    force: Force = False,
) -> None:
    """Pack notebook, report, saved model and source into one zip, and check it by running it somewhere else.

    Analyses the run first where `cinealign analyse` has not done so yet.
    """
    from cinealign.report.own_words import read_own_words
    from cinealign.report.student import Student
    from cinealign.report.submission import submit as build
    from cinealign.run import Run
    from cinealign.run_data import RunData

    student, run = Student(student_id, name), Run(folder)
    catalogue = RunData.find(run, data).catalogue
    analysis = _analysed(run, data)
    made = build(
        run,
        catalogue,
        analysis,
        student,
        lang.value,
        out,
        comparisons=compare or [],
        ladder=ladder,
        own=None if own is None else read_own_words(own),
        force=force,
    )
    typer.echo("\n".join(made.lines()))
