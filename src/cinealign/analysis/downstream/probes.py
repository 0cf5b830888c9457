"""Linear probes: what a linear map learns to read off features, trained on train movies and read on held-out ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.downstream.ranking import macro
from cinealign.analysis.downstream.table import Kind, Measured, Table, feature_sets
from cinealign.analysis.material import Material, SkippedError
from cinealign.experts.base import Vectors

ALPHAS = tuple(float(alpha) for alpha in np.logspace(-2, 3, 11))
FEWEST_TRAIN, FEWEST_HELD_OUT = 20, 10
"""Movies with a genre, and as many without, below which it is not probed."""


def ridge_scores(
    train: Vectors, targets: NDArray[np.float64], held_out: Vectors, alphas: tuple[float, ...] = ALPHAS
) -> NDArray[np.float64]:
    """Scores of a ridge regression fitted on train rows, the penalty of each target chosen by leave-one-out in them.

    Args:
        train: (T, D) features.
        targets: (T, G) numbers to predict; -1 and 1 for labels.
        held_out: (Q, D) features.
        alphas: penalties to choose from, in units of the mean squared length of the centred train rows.
    Returns:
        (Q, G) predicted numbers.
    Source:
        Golub, Heath and Wahba, "Generalized cross-validation as a method for choosing a good ridge parameter" (1979):
        the leave-one-out errors of a ridge regression, its means kept, come from one eigendecomposition.
    """
    mean = train.mean(axis=0, dtype=np.float64)
    x, new = train - mean, held_out - mean
    scale = float((x**2).sum(axis=1).mean()) or 1.0
    values, vectors = np.linalg.eigh(x @ x.T / scale)  # (T,), (T, T)
    values = np.maximum(values, 0.0)
    offset = targets.mean(axis=0)
    inside = vectors.T @ (targets - offset)  # (T, G)
    best: NDArray[np.float64] = np.full(targets.shape[1], np.inf)
    dual = np.zeros_like(inside)
    for alpha in alphas:
        shrunk = 1 / (values + alpha)
        coefficients = vectors @ (inside * shrunk[:, None])  # (T, G): (K + alpha I)^-1 y
        diagonal = (vectors**2) @ shrunk  # (T,): of (K + alpha I)^-1
        left_out = coefficients / diagonal[:, None]
        error = (left_out**2).mean(axis=0)
        better = error < best
        best[better] = error[better]
        dual[:, better] = coefficients[:, better]
    scores: NDArray[np.float64] = new @ x.T / scale @ dual + offset
    return scores


def genre_table(material: Material) -> tuple[list[str], NDArray[np.bool_]]:
    """Genres with enough train and held-out movies to be probed, and (N, G) which movie has which.

    Raises:
        SkippedError: there are none.
    """
    movies = material.catalogue.movies
    names = sorted({genre for movie in movies for genre in movie.genres})
    table = np.array([[name in movie.genres for name in names] for movie in movies], dtype=bool).reshape(
        len(movies), -1
    )
    enough = np.ones(len(names), dtype=bool)
    for rows, fewest in ((material.train, FEWEST_TRAIN), (material.held_out, FEWEST_HELD_OUT)):
        counts = table[rows].sum(axis=0)
        enough &= (counts >= fewest) & (len(rows) - counts >= fewest)
    if not enough.any():
        raise SkippedError(
            f"no genre has {FEWEST_TRAIN} train and {FEWEST_HELD_OUT} held-out items, and as many without it"
        )
    return [name for name, yes in zip(names, enough, strict=True) if yes], table[:, enough]


def genre_probe(material: Material, table: Table) -> dict[str, Any]:
    """Add rows to the table; returns what was probed."""
    names, labels = genre_table(material)
    train, held_out = material.train, material.held_out
    targets = np.where(labels[train], 1.0, -1.0)
    chances = {"macro AUC": 0.5, "macro AP": float(labels[held_out].mean())}
    for method, kind, features, against in feature_sets(material.aligned, material.raw):
        scores = ridge_scores(features[train], targets, features[held_out])
        for measure, chance in chances.items():
            found, _ = macro(measure, scores, labels[held_out], samples=material.samples, seed=material.seed)
            table.add("genre probe", measure, method, kind, found, len(held_out), chance=chance, against=against)
    settings = {"penalties": list(ALPHAS), "chosen_by": "leave-one-out errors in the train rows"}
    return {"genres": names, "settings": settings}


def decade_probe(material: Material, table: Table) -> dict[str, Any]:
    """Add rows to the table: the decade with the highest score, and always saying the most frequent one.

    Raises:
        SkippedError: years are not known, or of one decade.
    """
    years = [movie.year for movie in material.catalogue.movies]
    decades = np.array([-1 if year is None else year // 10 * 10 for year in years])
    train, held_out = (rows[decades[rows] >= 0] for rows in (material.train, material.held_out))
    names = np.unique(decades[train])
    if len(names) < 2 or not len(held_out):
        raise SkippedError("the years of the train items are not known, or of one decade")
    targets = np.where(decades[train][:, None] == names, 1.0, -1.0)
    frequent = names[np.argmax((targets > 0).sum(axis=0))]

    def add(method: str, kind: Kind, said: Any, against: str | None) -> None:
        found = Measured.mean(decades[held_out] == said, samples=material.samples, seed=material.seed)
        table.add("decade probe", "accuracy", method, kind, found, len(held_out), chance=None, against=against)

    constant = f"always the {frequent}s"
    add(constant, "baseline", frequent, None)
    for method, kind, features, against in feature_sets(material.aligned, material.raw):
        scores = ridge_scores(features[train], targets, features[held_out])
        add(method, kind, names[np.argmax(scores, axis=1)], against or constant)
    return {"decades": [int(name) for name in names], "frequent": int(frequent)}
