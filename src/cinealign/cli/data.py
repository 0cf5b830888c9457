"""`cinealign data`: look at a data folder, make one of one's own pictures and texts, split it, or draw one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cinealign.cli.commands import Commands
from cinealign.cli.data_import import import_data
from cinealign.cli.data_split import split

data_app = typer.Typer(cls=Commands, help="Check, import or split a data folder, or draw a sample one.")
data_app.command("import")(import_data)
data_app.command()(split)


class TrainIdsChoice(StrEnum):
    """What train.txt holds."""

    auto = "auto"
    rows = "rows"
    ids = "ids"


class SampleKind(StrEnum):
    """What is drawn."""

    movies = "movies"
    flags = "flags"


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
        MissingIntroChoice | None,
        typer.Option(
            help="As for a run. Without it, items that have a poster and no intro are named, and check goes on."
        ),
    ] = None,
) -> None:
    """Read a data folder as a run would, decode every poster, and say what is kept, what is dropped and why.

    A folder of pictures alone, or of texts alone, is checked as one side. Exits with 2 where the data cannot be used.
    """
    import json

    from cinealign.data.catalogue import Catalogue
    from cinealign.data.one_side import check_one_side
    from cinealign.data.report import NO_INTRO

    if (one := check_one_side(folder, strict=strict)) is not None:
        typer.echo(json.dumps(one.to_json(), ensure_ascii=False, indent=2) if as_json else "\n".join(one.lines()))
        return
    asked = missing_intro or MissingIntroChoice.drop
    catalogue = Catalogue.load(folder, train_ids=train_ids.value, missing_intro=asked.value, strict=strict)
    report = catalogue.report
    if as_json:
        content = {"folder": str(folder), "source": catalogue.source, "digest": catalogue.digest}
        typer.echo(json.dumps({**content, **report.to_json()}, ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(report.lines()))
    if missing_intro is None and report.dropped(NO_INTRO):
        typer.echo("a run refuses items without an intro; give them one, or pass it --missing-intro drop", err=True)


@data_app.command()
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; it must not hold anything yet.")],
    kind: Annotated[
        SampleKind, typer.Option(help="movies: a data folder; flags: a table and pictures to import.")
    ] = SampleKind.movies,
    count: Annotated[int, typer.Option("--movies", "--items", help="Number of items to draw.")] = 240,
    seed: Annotated[int, typer.Option(help="Seed; the same seed draws the same items.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a sample that was drawn there before.")] = False,
) -> None:
    """Draw a small data set: pictures and texts made by the program.

    Movies are laid out like the assignment's files. Flags are laid out like other people's data.
    """
    from cinealign.data.drawn.flags import TABLE, draw_flags
    from cinealign.data.drawn.movies import draw_sample
    from cinealign.errors import as_argument

    if kind is SampleKind.movies:
        draw_sample(folder, movies=count, seed=seed, force=force)
        typer.echo(f"drew {count} movies into {folder}")
    else:
        draw_flags(folder, flags=count, seed=seed, force=force)
        typer.echo(
            f"drew {count} flags into {folder}; next: cinealign data import {as_argument(folder / TABLE)} --out DIR"
        )
