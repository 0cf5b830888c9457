"""`cinealign data import`: a catalogue from a table and pictures of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class QuotingChoice(StrEnum):
    """What a quote inside a cell is."""

    double = "double"
    backslash = "backslash"
    none = "none"


def import_data(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="CSV, TSV, JSONL, JSON, Parquet, Excel or SQLite file, or a saved Hugging Face data set.",
        ),
    ],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Catalogue folder to make.")] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the pictures: named by id, or where the paths of SOURCE start."),
    ] = None,
    item_id: Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="Column of the ids.")] = None,
    image: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of picture paths or bytes.")] = None,
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of the texts.")] = None,
    title: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of the titles.")] = None,
    genre: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of genres or categories.")] = None,
    split: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column that says which items are train.")] = None,
    train_value: Annotated[
        str | None, typer.Option(metavar="VALUE", help="Value of the split column for train items, if not 'train'.")
    ] = None,
    share: Annotated[float, typer.Option(help="Train share of the random split, where SOURCE has no split.")] = 0.6,
    seed: Annotated[int, typer.Option(help="Seed of the random split.")] = 0,
    noun: Annotated[str, typer.Option(help="Noun for an item, such as book.")] = "item",
    longest_side: Annotated[int, typer.Option(metavar="PIXELS", help="Larger pictures are shrunk to this.")] = 1024,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of a text file, such as big5; detected if absent.")
    ] = None,
    sheet: Annotated[
        str | None,
        typer.Option(
            help="Sheet of a workbook, the first visible one if absent; or table of a SQLite file, the only one if absent."
        ),
    ] = None,
    quoting: Annotated[
        QuotingChoice | None,
        typer.Option(
            help="How quotes in cells are written: doubled, after a backslash, or as plain text (none); detected if absent."
        ),
    ] = None,
    header: Annotated[
        bool | None,
        typer.Option("--header/--no-header", help="Whether the first row names the columns; detected if absent."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how SOURCE is read, and write no catalogue.")
    ] = False,
    contact_sheet: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw the first pictures with their texts to this file.")
    ] = None,
    look: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Number of pictures checked for words, to propose a recipe; 0: none."),
    ] = 32,
    force: Annotated[bool, typer.Option("--force", help="Replace a catalogue that was imported there before.")] = False,
) -> None:
    """Make a catalogue folder of a table and pictures; columns are found by name and content, or named.

    Nothing is downloaded, and no picture outside SOURCE's folder (or --images) is read. The same command resumes an
    interrupted import.
    """
    from cinealign.data.importing.plan import ImportOptions, plan_import
    from cinealign.data.importing.preview import draw_contact_sheet, preview_lines
    from cinealign.data.importing.write import write_catalogue
    from cinealign.errors import as_argument

    if out is None and not dry_run:
        raise typer.BadParameter("--out DIR says where the catalogue goes; --dry-run shows what would be in it")
    roles = {"id": item_id, "image": image, "text": text, "title": title, "genre": genre, "split": split}
    options = ImportOptions(
        columns={role: column for role, column in roles.items() if column is not None},
        images=images,
        train_value=train_value,
        share=share,
        seed=seed,
        noun=noun,
        longest_side=longest_side,
        encoding=encoding,
        sheet=sheet,
        quoting=None if quoting is None else quoting.value,
        header=header,
    )
    plan = plan_import(source, options)
    typer.echo("\n".join(plan.lines()))
    if contact_sheet is not None:
        shown = draw_contact_sheet(plan, contact_sheet)
        typer.echo(f"contact sheet: {contact_sheet}, {shown} pictures")
    if dry_run:
        typer.echo("\n".join(preview_lines(plan)))
        return
    assert out is not None
    report = write_catalogue(plan, out, force=force)
    typer.echo("\n".join(report.lines()))
    recipe = _proposed(out, report.scripts, look) if look else ""
    typer.echo(f"catalogue: {out}; next: cinealign run --data {as_argument(out)}{recipe}")


def _proposed(folder: Path, scripts: Mapping[str, int], look: int) -> str:
    """Print which recipe is proposed; gives the option that chooses it."""
    from cinealign.data.posters import Poster, find_posters
    from cinealign.describe.proposal import propose
    from cinealign.views.store import FeatureStore

    files = [path for _, path in sorted(find_posters(folder).files.items())]
    sample = files[:: max(1, len(files) // look)][:look]
    proposal = propose([Poster.of(path) for path in sample], scripts, FeatureStore())
    typer.echo(proposal.line())
    return "" if proposal.recipe == "default" else f" --recipe {proposal.recipe}"
