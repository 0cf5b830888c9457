"""`cinealign scale`: encode, index and evaluate on a Ray cluster, or with several processes of one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinealign.cli.folders import RunFolder
from cinealign.cli.index import CompressionChoice
from cinealign.cli.runs import AsJson

scale_app = typer.Typer(
    help="Encode, index and evaluate millions of items on many processors or machines.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Address = Annotated[
    str,
    typer.Option(metavar="ADDRESS", help="auto joins a running Ray cluster or starts one here; local; HOST:PORT."),
]
Workers = Annotated[int, typer.Option(min=1, help="Processes that compute, one processor each.")]
Table = Annotated[str, typer.Argument(metavar="URI", help="What `cinealign scale encode` made: a folder or bucket.")]
Column = Annotated[str | None, typer.Option(metavar="COLUMN", help="For a table; found by its name if absent.")]


@scale_app.command()
def encode(
    folder: RunFolder,
    source: Annotated[
        str,
        typer.Option(
            metavar="URI", help="Folder or bucket of pictures, Parquet files, a Lance table or a data folder."
        ),
    ],
    out: Annotated[str, typer.Option(metavar="URI", help="Folder or bucket that every worker reaches.")],
    address: Address = "auto",
    workers: Workers = 2,
    block: Annotated[
        int, typer.Option(min=1, metavar="N", help="Rows per block; a lost worker's block is computed again.")
    ] = 256,
    item_id: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="For a table: column of the ids.")
    ] = None,
    image: Column = None,
    text: Column = None,
    title: Column = None,
    year: Column = None,
    genre: Column = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of model folders, the same on every worker.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Encode pictures and texts with the model of a run into a Lance table; the same command resumes it.

    Exits with 1 if the ids of the table and of the source differ.
    """
    from cinealign.scale.encode import encode as encode_source

    named = {"id": item_id, "image": image, "text": text, "title": title, "year": year, "genre": genre}
    report = encode_source(
        folder,
        source,
        out,
        columns={role: column for role, column in named.items() if column is not None},
        address=address,
        workers=workers,
        block=block,
        weights=weights,
    )
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps(asdict(report), indent=1, ensure_ascii=False))
    else:
        typer.echo("\n".join([*report.lines(), f"table: {out}"]))
    if not report.whole:
        raise typer.Exit(1)


@scale_app.command()
def index(
    table: Table,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Index folder; the workers must reach it.")],
    compression: Annotated[CompressionChoice, typer.Option(help="Compression of the vectors in the IVF index.")] = (
        CompressionChoice.pq
    ),
    width: Annotated[int, typer.Option(min=0, metavar="N", help="Largest vector width; 0 keeps the model's.")] = 768,
    address: Address = "auto",
    workers: Workers = 2,
    force: Annotated[bool, typer.Option("--force", help="Replace an index.")] = False,
) -> None:
    """Make an index folder of a table of vectors; `cinealign search DIR` asks it. Recall is measured across sides."""
    from cinealign.scale.index import index_table
    from cinealign.search.card_lines import card_lines

    made = index_table(
        table, out, compression=compression.value, widest=width, address=address, workers=workers, force=force
    )
    typer.echo("\n".join([*card_lines(made.card), f"index: {out}"]))


@scale_app.command()
def evaluate(
    target: Annotated[str, typer.Argument(metavar="RUN|URI", help="A run directory, or what `scale encode` made.")],
    train_ids: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="For a table: ids of train items, one per line, or a run's catalogue.json."),
    ] = None,
    queries: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Evaluate N random items against the whole gallery.")
    ] = None,
    address: Address = "auto",
    workers: Workers = 2,
    as_json: AsJson = False,
) -> None:
    """Score pairs as `cinealign evaluate` does, in blocks: no worker holds all vectors in memory."""
    from cinealign.scale.evaluate import evaluate as evaluate_pairs
    from cinealign.scale.pairs import read_ids

    ids = None if train_ids is None else read_ids(train_ids)
    metrics = evaluate_pairs(target, train_ids=ids, queries=queries, address=address, workers=workers)
    if as_json:
        from cinealign.cli.show.values import print_json

        print_json(metrics)
    else:
        from cinealign.cli.show.metrics import print_metrics

        print_metrics(metrics, target, course=False)
