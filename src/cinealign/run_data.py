"""A finished run together with the data it was made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinealign.data.catalogue import Catalogue
from cinealign.data.locate import locate_data
from cinealign.errors import DataError
from cinealign.experts.base import Vectors
from cinealign.model import AlignmentModel, Extracts
from cinealign.progress import say
from cinealign.run import Run
from cinealign.views.store import FeatureStore


@dataclass(eq=False)
class RunData:
    """A run with its catalogue and a feature store; what its views see of the data is taken from the store when asked."""

    run: Run
    catalogue: Catalogue
    store: FeatureStore = field(default_factory=FeatureStore)

    @classmethod
    def find(cls, run: Run, given: Path | None = None, *, same: bool = True) -> RunData:
        """The run with its data.

        Args:
            run: a finished run.
            given: the data folder; else where the run's data was, else the usual places.
            same: refuse other data than the run's.
        Raises:
            DataError: no data folder, or other data.
        """
        found = cls(run, _catalogue(run, given))
        if same:
            found.refuse_other_data()
        return found

    def refuse_other_data(self) -> None:
        """See that the catalogue is what the run was made from.

        Raises:
            DataError: it is not.
        """
        if self.catalogue.digest != self.run.catalogue["digest"]:
            raise DataError(
                f"{self.catalogue.folder} does not hold the data that {self.run.folder} was made from; pass --data DIR"
            )

    @cached_property
    def extracts(self) -> Extracts:
        """What the frozen parts of the run's views see of every movie."""
        return Extracts.of(self.model.recipe, self.catalogue.posters, self.catalogue.intros, self.store)

    @cached_property
    def encoded(self) -> tuple[Vectors, Vectors]:
        """(N, D) vectors of both sides, from the saved model and the data folder."""
        model = self.model
        return model.encode_poster_extracts(self.extracts.poster), model.encode_intro_extracts(self.extracts.intro)

    @property
    def vectors(self) -> tuple[Vectors, Vectors]:
        """(N, D) vectors of both sides as the run saved them, or made again where it has none (a submission)."""
        return self.run.vectors if self.run.has_vectors else self.encoded

    @property
    def model(self) -> AlignmentModel:
        """The fitted model of the run."""
        return self.run.model

    @property
    def train(self) -> NDArray[np.int64]:
        """Rows of the train movies."""
        return self.catalogue.train_rows

    @property
    def held_out(self) -> NDArray[np.int64]:
        """Rows of the held-out movies: Q of N."""
        return self.catalogue.held_out_rows


def _catalogue(run: Run, given: Path | None) -> Catalogue:
    folder = given if given is not None else _folder(run)
    report = run.catalogue["report"]
    return Catalogue.load(
        folder,
        train_ids=report["train_ids_asked"],
        missing_intro=report.get("missing_intro_asked", "drop"),  # a run of an older version: its digest decides
    )


def _folder(run: Run) -> Path:
    """Where the run's data was, if it is still there, else the usual places; a drawn sample is drawn again."""
    was = run.data_folder
    if was is not None and was.is_dir():
        return was
    if run.metrics["data"]["source"] == "sample":
        import platformdirs

        from cinealign.data.drawn.movies import sample_catalogue

        return sample_catalogue(Path(platformdirs.user_cache_dir("cinealign"))).folder
    folder = locate_data(None)
    if folder is None:
        moved = f"its data folder {was} is gone" if was is not None else "its data folder is not at any usual place"
        raise DataError(f"{run.folder}: {moved}; pass --data DIR")
    if was is not None:
        say(f"{run.folder}: its data folder {was} is gone; reading {folder} in its place")
    return folder
