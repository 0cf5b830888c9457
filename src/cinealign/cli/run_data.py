"""The data of a finished run, found again for the commands that need posters and intros."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cinealign.data.catalogue import Catalogue
    from cinealign.run import Run


def run_catalogue(run: Run, given: Path | None, *, same: bool = True) -> Catalogue:
    """The catalogue that `run` was made from, read with the options it was made with.

    Args:
        run: a finished run.
        given: --data; else the drawn sample for a run on it, or the usual places.
        same: refuse other data than the run's.
    Raises:
        DataError: no data folder, or other data.
    """
    import platformdirs

    from cinealign.data.catalogue import Catalogue
    from cinealign.data.locate import locate_data
    from cinealign.data.report import NO_INTRO
    from cinealign.data.sample import sample_catalogue
    from cinealign.errors import DataError

    report = run.catalogue["report"]
    drawn = run.metrics["data"]["source"] == "sample"
    folder = given if given is not None else None if drawn else locate_data(None)
    if folder is not None:
        dropped = any(drop["reason"] == NO_INTRO for drop in report["drops"])
        catalogue = Catalogue.load(
            folder, train_ids=report["train_ids_asked"], missing_intro="drop" if dropped else "error"
        )
    elif drawn:
        catalogue = sample_catalogue(Path(platformdirs.user_cache_dir("cinealign")))
    else:
        raise DataError(f"{run.folder}: its data folder is not at any usual place; pass --data DIR")
    if same and catalogue.digest != run.catalogue["digest"]:
        raise DataError(f"{catalogue.folder} does not hold the data that {run.folder} was made from; pass --data DIR")
    return catalogue


def run_ranks(run: Run) -> dict[str, NDArray[np.int64]]:
    """Ranks of all movies in both directions, from the saved vectors."""
    from cinealign.evaluation.metrics import DIRECTIONS
    from cinealign.evaluation.ranks import retrieval_ranks

    poster, intro = run.vectors
    sides = ((poster, intro), (intro, poster))
    return {
        direction: retrieval_ranks(query, gallery, run.ids, run.ids)
        for direction, (query, gallery) in zip(DIRECTIONS, sides, strict=True)
    }
