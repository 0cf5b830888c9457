"""`cinealign index`: make an index of a run, let it grow, check it, show what it says of itself."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cinealign.cli.commands import MakeByDefault
from cinealign.cli.folders import RunFolder, index_folder, run_folder
from cinealign.cli.runs import AsJson


class EngineChoice(StrEnum):
    """Where vectors are kept."""

    exact = "exact"
    lance = "lance"


class DtypeChoice(StrEnum):
    """Number format of the exact engine."""

    float32 = "float32"
    float16 = "float16"


class CompressionChoice(StrEnum):
    """Of the lance engine."""

    pq = "pq"
    none = "none"


index_app = typer.Typer(
    cls=MakeByDefault,
    help="Make a searchable index of a run (`cinealign index RUN`), add to it, check it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
IndexFolder = Annotated[
    Path,
    typer.Argument(
        metavar="INDEX", callback=index_folder, help="An index folder, such as runs/default/index, or its run."
    ),
]


@index_app.command()
def make(
    folder: RunFolder,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Index folder; RUN/index where absent.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder; else where the run's data usually are.")] = None,
    engine: Annotated[EngineChoice, typer.Option(help="exact searches every vector; lance is approximate.")] = (
        EngineChoice.exact
    ),
    dtype: Annotated[DtypeChoice, typer.Option(help="exact: number format on disk.")] = DtypeChoice.float32,
    compression: Annotated[CompressionChoice, typer.Option(help="lance: compression of its vectors.")] = (
        CompressionChoice.pq
    ),
    width: Annotated[int, typer.Option(metavar="N", help="Largest vector width; 0 keeps the model's.")] = 768,
    chances: Annotated[
        bool,
        typer.Option(
            "--chances/--no-chances", help="Fit the recipe on each fold again, to know how often a hit is right."
        ),
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace an index; what was added to it is lost.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make an index of a run: vectors, items, model, and calibrated chances.

    The same command resumes an interrupted index.
    """
    from cinealign.run import Run
    from cinealign.run_data import RunData
    from cinealign.search.build import build_index
    from cinealign.search.card_lines import card_lines
    from cinealign.search.run_index import PLACE

    run, place = Run(folder), out or folder / PLACE
    options = {"dtype": dtype.value} if engine is EngineChoice.exact else {"compression": compression.value}
    index = build_index(
        RunData.find(run, data),
        place,
        engine=engine.value,
        options=options,
        widest=width,
        chances=chances,
        force=force,
    )
    if as_json:
        _print_json(index.card)
    else:
        typer.echo("\n".join([*card_lines(index.card), f"index: {place}"]))


Images = Annotated[Path | None, typer.Option(metavar="DIR", help="For a table: folder of the pictures.")]
IdColumn = Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="For a table: column of the ids.")]
Column = Annotated[str | None, typer.Option(metavar="COLUMN", help="For a table, as in `cinealign data import`.")]


@index_app.command()
def add(
    folder: IndexFolder,
    source: Annotated[
        Path, typer.Argument(metavar="FOLDER|TABLE", help="What `cinealign data import` reads, or 7.jpg, 7.txt ...")
    ],
    images: Images = None,
    item_id: IdColumn = None,
    image: Column = None,
    text: Column = None,
    title: Column = None,
    genre: Column = None,
) -> None:
    """Add items; an item that the index has already, by id and content, is skipped. Pictures or texts alone are enough.

    The same command resumes after an interruption; items named on the screen are saved.
    """
    _grow(folder, source, images, {"id": item_id, "image": image, "text": text, "title": title, "genre": genre}, False)


@index_app.command()
def update(
    folder: IndexFolder,
    source: Annotated[Path, typer.Argument(metavar="FOLDER|TABLE", help="As for `cinealign index add`.")],
    images: Images = None,
    item_id: IdColumn = None,
    image: Column = None,
    text: Column = None,
    title: Column = None,
    genre: Column = None,
) -> None:
    """Add items, and replace those whose picture or text differs; a side that SOURCE lacks stays as it is."""
    _grow(folder, source, images, {"id": item_id, "image": image, "text": text, "title": title, "genre": genre}, True)


def _grow(folder: Path, source: Path, images: Path | None, roles: dict[str, str | None], replace: bool) -> None:
    from cinealign.data.importing.plan import ImportOptions
    from cinealign.search.growth import open_writer
    from cinealign.search.sources import new_items

    columns = {role: column for role, column in roles.items() if column is not None}
    options = ImportOptions(columns=columns, images=images, one_side=True)
    done = 0

    def acknowledge(ids: Any) -> None:
        nonlocal done
        done += len(ids)
        typer.echo(f"safe: {done:,} items", err=True)

    with open_writer(folder) as writer:
        grown = writer.add(new_items(source, options), update=replace, acknowledge=acknowledge)
    typer.echo("\n".join(grown.lines() or ["nothing to add"]))


@index_app.command()
def remove(
    folder: IndexFolder,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of items.")],
) -> None:
    """Take items out of an index, all at once."""
    from cinealign.search.growth import open_writer

    with open_writer(folder) as writer:
        gone = writer.remove(ids)
    missing = [item_id for item_id in ids if item_id not in gone]
    typer.echo(f"removed: {len(gone):,}" + (f"; not there: {', '.join(missing)}" if missing else ""))


@index_app.command()
def check(
    folder: IndexFolder,
    sample: Annotated[int, typer.Option(min=0, help="Items per side that are encoded again.")] = 20,
) -> None:
    """Verify checksums and counts, and encode a sample again to compare with the stored vectors."""
    from cinealign.search.check import check_index
    from cinealign.search.index import Index

    failed = 0
    for found in check_index(Index.open(folder), sample=sample, encode=sample > 0):
        typer.echo(f"{'ok    ' if found.passed else 'FAILED'}  {found.name}: {found.said}")
        failed += not found.passed
    if failed:
        raise typer.Exit(1)


@index_app.command()
def info(folder: IndexFolder, as_json: AsJson = False) -> None:
    """Show what an index holds, its recall, and how well its chances are calibrated."""
    from cinealign.search.card_lines import card_lines
    from cinealign.search.folder import read_card, read_manifest

    manifest = read_manifest(folder)
    card, counts = read_card(folder, manifest), dict(manifest.counts)
    if as_json:
        _print_json({**card, "now": {**counts, "generation": manifest.generation}})
    else:
        now = f"now: {counts['items']:,} items, {counts['poster']:,} posters, {counts['intro']:,} intros"
        typer.echo("\n".join([*card_lines(card), f"{now}, generation {manifest.generation}"]))


@index_app.command()
def compact(folder: IndexFolder) -> None:
    """Rewrite all files of an index without what was removed; this also happens automatically after many changes."""
    from cinealign.search.growth import open_writer

    with open_writer(folder) as writer:
        writer.compact()
    typer.echo(f"compacted: {folder}")


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="RUN|INDEX", callback=run_folder, help="A run directory or an index folder.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="vectors.parquet, vectors.safetensors, or card.md for the model card.")
    ],
) -> None:
    """Write unit vectors for other databases and programs, or a model card.

    Parquet holds id, side, title, year, split and vector. The cosine of a poster's and an intro's vector ranks as the model.
    """
    from cinealign.search.export import export as write
    from cinealign.search.run_index import open_any

    index, _ = open_any(folder)
    typer.echo(f"wrote {out}: {write(index, out)}")


def _print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, indent=1, ensure_ascii=False))
