"""`cinealign data describe`: what a data folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinealign.cli.data import TrainIdsChoice


def describe(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with info.csv and poster/.")],
    lettering: Annotated[
        bool,
        typer.Option("--lettering", help="Read posters that OCR has not read before; takes minutes for thousands."),
    ] = False,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="Also draw a page, as .png or .pdf.")] = None,
    train_ids: Annotated[TrainIdsChoice, typer.Option(help="What train.txt holds.")] = TrainIdsChoice.auto,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
) -> None:
    """Describe a data folder: counts, sizes, intro lengths, languages, genres, decades, duplicates, damage, lettering.

    Also reads folders that a run refuses: posters may be damaged, intros missing, train.txt absent.
    """
    import json

    from cinealign.describe.folder import describe as described
    from cinealign.describe.folder import with_lettering
    from cinealign.describe.lettering import lettering_statistics
    from cinealign.figures import check_page
    from cinealign.views.store import FeatureStore

    if picture is not None:
        check_page(picture)
    found, posters = described(folder, train_ids.value)
    found = with_lettering(found, *lettering_statistics(posters, FeatureStore(), read=lettering))
    if picture is not None:
        from cinealign.describe.page import draw_description

        draw_description(found, picture)
        typer.echo(f"wrote {picture}", err=True)
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
    else:
        from cinealign.cli.show.description import print_description

        print_description(found)
