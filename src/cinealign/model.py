"""The fitted model: views, experts and their weights; it turns posters and intros into vectors of one space."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.data.posters import PosterFile
from cinealign.distance.base import Distance
from cinealign.distance.distances import DISTANCES
from cinealign.errors import ConfigError, ModelError
from cinealign.experts.aligned import turned
from cinealign.experts.base import Expert, TeacherVectors, TrainingSet, Vectors
from cinealign.experts.fusion import OutOfFold, fold_numbers, fuse, fusion_weights
from cinealign.experts.registry import EXPERTS
from cinealign.progress import progress
from cinealign.recipe import Recipe
from cinealign.state import State
from cinealign.views.base import Extracted, Features, View
from cinealign.views.registry import VIEWS
from cinealign.views.store import FeatureStore
from cinealign.views.weights import MissingWeightsError

Views = dict[str, View[Any]]
Checkpoint = Callable[[str, Callable[[], State]], State]
"""Gives the state saved under a name, or computes and saves it: how an interrupted run goes on where it stopped."""


def no_checkpoint(_: str, compute: Callable[[], State]) -> State:
    """Computes anew every time."""
    return compute()


@dataclass(frozen=True)
class Extracts:
    """What the frozen parts of the views saw of each item alone; nothing in it was learned from this data."""

    poster: Mapping[str, Extracted]
    intro: Mapping[str, Extracted]
    size: int

    @classmethod
    def of(cls, recipe: Recipe, posters: Sequence[PosterFile], intros: Sequence[str], store: FeatureStore) -> Extracts:
        """Look at N posters and their N intros through the recipe's views, item by item, by way of the store."""
        views = build_views(recipe)
        with _weights_named(recipe):
            return cls(_extract(views, "poster", posters, store), _extract(views, "intro", intros, store), len(posters))

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

    @classmethod
    def fit(cls, recipe: Recipe, training: TrainingSet, checkpoint: Checkpoint = no_checkpoint) -> AlignmentModel:
        """Learn everything from the train pairs: weights on out-of-fold pairs, then views and experts on all of them.

        Where at most one weight is free there is nothing to weigh, and no fold is fitted.

        Raises:
            ConfigError: fewer than two train pairs a fold, or an expert that does not fit its views.
        """
        free = sum(options["weight"] is None for options in recipe.align)
        distance = build_distance(recipe)
        needs_folds = free > 1 or distance.fitted
        folds = cross_fit(recipe, training, checkpoint, inside=distance.fitted) if needs_folds else []
        weights = _weights(recipe, folds)
        views, experts = fit_parts(recipe, training, checkpoint, "all")
        if distance.fitted:
            fold_of = fold_numbers(training.size, recipe.fusion.folds, recipe.seed)
            final = _encoded(views, experts, training)
            one_space = [expert.one_space for expert in experts]
            distance.fit(turned(folds, final, fold_of, weights, one_space), seed=recipe.seed)
        return cls(recipe, views, experts, weights, distance)

    def encode_posters(self, posters: Sequence[PosterFile], store: FeatureStore) -> Vectors:
        """(N, D) vectors of any posters."""
        with _weights_named(self.recipe):
            return self.encode_poster_extracts(_extract(self.views, "poster", posters, store))

    def encode_intros(self, intros: Sequence[str], store: FeatureStore) -> Vectors:
        """(N, D) vectors of any intros."""
        with _weights_named(self.recipe):
            return self.encode_intro_extracts(_extract(self.views, "intro", intros, store))

    def encode_poster_extracts(self, extracts: Mapping[str, Extracted]) -> Vectors:
        """(N, D) vectors of posters that the views have looked at already."""
        return self.distance.poster(fuse(self.poster_parts(extracts), self.weights))

    def encode_intro_extracts(self, extracts: Mapping[str, Extracted]) -> Vectors:
        """(N, D) vectors of intros that the views have looked at already."""
        return self.distance.intro(fuse(self.intro_parts(extracts), self.weights))

    def poster_parts(self, extracts: Mapping[str, Extracted]) -> list[Vectors]:
        """What each expert alone makes of posters, before weights and distance: (N, D_e) an expert."""
        features = _transform(self.views, extracts)
        return [expert.encode_poster(features) for expert in self.experts]

    def intro_parts(self, extracts: Mapping[str, Extracted]) -> list[Vectors]:
        """What each expert alone makes of intros, before weights and distance: (N, D_e) an expert."""
        features = _transform(self.views, extracts)
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
            weights = np.asarray(json.loads((folder / "fusion.json").read_text(encoding="utf-8"))["weights"])
        except (OSError, ValueError, KeyError, TypeError, ConfigError) as error:
            raise ModelError(f"{folder} does not hold a saved model ({error}); run the recipe again") from None
        views = build_views(recipe)
        for name, view in views.items():
            view.load_state(State.load(folder / f"view-{name}.safetensors"))
        experts = build_experts(recipe)
        with _weights_named(recipe):  # a tower that trains the last layers of a model takes the others from its files
            for i, expert in enumerate(experts):
                expert.load_state(State.load(folder / f"expert-{i}.safetensors"))
        distance = build_distance(recipe).load_state(State.load(folder / "distance.safetensors"))
        return cls(recipe, views, experts, weights, distance)


def build_views(recipe: Recipe) -> Views:
    """The recipe's views, not yet fitted."""
    return {name: VIEWS.build(o["view"], _without(o, "view"), f"views.{name}") for name, o in recipe.views.items()}


def build_experts(recipe: Recipe) -> list[Expert]:
    """The recipe's experts, not yet fitted."""
    return [EXPERTS.build(o["expert"], _without(o, "expert"), f"align[{i}]") for i, o in enumerate(recipe.align)]


def build_distance(recipe: Recipe) -> Distance:
    """The recipe's distance, not yet fitted."""
    return DISTANCES.build(recipe.distance["distance"], _without(recipe.distance, "distance"), "distance")


def fit_parts(recipe: Recipe, training: TrainingSet, checkpoint: Checkpoint, name: str) -> tuple[Views, list[Expert]]:
    """Views and experts fitted on the pairs of `training`; `name` marks the states in the checkpoint."""
    views = build_views(recipe)
    for side in (training.poster, training.intro):
        for view_name, extracted in side.items():
            views[view_name].fit(extracted)
    words = {view_name: listed for view_name, view in views.items() if (listed := view.words()) is not None}
    origins = {view_name: origin for view_name, view in views.items() if (origin := view.origin()) is not None}
    features = replace(
        training,
        poster=_transform(views, training.poster),
        intro=_transform(views, training.intro),
        words=words,
        origins=origins,
    )
    experts = build_experts(recipe)
    for i, expert in enumerate(experts):

        def fitted(expert: Expert = expert) -> State:
            return expert.fit(_taught(recipe, expert, features), seed=recipe.seed).state()

        expert.load_state(checkpoint(f"{name}-expert-{i}", fitted))
    return views, experts


def teacher_vectors(recipe: Recipe, position: int, features: TrainingSet) -> TeacherVectors:
    """The pairs of `features` as expert `position` of the recipe sees them, each encoded by a copy fitted without it."""
    fold = fold_numbers(features.size, min(recipe.fusion.folds, features.size), recipe.seed)
    parts = []
    for number in range(int(fold.max()) + 1):
        expert = build_experts(recipe)[position]
        inside, outside = features.take(np.flatnonzero(fold != number)), features.take(np.flatnonzero(fold == number))
        expert.fit(_taught(recipe, expert, inside), seed=recipe.seed)
        # Features are arrays by now: views were fitted before.
        poster = expert.encode_poster({name: np.asarray(rows) for name, rows in outside.poster.items()})
        parts.append((poster, expert.encode_intro({name: np.asarray(rows) for name, rows in outside.intro.items()})))
    width = max(poster.shape[1] for poster, _ in parts)  # a closed form can have fewer directions in a smaller fold
    sides = [np.zeros((features.size, width), dtype=np.float32) for _ in range(2)]
    for number, part in enumerate(parts):
        for side, rows in zip(sides, part, strict=True):
            side[fold == number, : rows.shape[1]] = rows
    return TeacherVectors(sides[0], sides[1], fold)


def _taught(recipe: Recipe, expert: Expert, features: TrainingSet) -> TrainingSet:
    """`features` with what the expert's teachers say of them; a teacher never speaks of a pair that it was fitted on."""
    teachers = {position: teacher_vectors(recipe, position, features) for position in expert.options.teachers()}
    return replace(features, teachers=teachers)


def cross_fit(
    recipe: Recipe, training: TrainingSet, checkpoint: Checkpoint = no_checkpoint, *, inside: bool = False
) -> list[OutOfFold]:
    """Every fold of the train pairs, encoded by views and experts fitted on the other folds only.

    Raises:
        ConfigError: a fold would have fewer than two pairs, so that no partner could be mistaken for another.
    """
    out_of_fold = []
    with progress("folds", recipe.fusion.folds) as bar:
        for fold in each_fold(recipe, training, checkpoint, inside=inside):
            out_of_fold.append(fold)
            bar.advance()
    return out_of_fold


def each_fold(
    recipe: Recipe, training: TrainingSet, checkpoint: Checkpoint = no_checkpoint, *, inside: bool = False
) -> Iterator[OutOfFold]:
    """The folds of `cross_fit` one at a time, fitted when asked for.

    Raises:
        ConfigError: as `cross_fit`.
    """
    if training.size < 2 * recipe.fusion.folds:
        raise ConfigError(
            f"fusion.folds = {recipe.fusion.folds} needs at least {2 * recipe.fusion.folds} train pairs, "
            f"got {training.size}; lower it, or give the experts fixed weights"
        )
    fold_of = fold_numbers(training.size, recipe.fusion.folds, recipe.seed)
    for fold in range(recipe.fusion.folds):
        known = training.take(np.flatnonzero(fold_of != fold))
        left_out = training.take(np.flatnonzero(fold_of == fold))
        views, experts = fit_parts(recipe, known, checkpoint, f"fold-{fold}")
        encoded = _encoded(views, experts, left_out)
        yield replace(encoded, inside=_encoded(views, experts, known)) if inside else encoded


def _encoded(views: Views, experts: list[Expert], pairs: TrainingSet) -> OutOfFold:
    poster, intro = _transform(views, pairs.poster), _transform(views, pairs.intro)
    return OutOfFold([e.encode_poster(poster) for e in experts], [e.encode_intro(intro) for e in experts])


def _weights(recipe: Recipe, out_of_fold: list[OutOfFold]) -> NDArray[np.float64]:
    fixed = [options["weight"] for options in recipe.align]
    return fusion_weights(out_of_fold, fixed, temperature=recipe.fusion.temperature, steps=recipe.fusion.steps)


@contextmanager
def _weights_named(recipe: Recipe) -> Iterator[None]:
    """Inside, missing weights are said together with the recipe that wants them."""
    try:
        yield
    except MissingWeightsError as error:
        raise ModelError(f"recipe {recipe.name!r} {error}") from None


def _without(options: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != key}


def _extract(views: Views, side: str, items: Sequence[Any], store: FeatureStore) -> dict[str, Extracted]:
    return {name: view.extract(items, store) for name, view in views.items() if view.side == side}


def _transform(views: Views, extracts: Mapping[str, Extracted]) -> dict[str, Features]:
    return {name: views[name].transform(extracted) for name, extracted in extracts.items()}
