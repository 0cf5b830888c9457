"""`cinealign data`: look at a data folder, or draw one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

data_app = typer.Typer(help="Check a data folder, or draw a sample one.")


class TrainIdsChoice(StrEnum):
    """What train.txt holds."""

    auto = "auto"
    rows = "rows"
    ids = "ids"


class MissingIntroChoice(StrEnum):
    """What to do with an item that has a poster and no intro."""

    error = "error"
    drop = "drop"


@data_app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with info.csv, poster/ and train.txt.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON, with every name.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Make everything that would be dropped an error.")] = False,
    train_ids: Annotated[
        TrainIdsChoice, typer.Option(help="What train.txt holds; auto decides, or refuses where both fit.")
    ] = TrainIdsChoice.auto,
    missing_intro: Annotated[
        MissingIntroChoice, typer.Option(help="What to do with an item that has a poster and no intro.")
    ] = MissingIntroChoice.error,
) -> None:
    """Read a data folder as a run would, decode every poster, and say what is kept, what is dropped and why.

    Exits with 2 where the data cannot be used.
    """
    import json

    from cinealign.data.catalogue import Catalogue

    catalogue = Catalogue.load(folder, train_ids=train_ids.value, missing_intro=missing_intro.value, strict=strict)
    if as_json:
        content = {"folder": str(folder), "source": catalogue.source, "digest": catalogue.digest}
        typer.echo(json.dumps({**content, **catalogue.report.to_json()}, ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(catalogue.report.lines()))


@data_app.command()
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; it must not hold anything yet.")],
    movies: Annotated[int, typer.Option(help="How many movies with a poster to draw.")] = 240,
    seed: Annotated[int, typer.Option(help="The same seed draws the same movies.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a sample that was drawn there before.")] = False,
) -> None:
    """Draw a small catalogue: posters and intros made by the program, laid out as the assignment's files are."""
    from cinealign.data.sample import draw_sample

    draw_sample(folder, movies=movies, seed=seed, force=force)
    typer.echo(f"drew {movies} movies into {folder}")
