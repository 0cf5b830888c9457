"""The score that hyper-parameters are chosen by: cross-validation inside the train pairs, one number a fold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.errors import ConfigError
from cinealign.evaluation.accuracy import top_k
from cinealign.evaluation.metrics import TASK_RATIO
from cinealign.evaluation.ranks import retrieval_ranks
from cinealign.experts.base import TrainingSet
from cinealign.experts.fusion import OutOfFold, fuse, fusion_weights
from cinealign.fitting import Checkpoint, each_fold, no_checkpoint
from cinealign.model import build_experts
from cinealign.recipe import Recipe
from cinealign.state import State


def inner_scores(recipe: Recipe, training: TrainingSet, checkpoint: Checkpoint = no_checkpoint) -> Iterator[float]:
    """The `fold_score` of every fold of the train pairs, in turn; a fold is fitted when its score is asked for.

    Views and experts are fitted without the fold. The folds are those of the recipe's seed and `fusion.folds`. The recipe's
    distance plays no part: what is judged are the fused vectors.

    Raises:
        ConfigError: too few train pairs for that many folds, or for one pair to be among the nearest 5 % of a fold.
    """
    smallest = training.size // recipe.fusion.folds
    if top_k(TASK_RATIO, smallest) < 1:
        raise ConfigError(
            f"{training.size} train pairs in {recipe.fusion.folds} folds leave {smallest} a fold, and the nearest 5 % of "
            "that is nobody: tuning needs 20 pairs per fold; lower fusion.folds"
        )
    for fold in each_fold(recipe, training, checkpoint):
        yield fold_score(fold, recipe)


def fold_score(fold: OutOfFold, recipe: Recipe) -> float:
    """Top-5 % accuracy of both directions, summed, of the fused vectors of one fold's pairs; in [0, 2].

    Weights of experts are learned too, and must not be judged on the pairs that they were learned on. So they are learned on
    every other pair of the fold and judged on the rest, then the other way round; the gallery is always the whole fold.
    The final weights come from several times as many pairs, so this is, if anything, too low.
    """
    count = len(fold.poster[0])
    ids, fixed = np.arange(count), [options.weight for options in recipe.align]
    found = 0
    for parity in (0, 1):
        learned, judged = ids[ids % 2 == parity], ids[ids % 2 != parity]
        part = OutOfFold([rows[learned] for rows in fold.poster], [rows[learned] for rows in fold.intro])
        weights = fusion_weights([part], fixed, temperature=recipe.fusion.temperature, steps=recipe.fusion.steps)
        poster, intro = fuse(fold.poster, weights), fuse(fold.intro, weights)
        for query, gallery in ((poster, intro), (intro, poster)):
            ranks = retrieval_ranks(query[judged], gallery, judged, ids)
            found += int(np.count_nonzero(ranks <= top_k(TASK_RATIO, count)))
    return found / count


def fold_sizes(recipe: Recipe, pairs: int) -> NDArray[np.int64]:
    """(folds,) pairs of every fold of so many train pairs."""
    return np.bincount(np.arange(pairs) % recipe.fusion.folds)


class Unchanged:
    """A checkpoint that remembers the experts which no trial changes, so that they are fitted once a study and fold."""

    def __init__(self, recipe: Recipe, touched: set[int]) -> None:
        """Args:
        recipe: the one that the study began with.
        touched: positions of experts that trials change; who learns from one of those is changed with it.
        """
        changed = set(touched)
        for position, expert in enumerate(build_experts(recipe)):  # a teacher is always listed before its pupils
            if changed & set(expert.options.teachers()):
                changed.add(position)
        self._kept = {i for i in range(len(recipe.align)) if i not in changed}
        self._states: dict[str, State] = {}

    def __call__(self, name: str, compute: Callable[[], State]) -> State:
        """As `Checkpoint`; names end in the expert's position."""
        if int(name.rpartition("-")[2]) not in self._kept:
            return compute()
        if name not in self._states:
            self._states[name] = compute()
        return self._states[name]


def training_digest(training: TrainingSet) -> str:
    """sha256 of all that `training` holds: another one is another study."""
    import hashlib

    digest = hashlib.sha256(str(training.size).encode())
    sides: list[tuple[str, Any]] = [*training.poster.items(), *training.intro.items(), *training.labels.items()]
    for name, values in sorted(sides, key=lambda entry: entry[0]):
        digest.update(name.encode())
        if isinstance(values, np.ndarray):
            digest.update(f"{values.dtype}{values.shape}".encode())
            digest.update(np.ascontiguousarray(values).tobytes())
        else:
            digest.update(json.dumps(values, default=repr).encode())
    return digest.hexdigest()
