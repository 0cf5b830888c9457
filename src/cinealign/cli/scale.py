"""`cinealign scale`: encode, index and evaluate on a Ray cluster, or with several processes of one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinealign.cli.runs import AsJson, RunFolder

scale_app = typer.Typer(
    help="Encode, index and evaluate millions of items on many processors or machines.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Address = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS", help="auto joins a running Ray cluster or starts one here; local; ray://HOST:PORT."
    ),
]
Workers = Annotated[int, typer.Option(min=1, help="Processes that compute, one processor each.")]
Table = Annotated[str, typer.Argument(metavar="URI", help="What `cinealign scale encode` made: a folder or bucket.")]
Column = Annotated[str | None, typer.Option(metavar="COLUMN", help="Of a table; found by its name where absent.")]


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
    block: Annotated[int, typer.Option(min=1, metavar="N", help="Rows that a lost worker has to do again.")] = 256,
    item_id: Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="Of a table: the ids.")] = None,
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
    """Encode pictures and texts with the model of a run into a Lance table; the same command goes on where it stopped.

    Ends with 1 where ids of the table and of the source differ.
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
