"""What `cinealign evaluate` scores: a run from its saved vectors, or a saved matrix D."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer


def score_run(folder: Path, data: Path | None, identity: str, permutation: bool) -> dict[str, Any]:
    """Metrics of a run's vectors; with `permutation_test` where asked."""
    from cinealign.distance.distances import distance_matrix
    from cinealign.evaluation.comparison import permutation_test
    from cinealign.evaluation.identity import identity_ids
    from cinealign.evaluation.metrics import evaluate_vectors, split_rows
    from cinealign.evaluation.transductive import evaluate_transductive
    from cinealign.run import Run
    from cinealign.run_data import RunData

    run = Run(folder)
    poster, intro = run.vectors
    intros = RunData.find(run, data).catalogue.intros if identity == "intro" else None
    ids = identity_ids(run.ids, intros, identity)
    options: dict[str, Any] = {"seed": run.recipe.seed, "samples": run.recipe.evaluation.bootstrap}
    scored = evaluate_vectors(poster, intro, ids, run.train_rows, **options)
    if corrections := run.recipe.evaluation.transductive:
        scored["transductive"] = evaluate_transductive(poster, intro, ids, run.train_rows, corrections, **options)
    if permutation:
        held_out = split_rows(run.train_rows, len(ids))["held_out"]
        # Any distance of a run falls with the inner product of its saved vectors, so cosine has the same ranks.
        scored["permutation_test"] = permutation_test(distance_matrix(poster, intro), held_out)
    return {"recipe": run.recipe.name, "data": run.metrics["data"], "identity": identity, **scored}


def score_distances(
    path: Path, train_ids: Path | None, data: Path | None, identity: str, permutation: bool
) -> dict[str, Any]:
    """Metrics of a saved D; with `permutation_test` where asked.

    Raises:
        DataError: D and the data are of different sizes, or one cannot be used.
    """
    import numpy as np

    from cinealign.data.catalogue import Catalogue
    from cinealign.data.split import read_train_rows
    from cinealign.distance.files import load_distances
    from cinealign.errors import DataError
    from cinealign.evaluation.comparison import permutation_test
    from cinealign.evaluation.identity import identity_ids
    from cinealign.evaluation.metrics import evaluate_distances, split_rows

    if data is None and train_ids is None:  # before D is read: it may be large
        raise typer.BadParameter("a saved D needs its split: pass --train-ids train.txt or --data DIR")
    if data is None and identity == "intro":
        raise typer.BadParameter("--identity intro needs the intros: pass --data DIR")
    D = load_distances(path)
    ids = None
    if data is not None:
        catalogue = Catalogue.load(data)
        if len(catalogue) != len(D):
            raise DataError(
                f"{path} has {len(D)} rows but {data} has {len(catalogue)} items; are they of one data set?"
            )
        rows = catalogue.train_rows
        ids = None if identity == "item" else identity_ids(catalogue.ids, catalogue.intros, identity)
    else:
        assert train_ids is not None
        rows = np.asarray(read_train_rows(train_ids, len(D)), dtype=np.int64)
    scored = {"identity": identity, **evaluate_distances(D, ids, rows)}
    if permutation:
        scored["permutation_test"] = permutation_test(D, split_rows(rows, len(D))["held_out"])
    return scored
