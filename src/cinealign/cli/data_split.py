"""`cinealign data split`: which items of a catalogue folder are train."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class SplitKind(StrEnum):
    """How to split."""

    own = "own"
    list = "list"
    random = "random"
    group = "group"
    year = "year"


def split(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with info.csv and poster/.")],
    by: Annotated[
        SplitKind,
        typer.Option(
            help="own: a column that says it; list: a file of ids or rows; random; group: sequels, directors or a column "
            "stay on one side; year: the earlier ones are train."
        ),
    ] = SplitKind.random,
    column: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of info.csv, for own and group.")] = None,
    train_value: Annotated[
        str | None, typer.Option(metavar="VALUE", help="For own: what the column says of a train item.")
    ] = None,
    listing: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="For list: ids, source ids or row numbers.")
    ] = None,
    before: Annotated[int | None, typer.Option(metavar="YEAR", help="For year: the first that is held out.")] = None,
    share: Annotated[float, typer.Option(help="Train share, for random, group and year.")] = 0.6,
    seed: Annotated[int, typer.Option(help="For random and group.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing train.txt.")] = False,
) -> None:
    """Write train.txt and split.json: which items are for training. Posters are decoded, so that only usable ones count."""
    from cinealign.data.split.folder import SplitOptions, split_folder

    options = SplitOptions(by.value, column, train_value, listing, before, share, seed)
    record = split_folder(folder, options, force=force)
    typer.echo(f"{record.line()}: {record.train:,} train, {record.held_out:,} held out")
    typer.echo(f"wrote {folder / 'train.txt'} (sha256 {record.digest[:16]}...) and {folder / 'split.json'}")
