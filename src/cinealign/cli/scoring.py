"""What `cinealign evaluate` scores: a run from its saved vectors, or a saved matrix D."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cinealign.data.catalogue import Catalogue
    from cinealign.run import Run


def score_run(folder: Path, data: Path | None, identity: str, permutation: bool) -> tuple[dict[str, Any], bool]:
    """Metrics of a run's vectors, with `permutation_test` where asked; and whether its data have a course score."""
    from cinealign.distance.distances import distance_matrix
    from cinealign.evaluation.comparison import permutation_test
    from cinealign.evaluation.identity import identity_ids
    from cinealign.evaluation.metrics import evaluate_vectors, split_rows
    from cinealign.evaluation.transductive import evaluate_transductive
    from cinealign.run_data import RunData

    run = open_run(folder)
    poster, intro = run_vectors(run, data)
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
    scored = {"recipe": run.recipe.name, "data": run.metrics["data"], "identity": identity, **scored}
    return scored, run.assignment


def open_run(folder: Path) -> Run:
    """The run in `folder`, or the one that an unpacked submission has in its folder run/."""
    from cinealign.run import Run

    inner = folder / "run"
    return Run(inner if (inner / "metrics.json").is_file() and not (folder / "metrics.json").exists() else folder)


def run_vectors(run: Run, data: Path | None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The run's vectors; where it has none, as an unpacked submission, the saved model makes them from the data.

    Raises:
        DataError: no vectors, and no data or other data than the run's.
    """
    from cinealign.errors import DataError
    from cinealign.progress import say
    from cinealign.run_data import RunData

    if run.has_vectors:
        return run.vectors
    say(f"{run.folder} has no vectors (a submission leaves them out): making them again with its model")
    try:
        return RunData.find(run, data).vectors
    except DataError as error:
        raise DataError(f"{run.folder} has no vectors, and its model needs the data to make them: {error}") from None


def score_distances(
    path: Path, train_ids: Path | None, data: Path | None, identity: str, permutation: bool
) -> tuple[dict[str, Any], bool]:
    """Metrics of a saved D, with `permutation_test` where asked; and whether its data, if known, have a course score.

    Raises:
        DataError: D and the data are of different sizes, labels of D are not those of the data, or one cannot be used.
    """
    from cinealign.data.catalogue import Catalogue
    from cinealign.distance.files import load_distances
    from cinealign.evaluation.comparison import permutation_test
    from cinealign.evaluation.identity import identity_ids
    from cinealign.evaluation.metrics import evaluate_distances, split_rows

    if data is None and train_ids is None:  # before D is read: it may be large
        raise typer.BadParameter("a saved D needs its split: pass --train-ids train.txt or --data DIR")
    if data is None and identity == "intro":
        raise typer.BadParameter("--identity intro needs the intros: pass --data DIR")
    catalogue = None if data is None else Catalogue.load(data)
    D = load_distances(path, ids=None if catalogue is None else catalogue.ids)
    rows = split_of(train_ids, catalogue, len(D))
    ids = None
    if catalogue is not None and identity != "item":
        ids = identity_ids(catalogue.ids, catalogue.intros, identity)
    scored = {"identity": identity, **evaluate_distances(D, ids, rows)}
    if permutation:
        scored["permutation_test"] = permutation_test(D, split_rows(rows, len(D))["held_out"])
    return scored, catalogue is None or catalogue.report.assignment


def split_of(train_ids: Path | None, catalogue: Catalogue | None, n: int) -> NDArray[np.int64]:
    """Train rows of a foreign D: those that --train-ids names, else those of --data.

    Args:
        train_ids: a file like train.txt, of rows of D, or of ids where there is a catalogue.
        catalogue: the data of D, if they are at hand.
        n: rows of D.
    Raises:
        DataError: the file cannot be used.
    """
    import numpy as np

    from cinealign.data.split.train_file import read_split_of, read_train_rows
    from cinealign.progress import say

    if train_ids is None:
        assert catalogue is not None
        return catalogue.train_rows
    if catalogue is None:
        numbers = read_train_rows(train_ids, n)
        say(
            f"{train_ids.name}: {len(numbers)} train items, read as rows of D ({n} rows); where items were dropped before D "
            "was made, the file counts others: pass --data DIR as well"
        )
        return np.asarray(numbers, dtype=np.int64)
    own_reading = catalogue.report.train_read_as
    rows, read_as = read_split_of(train_ids, catalogue.ids.tolist(), own_reading)
    say(f"{train_ids.name}: {len(rows)} train items, read as {read_as}")
    return np.asarray(rows, dtype=np.int64)
