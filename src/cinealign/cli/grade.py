"""`cinealign grade`: a folder of submissions becomes a table with evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinealign.figures import Language


def grade(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Submissions: zips, folders, notebooks or files of D.")
    ],
    data: Annotated[Path, typer.Option(help="The data folder of the course.")],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for grades.csv, grades.xlsx, index.html and sheets; your own columns there are kept."
        ),
    ],
    seconds: Annotated[float, typer.Option(min=1, help="Longest time for one submission.")] = 900,
    jobs: Annotated[
        int, typer.Option(min=0, help="Submissions judged at a time; 0 is one for each core, four at most.")
    ] = 0,
    lang: Annotated[Language, typer.Option(help="Language of the pages and the table.")] = "en",
) -> None:
    """Score and audit every submission of a folder; nothing of it is executed.

    Each one is judged in a process of its own with limits of time and memory.
    """
    from cinealign.data.catalogue import Catalogue
    from cinealign.grading.desk import alike_notebooks
    from cinealign.grading.desk import grade as grade_folder
    from cinealign.grading.resemblance import alike
    from cinealign.grading.table import write_grades
    from cinealign.grading.teachers import Teachers

    Teachers.read(out)  # what cannot be kept is said before an hour of grading
    rows = grade_folder(folder, Catalogue.load(data), seconds=seconds, jobs=jobs)
    pairs = list(alike(rows))
    notebooks = alike_notebooks(rows)
    gone = write_grades(rows, pairs, out, lang, notebooks)
    for row in rows:
        score = f"{row.metrics['acc_sum']:.4f}" if row.metrics else "-"
        typer.echo(
            f"{row.name}: {row.kind}, audit {row.verdict}, sum {score}" + (f"; {row.remarks[0]}" if row.remarks else "")
        )
    for one, other, said in pairs:
        typer.echo(f"{one.name} ~ {other.name}: {said}")
    for one, other, shared in notebooks:
        typer.echo(f"{one.name} ~ {other.name}: {shared.line()}")
    for name in gone:
        typer.echo(f"{name}: was graded before and is no longer in {folder}; its row is kept", err=True)
    typer.echo(f"wrote {out / 'grades.csv'}, grades.xlsx and index.html: {len(rows)} submissions")
