"""`cinealign encode`: vectors of new pictures and texts, from the fitted model of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cinealign.cli.folders import RunFolder
from cinealign.cli.runs import DeviceChoice, DeviceOption, WeightsOption


def encode(
    run: RunFolder,
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write: .npz, .parquet or .safetensors.")],
    images: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR|FILE", help="Pictures, or a folder of them; may be given several times."),
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR", help="A file with one text per line, a .csv table, or a folder of .txt files."
        ),
    ] = None,
    column: Annotated[str | None, typer.Option(help="The column of the table that holds the texts.")] = None,
    normalised: Annotated[
        bool, typer.Option("--normalised", help="Rows of length 1, two numbers wider, whose cosine ranks as D does.")
    ] = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Items per batch.")] = 32,
    weights: WeightsOption = None,
    device: DeviceOption = DeviceChoice.auto,
) -> None:
    """Turn new pictures, new texts or both into vectors of a run; neither needs a partner."""
    from cinealign.data.one_side import find_pictures, read_texts
    from cinealign.device import use_device
    from cinealign.run import Run
    from cinealign.vector_files import Named, check_vector_file, save_vectors

    if not images and texts is None:
        raise typer.BadParameter("nothing to encode: pass --images, --texts or both")
    if weights is not None:
        from cinealign.views.weights import use_weights

        use_weights(weights)
    use_device(device.value)
    check_vector_file(out)
    pictures = find_pictures(images) if images else None
    lines = read_texts(texts, column) if texts is not None else None
    finished = Run(run)
    encoder = finished.encoder()
    options: dict[str, Any] = {"normalised": normalised, "batch_size": batch_size, "progress": True}
    sides: dict[str, Named] = {}
    if pictures is not None:
        sides["poster"] = Named(pictures.names, encoder.encode_posters(pictures.paths, **options))
    if lines is not None:
        sides["intro"] = Named(lines.names, encoder.encode_intros(lines.texts, **options))
    facts = {
        "recipe": finished.recipe.name,
        "distance": finished.recipe.distance.model_dump(mode="json"),
        "normalised": normalised,
    }
    save_vectors(out, sides, facts)
    counts = " and ".join(f"{len(named.names):,} {side}s" for side, named in sides.items())
    width = next(iter(sides.values())).vectors.shape[1]
    typer.echo(f"{out}: vectors of {counts}, {width:,} numbers each")
