"""`cinealign slices`, `geometry` and `diff`: where a run is good, what its space looks like, and which run is better."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cinealign.cli.folders import RunFolder, run_folder
from cinealign.cli.runs import AsJson
from cinealign.cli.show.values import print_json

Data = Annotated[Path | None, typer.Option(help="Data folder; else where the run's data usually are.")]


def slices(folder: RunFolder, data: Data = None, as_json: AsJson = False) -> None:
    """Accuracy of parts of the held-out items: genre, decade, intro length, lettering, colourfulness, popularity."""
    from cinealign.run import Run

    run = Run(folder)  # a missing run is said before anything heavy is loaded
    from cinealign.cli.show.measures import print_slices
    from cinealign.evaluation.accuracy import top_k
    from cinealign.evaluation.attributes import catalogue_slices
    from cinealign.evaluation.keys import TASK_RATIO
    from cinealign.evaluation.metrics import ranks_both_ways
    from cinealign.evaluation.slices import score_slices
    from cinealign.run_data import RunData
    from cinealign.views.poster.lettering import lettering_texts

    found = RunData.find(run, data)
    catalogue = found.catalogue
    lettering = lettering_texts(run.model.views.values(), catalogue.posters, found.store)
    rows = catalogue.held_out_rows if len(catalogue.held_out_rows) else None
    entries = score_slices(ranks_both_ways(*run.vectors, run.ids), catalogue_slices(catalogue, lettering), rows=rows)
    if as_json:
        print_json(entries)
    else:
        print_slices(entries, len(catalogue), top_k(TASK_RATIO, len(catalogue)), str(folder))
        if lettering is None:
            typer.echo("amount of lettering: not known, as no view of this recipe reads it")


def geometry(folder: RunFolder, data: Data = None, as_json: AsJson = False) -> None:
    """Hubs, modality gap, effective rank, alignment, uniformity; and CKA before and after each expert, with the data."""
    from cinealign.run import Run

    run = Run(folder)
    from cinealign.analysis.relation.kernel_alignment import cka_of_experts
    from cinealign.cli.show.measures import print_geometry
    from cinealign.errors import DataError
    from cinealign.evaluation.geometry import geometry as measure
    from cinealign.run_data import RunData

    measures = measure(*run.vectors)
    try:
        found = RunData.find(run, data)
    except DataError as error:
        if data is not None:
            raise
        typer.echo(f"no CKA of the views: {error}", err=True)
    else:
        if len(found.held_out) > 1:
            measures["cka"] = cka_of_experts(run.model, found.extracts, found.held_out)
    if as_json:
        print_json(measures)
    else:
        print_geometry(measures, run.catalogue["titles"], f"{folder}: the space of {len(run.ids)} items")


def diff(
    first: Annotated[Path, typer.Argument(metavar="RUN_A", callback=run_folder, help="A run directory.")],
    second: Annotated[Path, typer.Argument(metavar="RUN_B", callback=run_folder, help="Another run on the same data.")],
    as_json: AsJson = False,
) -> None:
    """Is RUN_B better than RUN_A? Paired bootstrap and McNemar's test on the same held-out items, Holm's correction."""
    from cinealign.errors import DataError
    from cinealign.run import Run

    runs = {str(folder): Run(folder) for folder in (first, second)}
    import numpy as np

    from cinealign.cli.show.measures import print_differences
    from cinealign.evaluation.comparison import compare_runs, minimal_detectable_difference
    from cinealign.evaluation.metrics import DIRECTIONS, ranks_both_ways, split_rows

    if len(runs) < 2:
        raise DataError(f"{first} is named twice; name two runs")
    before, after = runs.values()
    if before.catalogue["digest"] != after.catalogue["digest"]:
        raise DataError(f"{first} and {second} were made from different data or splits; compare runs of one catalogue")
    held_out = split_rows(before.train_rows, len(before.ids))["held_out"]
    if not len(held_out):
        raise DataError(f"{first} has no held-out item to compare on")
    pairs = compare_runs({name: ranks_both_ways(*run.vectors, run.ids) for name, run in runs.items()}, held_out)
    detectable: dict[str, Any] = {}
    for direction in DIRECTIONS:
        test = pairs[0][direction]["mcnemar"]
        alone = np.mean([test["only_first"] + test["only_second"]]) / len(held_out)
        if alone > 0:
            detectable[direction] = minimal_detectable_difference(len(held_out), float(alone))
    if as_json:
        print_json({"pairs": pairs, "minimal_detectable_difference": detectable})
    else:
        print_differences(pairs, detectable)
