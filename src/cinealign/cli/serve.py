"""`cinealign serve`: pages to look at a run or an index with."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cinealign.cli.folders import run_folder


class LanguageChoice(StrEnum):
    """Of the pages."""

    zh = "zh"
    en = "en"


def serve(
    folder: Annotated[
        Path, typer.Argument(metavar="RUN|INDEX", callback=run_folder, help="A run directory or an index folder.")
    ],
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.")] = 8421,
    host: Annotated[
        str, typer.Option(help="Address to listen on; one that others can reach needs a token.")
    ] = "127.0.0.1",
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    lang: Annotated[
        LanguageChoice | None, typer.Option(help="Language of the pages; the browser's, if absent.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="CINEALIGN_TOKEN",
            help="Token that browsers must send; a new one is made for an address that others can reach.",
        ),
    ] = None,
    names: Annotated[
        list[str] | None, typer.Option("--name", metavar="NAME", help="A further name that the server answers to.")
    ] = None,
    compare: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="A run to compare with; runs beside RUN are found automatically."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder; else where the run's data usually are.")] = None,
) -> None:
    """Open a run in the browser: search, items, pairs, a map, its numbers, and comparison with other runs.

    A run without an index gets one first. Only this machine can reach the pages unless --host says otherwise.
    """
    from cinealign.errors import ModelError
    from cinealign.web.settings import Settings

    settings = Settings.listening(
        host,
        port,
        token=token,
        names=tuple(each.lower() for each in names or ()),
        lang=None if lang is None else lang.value,
    )
    try:
        from cinealign.web.server import serve as serve_pages
    except ModuleNotFoundError as error:
        raise ModelError(f"`cinealign serve` needs {error.name}; pip install 'cinealign[web]'") from None
    from cinealign.web.shelf import Shelf

    serve_pages(Shelf.of(folder, data=data, compare=compare or []), settings, open_browser=open_browser)
