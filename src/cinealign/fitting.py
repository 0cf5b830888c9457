"""Fits views, experts, teachers and fusion weights on the train pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cinealign.epochs import training_part
from cinealign.errors import ConfigError
from cinealign.experts.base import Expert, TeacherVectors, TrainingSet
from cinealign.experts.fusion import OutOfFold, fold_numbers, fusion_weights
from cinealign.experts.out_of_fold import turned
from cinealign.model import AlignmentModel, Views, build_distance, build_experts, build_views, transform
from cinealign.progress import progress
from cinealign.recipe import Recipe
from cinealign.state import State

Checkpoint = Callable[[str, Callable[[], State]], State]
"""Gives the state saved under a name, or computes and saves it: how an interrupted run goes on where it stopped."""


def no_checkpoint(_: str, compute: Callable[[], State]) -> State:
    """Computes anew every time."""
    return compute()


def fit_model(
    recipe: Recipe, training: TrainingSet, checkpoint: Checkpoint = no_checkpoint, *, curves: bool = False
) -> AlignmentModel:
    """Learn everything from the train pairs: weights on out-of-fold pairs, then views and experts on all of them.

    Where at most one weight is free there is nothing to weigh, and no fold is fitted.

    Args:
        recipe: what to do.
        training: the train pairs.
        checkpoint: of the fitted experts.
        curves: whether the history also gets a validation curve of experts that train in epochs (`Expert.validate`).

    Raises:
        ConfigError: fewer than two train pairs a fold, or an expert that does not fit its views.
    """
    free = sum(options.weight is None for options in recipe.align)
    distance = build_distance(recipe)
    needs_folds = free > 1 or distance.fitted
    folds = cross_fit(recipe, training, checkpoint, inside=distance.fitted) if needs_folds else []
    weights = _weights(recipe, folds)
    views, experts = fit_parts(recipe, training, checkpoint, "all", curves=curves)
    if distance.fitted:
        fold_of = fold_numbers(training.size, recipe.fusion.folds, recipe.seed)
        final = _encoded(views, experts, training)
        one_space = [expert.one_space for expert in experts]
        distance.fit(turned(folds, final, fold_of, weights, one_space), seed=recipe.seed)
    return AlignmentModel(recipe, views, experts, weights, distance)


def fit_parts(
    recipe: Recipe, training: TrainingSet, checkpoint: Checkpoint, name: str, *, curves: bool = False
) -> tuple[Views, list[Expert]]:
    """Views and experts fitted on the pairs of `training`; `name` marks the states in the checkpoint."""
    views = build_views(recipe)
    for side in (training.poster, training.intro):
        for view_name, extracted in side.items():
            views[view_name].fit(extracted)
    words = {view_name: listed for view_name, view in views.items() if (listed := view.words()) is not None}
    origins = {view_name: origin for view_name, view in views.items() if (origin := view.origin()) is not None}
    features = replace(
        training,
        poster=transform(views, training.poster),
        intro=transform(views, training.intro),
        words=words,
        origins=origins,
    )
    experts = build_experts(recipe)
    for i, expert in enumerate(experts):

        def fitted(expert: Expert = expert) -> State:
            taught = _taught(recipe, expert, features)
            expert.fit(taught, seed=recipe.seed)
            if curves:
                expert.history = [*expert.validate(taught, seed=recipe.seed), *expert.history]  # the final one ends it
            return expert.state()

        kind = recipe.align[i].expert
        with training_part(name), training_part(kind if len(experts) == 1 else f"expert {i} ({kind})"):
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
    poster, intro = transform(views, pairs.poster), transform(views, pairs.intro)
    return OutOfFold([e.encode_poster(poster) for e in experts], [e.encode_intro(intro) for e in experts])


def _weights(recipe: Recipe, out_of_fold: list[OutOfFold]) -> NDArray[np.float64]:
    fixed = [options.weight for options in recipe.align]
    return fusion_weights(out_of_fold, fixed, temperature=recipe.fusion.temperature, steps=recipe.fusion.steps)
