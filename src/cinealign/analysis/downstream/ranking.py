"""Ranking measures of many columns at once, also for movies drawn with replacement: AUC and average precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.downstream.task_table import Measured
from cinealign.errors import DataError
from cinealign.evaluation.statistics import draws

Counts = NDArray[np.int64]
"""(B, Q) how often each movie counts: one row of ones for the movies as they are, or the draws of a bootstrap."""


def weighted_auc(scores: NDArray[np.floating], labels: NDArray[np.bool_], counts: Counts) -> NDArray[np.float64]:
    """Area under the ROC curve: the chance that a movie with the label is scored above one without; a tie is half of it.

    Args:
        scores: (Q,) higher for the label.
        labels: (Q,).
        counts: (B, Q).
    Returns:
        (B,) in [0, 1]; NaN where a draw lacks movies with the label, or movies without.
    """
    above = scores[labels][:, None], scores[~labels]
    better = (above[0] > above[1]) + np.float32(0.5) * (above[0] == above[1])  # (P, Q - P)
    # As one matrix product: many times faster than going through the sorted movies for every draw.
    with_label, without = (counts[:, part].astype(np.float32) for part in (labels, ~labels))
    won = ((with_label @ better.astype(np.float32)) * without).sum(axis=1, dtype=np.float64)
    pairs = with_label.sum(axis=1, dtype=np.float64) * without.sum(axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = won / pairs
    return found


def weighted_average_precision(
    scores: NDArray[np.floating], labels: NDArray[np.bool_], counts: Counts
) -> NDArray[np.float64]:
    """Average precision: the mean precision at each movie with the label, the highest score first.

    Equal scores are taken together, as scikit-learn does.

    Args:
        scores, labels, counts: as in `weighted_auc`.
    Returns:
        (B,) in [0, 1]; NaN where a draw has no movie with the label. By chance about the label's share.
    """
    at_least = (scores[:, None] >= scores[labels]).astype(np.float32)  # (Q, P)
    with_label = counts[:, labels].astype(np.float32)  # (B, P)
    hits, taken = with_label @ at_least[labels], counts.astype(np.float32) @ at_least  # (B, P)
    precision = np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = (with_label * precision).sum(axis=1, dtype=np.float64)
        found: NDArray[np.float64] = sums / with_label.sum(axis=1, dtype=np.float64)
    return found


def weighted_precision(
    scores: NDArray[np.floating], labels: NDArray[np.bool_], counts: Counts, *, at: int = 10
) -> NDArray[np.float64]:
    """Share of movies with the label among the `at` with the highest scores, a movie drawn twice counting twice.

    Equal scores are ordered by row.

    Args:
        scores, labels, counts: as in `weighted_auc`; every row of `counts` must sum to `at` or more.
        at: how many are looked at.
    Returns:
        (B,) in [0, 1].
    """
    order = np.argsort(-scores, kind="stable")
    weights = counts[:, order]
    before = np.cumsum(weights, axis=1) - weights
    taken = np.clip(at - before, 0, weights)
    found: NDArray[np.float64] = (taken * labels[order]).sum(axis=1) / at
    return found


MEASURES = {"macro AUC": weighted_auc, "macro AP": weighted_average_precision, "precision@10": weighted_precision}


def macro(
    measure: str, scores: NDArray[np.floating], labels: NDArray[np.bool_], *, samples: int, seed: int
) -> tuple[Measured, list[float]]:
    """The mean of a measure over labels, with draws of movies, and the measure of each label.

    A label that a draw misses is left out of that draw's mean.

    Args:
        measure: a name in `MEASURES`.
        scores, labels: (Q, G).
        samples, seed: of the bootstrap.
    Raises:
        DataError: shapes that do not fit, or no label.
    """
    if scores.shape != labels.shape or scores.ndim != 2 or 0 in scores.shape:
        raise DataError(f"a ranking measure needs scores and labels (Q, G), got {scores.shape} and {labels.shape}")
    function = MEASURES[measure]
    blocks = [np.ones((1, len(scores)), dtype=np.int64), *draws(len(scores), samples, seed)]
    columns = []
    for at in range(scores.shape[1]):
        columns.append(np.concatenate([function(scores[:, at], labels[:, at], block) for block in blocks]))
    table = np.stack(columns, axis=1)  # (1 + samples, G)
    means = np.nanmean(table, axis=1)
    return Measured(float(means[0]), means[1:]), [float(value) for value in table[0]]
