"""What every question of the analysis starts from: a finished run, its data, and what its model makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.references import Reference
from cinealign.data.catalogue import Catalogue
from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.metrics import TASK_RATIO, ranks_both_ways
from cinealign.experts.base import Inputs, Vectors, normalised
from cinealign.experts.fusion import fuse
from cinealign.model import AlignmentModel
from cinealign.run import Run
from cinealign.run_data import RunData
from cinealign.views.base import Extracted
from cinealign.views.poster.lettering import LetteringView, fullest_reader
from cinealign.views.store import FeatureStore

SIDES = ("poster", "intro")
R = TypeVar("R", bound=Reference)


class ModelWithoutMemory(AlignmentModel):
    """A fitted model whose experts that only remember train pairs see nothing: what it has understood, not what it recalls.

    Their coordinates stay and are 0, so that a distance that was fitted on the vectors still fits.
    """

    @classmethod
    def of(cls, model: AlignmentModel) -> ModelWithoutMemory:
        """The same parts."""
        return cls(model.recipe, model.views, model.experts, model.weights, model.distance)

    def poster_parts(self, extracts: Mapping[str, Extracted]) -> list[Vectors]:
        """As the model's, zeros for an expert that only remembers."""
        return self.forgotten(super().poster_parts(extracts))

    def intro_parts(self, extracts: Mapping[str, Extracted]) -> list[Vectors]:
        """As the model's, zeros for an expert that only remembers."""
        return self.forgotten(super().intro_parts(extracts))

    def forgotten(self, parts: list[Vectors]) -> list[Vectors]:
        """What each expert makes of items, without what is only remembered."""
        kinds = [options.expert for options in self.recipe.align]
        return [np.zeros_like(rows) if kind == "memory" else rows for kind, rows in zip(kinds, parts, strict=True)]


class Material(RunData):
    """A run with its data, as the questions look at them: ranks, and what each view and expert makes of a movie."""

    @classmethod
    def of(cls, run: Run, catalogue: Catalogue, store: FeatureStore) -> Material:
        """Look at the data of `run` again.

        Raises:
            DataError: `catalogue` is not what the run was made from.
        """
        found = cls(run, catalogue, store)
        found.refuse_other_data()
        return found

    @property
    def k(self) -> int:
        """How many of the gallery count as near in the task."""
        return top_k(TASK_RATIO, len(self.catalogue))

    @property
    def samples(self) -> int:
        """Bootstrap samples, as the recipe has them."""
        return self.run.recipe.evaluation.bootstrap

    @property
    def seed(self) -> int:
        """Of everything drawn here: the recipe's."""
        return self.run.recipe.seed

    @cached_property
    def parts(self) -> dict[str, list[Vectors]]:
        """Side -> what each expert makes of it, (N, D_e) an expert, before weights and distance."""
        return {
            "poster": self.model.poster_parts(self.extracts.poster),
            "intro": self.model.intro_parts(self.extracts.intro),
        }

    @cached_property
    def aligned(self) -> dict[str, Vectors]:
        """Side -> (N, D) unit rows in the shared space, and `both`: their mean's direction.

        Experts that only remember train pairs are left out: they tell train movies from held-out ones, which is no
        feature of a movie. Where a recipe has no others they stay.
        """
        sides = {side: self._fused(self.parts[side]) for side in SIDES}
        return {**sides, "both": normalised(sides["poster"] + sides["intro"])}

    @cached_property
    def without_memory(self) -> tuple[AlignmentModel, tuple[Vectors, Vectors]]:
        """The model without its memory of train pairs, and the (N, D) vectors that it gives both sides."""
        model = ModelWithoutMemory.of(self.model)
        poster, intro = (fuse(model.forgotten(self.parts[side]), model.weights) for side in SIDES)
        return model, (model.distance.poster(poster), model.distance.intro(intro))

    def aligned_texts(self, texts: Sequence[str]) -> Vectors:
        """(M, D) unit rows of any texts in the space of `aligned`, as the intro side sees them."""
        views = {name: self.model.views[name] for name in self.extracts.intro}
        seen = {name: view.extract(texts, self.store) for name, view in views.items()}
        return self._fused(self.model.intro_parts(seen))

    def _fused(self, parts: list[Vectors]) -> Vectors:
        weights = self.model.weights.copy()
        memories = [options.expert == "memory" for options in self.run.recipe.align]
        if weights[np.logical_not(memories)].sum() > 0:
            weights[memories] = 0
        return normalised(fuse(parts, weights / weights.sum()))

    @cached_property
    def raw_views(self) -> dict[str, dict[str, NDArray[np.float32]]]:
        """Side -> view -> (N, F) features, of the views that give a matrix of numbers."""
        found: dict[str, dict[str, NDArray[np.float32]]] = {}
        for side, seen in (("poster", self.extracts.poster), ("intro", self.extracts.intro)):
            features = {name: self.model.views[name].transform(extracted) for name, extracted in seen.items()}
            found[side] = {
                name: rows.astype(np.float32, copy=False)
                for name, rows in features.items()
                if rows.ndim == 2 and rows.dtype.kind == "f"
            }
        return found

    @cached_property
    def raw(self) -> dict[str, Vectors]:
        """Side -> (N, F) unit rows of its raw views side by side (centred and scaled on train rows), and `both`.

        A side without a view of numbers is missing, and `both` with it.
        """
        found: dict[str, Vectors] = {}
        for side in SIDES:
            views = self.raw_views[side]
            if views:
                inputs = Inputs.fit(list(views), {name: rows[self.train] for name, rows in views.items()})
                found[side] = normalised(inputs(views))
        if len(found) == len(SIDES):
            found["both"] = normalised(np.concatenate([found[side] for side in SIDES], axis=1))
        return found

    @cached_property
    def ranks(self) -> dict[str, NDArray[np.int64]]:
        """Direction -> (N,) rank of every movie's partner in the whole gallery."""
        return ranks_both_ways(*self.run.vectors, self.catalogue.ids)

    @cached_property
    def lettering(self) -> LetteringView | None:
        """The view that reads most of a poster's lettering; None where the recipe has none."""
        return fullest_reader(self.model.views.values())

    def movie(self, row: int) -> Reference:
        """A reference to movie `row`."""
        return self.movie_as(Reference, row)

    def movie_as(self, kind: type[R], row: int, **more: Any) -> R:
        """A reference of another kind, with the intro and the genres where it has a place for them.

        Args:
            kind: what to make.
            row: of the movie.
            more: the other fields of `kind`.
        """
        movie = self.catalogue.movies[int(row)]
        known = {"intro": movie.intro, "genres": list(movie.genres)}
        own = {field.name: known[field.name] for field in fields(kind) if field.name in known}
        return kind(row=int(row), id=movie.movie_id, title=movie.title, **own, **more)
