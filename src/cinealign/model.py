"""The fitted model: encodes posters and intros into one space, saves and loads itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.posters import Poster
from cinealign.distance.base import Distance
from cinealign.distance.distances import DISTANCES
from cinealign.errors import ConfigError, ModelError, damage_refused
from cinealign.experts.base import Expert, TrainingSet, Vectors
from cinealign.experts.fusion import fuse
from cinealign.experts.registry import EXPERTS
from cinealign.recipe import Recipe
from cinealign.state import State
from cinealign.views.base import Extracted, Features, View
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from cinealign.views.weights import MissingWeightsError

Views = dict[str, View[Any]]


@dataclass(frozen=True)
class Extracts:
    """What the frozen parts of the views saw of each item alone; nothing in it was learned from this data."""

    poster: Mapping[str, Extracted]
    intro: Mapping[str, Extracted]
    size: int

    @classmethod
    def of(cls, recipe: Recipe, posters: Sequence[Poster], intros: Sequence[str], store: FeatureStore) -> Extracts:
        """Look at N posters and their N intros through the recipe's views, item by item, by way of the store."""
        views = build_views(recipe)
        with _weights_named(recipe):
            return cls(extract(views, "poster", posters, store), extract(views, "intro", intros, store), len(posters))

    def training_set(
        self, train_rows: NDArray[np.int64], labels: Mapping[str, NDArray[np.float32]] | None = None
    ) -> TrainingSet:
        """The train rows, which are all that `fit` ever sees.

        Args:
            train_rows: rows of the train movies.
            labels: name -> (T, G), row t of train_rows[t]: labels of train movies only, for losses that use them.
        """
        return replace(TrainingSet(self.poster, self.intro, self.size).take(train_rows), labels=labels or {})


class AlignmentModel:
    """Views, experts, weights and distance, fitted; a higher inner product of what it encodes is a nearer pair."""

    def __init__(
        self,
        recipe: Recipe,
        views: Views,
        experts: list[Expert],
        weights: NDArray[np.float64],
        distance: Distance | None = None,
    ) -> None:
        self.recipe, self.views, self.experts, self.weights = recipe, views, experts, weights
        self.distance = distance or build_distance(recipe)

    def encode_posters(self, posters: Sequence[Poster], store: FeatureStore) -> Vectors:
        """(N, D) vectors of any posters."""
        with _weights_named(self.recipe):
            return self.encode_poster_extracts(extract(self.views, "poster", posters, store))

    def encode_intros(self, intros: Sequence[str], store: FeatureStore) -> Vectors:
        """(N, D) vectors of any intros."""
        with _weights_named(self.recipe):
            return self.encode_intro_extracts(extract(self.views, "intro", intros, store))

    def encode_poster_extracts(self, extracts: Mapping[str, Extracted]) -> Vectors:
        """(N, D) vectors of posters that the views have looked at already."""
        return self.distance.poster(fuse(self.poster_parts(extracts), self.weights))

    def encode_intro_extracts(self, extracts: Mapping[str, Extracted]) -> Vectors:
        """(N, D) vectors of intros that the views have looked at already."""
        return self.distance.intro(fuse(self.intro_parts(extracts), self.weights))

    def poster_parts(self, extracts: Mapping[str, Extracted]) -> list[Vectors]:
        """What each expert alone makes of posters, before weights and distance: (N, D_e) an expert."""
        features = transform(self.views, extracts)
        return [expert.encode_poster(features) for expert in self.experts]

    def intro_parts(self, extracts: Mapping[str, Extracted]) -> list[Vectors]:
        """What each expert alone makes of intros, before weights and distance: (N, D_e) an expert."""
        features = transform(self.views, extracts)
        return [expert.encode_intro(features) for expert in self.experts]

    def save(self, folder: Path) -> None:
        """Write recipe, weights and every part's state into `folder` (made here)."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "recipe.yaml").write_text(self.recipe.to_yaml(), encoding="utf-8")
        (folder / "fusion.json").write_text(json.dumps({"weights": self.weights.tolist()}, indent=1), encoding="utf-8")
        for name, view in self.views.items():
            view.state().save(folder / f"view-{name}.safetensors")
        for i, expert in enumerate(self.experts):
            expert.state().save(folder / f"expert-{i}.safetensors")
        self.distance.state().save(folder / "distance.safetensors")

    @classmethod
    def load(cls, folder: Path) -> AlignmentModel:
        """Read what `save` wrote.

        Raises:
            ModelError: a file is missing or damaged.
        """
        try:
            recipe = Recipe.load(folder / "recipe.yaml")
            given = json.loads((folder / "fusion.json").read_text(encoding="utf-8"))["weights"]
            weights = np.asarray(given, dtype=np.float64)
            if weights.shape != (len(recipe.align),) or not np.isfinite(weights).all() or (weights < 0).any():
                raise ValueError(f"fusion.json: expected {len(recipe.align)} weights of at least 0")
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError, ConfigError) as error:
            raise ModelError(f"{folder} does not hold a saved model ({error}); run the recipe again") from None
        views = build_views(recipe)
        for name, view in views.items():
            with _whole(folder / f"view-{name}.safetensors") as path:
                view.load_state(State.load(path))
        experts = build_experts(recipe)
        with _weights_named(recipe):  # a tower that trains the last layers of a model takes the others from its files
            for i, expert in enumerate(experts):
                with _whole(folder / f"expert-{i}.safetensors") as path:
                    expert.load_state(State.load(path))
        with _whole(folder / "distance.safetensors") as path:
            distance = build_distance(recipe).load_state(State.load(path))
        return cls(recipe, views, experts, weights, distance)


def build_views(recipe: Recipe) -> Views:
    """The recipe's views, not yet fitted."""
    return {name: VIEWS.make(options) for name, options in recipe.views.items()}


def build_experts(recipe: Recipe) -> list[Expert]:
    """The recipe's experts, not yet fitted."""
    return [EXPERTS.make(options) for options in recipe.align]


def build_distance(recipe: Recipe) -> Distance:
    """The recipe's distance, not yet fitted."""
    return DISTANCES.make(recipe.distance)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """`path`, whose state is taken over inside; one that does not fit its part is refused."""
    with damage_refused(ModelError, path, "run the recipe again with --force"):
        yield path


@contextmanager
def _weights_named(recipe: Recipe) -> Iterator[None]:
    """Inside, missing weights are said together with the recipe that wants them."""
    try:
        yield
    except MissingWeightsError as error:
        raise MissingWeightsError(f"recipe {recipe.name!r} {error}") from None


def extract(views: Views, side: str, items: Sequence[Any], store: FeatureStore) -> dict[str, Extracted]:
    """What each of the views of `side` ("poster" or "intro") sees of N items, by way of the store."""
    return {name: view.extract(items, store) for name, view in views.items() if view.side == side}


def transform(views: Views, extracts: Mapping[str, Extracted]) -> dict[str, Features]:
    """The features of what fitted views have seen, by name."""
    return {name: views[name].transform(extracted) for name, extracted in extracts.items()}
