"""Linear probes: what a linear map learns to read off features, trained on train movies and read on held-out ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinealign.analysis.downstream.numbers import Probes, ProbeSettings
from cinealign.analysis.downstream.ranking import macro
from cinealign.analysis.downstream.task_table import Kind, Measured, Table, feature_sets
from cinealign.analysis.material import Material
from cinealign.analysis.skipped import SkippedError
from cinealign.experts.base import Vectors

ALPHAS = tuple(float(alpha) for alpha in np.logspace(-2, 3, 11))
FEWEST_TRAIN, FEWEST_HELD_OUT = 20, 10
"""Movies with a genre, and as many without, below which it is not probed."""


class Probe:
    """Ridge regressions on one set of train features, the penalty of each target chosen by leave-one-out.

    Source:
        Golub, Heath and Wahba, "Generalized cross-validation as a method for choosing a good ridge parameter" (1979):
        the leave-one-out errors of a ridge regression, its means kept, come from one eigendecomposition.
    """

    def __init__(self, train: Vectors) -> None:
        """Args:
        train: (T, D) features of the train rows; decomposed here once for all targets.
        """
        self._mean = train.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._train = train - self._mean
        self._scale = float((self._train.astype(np.float64) ** 2).sum(axis=1).mean()) or 1.0
        gram = (self._train @ self._train.T).astype(np.float64) / self._scale
        values, self._vectors = np.linalg.eigh(gram)  # (T,), (T, T)
        self._values = np.maximum(values, 0.0)

    def scores(
        self, targets: NDArray[np.float64], held_out: Vectors, alphas: tuple[float, ...] = ALPHAS
    ) -> NDArray[np.float64]:
        """Predictions of a regression fitted on the train rows.

        Args:
            targets: (T, G) numbers to predict; -1 and 1 for labels.
            held_out: (Q, D) features.
            alphas: penalties to choose from, in units of the mean squared length of the centred train rows.
        Returns:
            (Q, G).
        """
        offset = targets.mean(axis=0)
        inside = self._vectors.T @ (targets - offset)  # (T, G)
        best: NDArray[np.float64] = np.full(targets.shape[1], np.inf)
        dual = np.zeros_like(inside)
        for alpha in alphas:
            shrunk = 1 / (self._values + alpha)
            coefficients = self._vectors @ (inside * shrunk[:, None])  # (T, G): (K + alpha I)^-1 y
            diagonal = (self._vectors**2) @ shrunk  # (T,)
            error = ((coefficients / diagonal[:, None]) ** 2).mean(axis=0)
            better = error < best
            best[better] = error[better]
            dual[:, better] = coefficients[:, better]
        cross = ((held_out - self._mean) @ self._train.T).astype(np.float64) / self._scale
        predicted: NDArray[np.float64] = cross @ dual + offset
        return predicted


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


def probes(material: Material, table: Table) -> Probes:
    """Add rows of both probes to the table; returns what was probed.

    Raises:
        SkippedError: there are neither genres nor decades to probe.
    """
    found: dict[str, Any] = {}
    reasons, asked = [], []
    for make in (_genres, _decades):
        try:
            about, ask = make(material, table)
        except SkippedError as reason:
            reasons.append(str(reason))
        else:
            found.update(about)
            asked.append(ask)
    if not asked:
        raise SkippedError("; ".join(reasons))
    for method, kind, features, against in feature_sets(material.aligned, material.raw):
        probe = Probe(features[material.train])
        for ask in asked:
            ask(probe, features[material.held_out], method, kind, against)
    settings = ProbeSettings(penalties=list(ALPHAS), chosen_by="leave-one-out errors in the train rows")
    return Probes(**found, settings=settings)


Ask = Callable[[Probe, Vectors, str, Kind, str | None], None]
"""Adds what a probe finds in held-out features to the table."""


def _genres(material: Material, table: Table) -> tuple[dict[str, Any], Ask]:
    names, labels = genre_table(material)
    targets, truth = np.where(labels[material.train], 1.0, -1.0), labels[material.held_out]
    chances = {"macro AUC": 0.5, "macro AP": float(truth.mean())}

    def ask(probe: Probe, held_out: Vectors, method: str, kind: Kind, against: str | None) -> None:
        scores = probe.scores(targets, held_out)
        for measure, chance in chances.items():
            found, _ = macro(measure, scores, truth, samples=material.samples, seed=material.seed)
            table.add("genre probe", measure, method, kind, found, len(truth), chance=chance, against=against)

    return {"genres": names}, ask


def _decades(material: Material, table: Table) -> tuple[dict[str, Any], Ask]:
    """The decade with the highest score, and always saying the most frequent one. An unknown decade is no decade."""
    years = [movie.year for movie in material.catalogue.movies]
    decades = np.array([-1 if year is None else year // 10 * 10 for year in years])
    known = decades[material.held_out] >= 0
    truth = decades[material.held_out][known]
    names = np.unique(decades[material.train])
    names = names[names >= 0]
    if len(names) < 2 or not len(truth):
        raise SkippedError("the years of the train items are not known, or of one decade")
    targets = np.where(decades[material.train][:, None] == names, 1.0, -1.0)
    frequent = names[np.argmax((targets > 0).sum(axis=0))]
    constant = f"always the {frequent}s"

    def add(method: str, kind: Kind, said: Any, against: str | None) -> None:
        found = Measured.mean(truth == said, samples=material.samples, seed=material.seed)
        table.add("decade probe", "accuracy", method, kind, found, len(truth), chance=None, against=against)

    def ask(probe: Probe, held_out: Vectors, method: str, kind: Kind, against: str | None) -> None:
        scores = probe.scores(targets, held_out[known])
        add(method, kind, names[np.argmax(scores, axis=1)], against or constant)

    add(constant, "baseline", frequent, None)
    return {"decades": [int(name) for name in names], "most_frequent_decade": int(frequent)}, ask
