"""Canonical correlation analysis with a ridge: the closed-form expert.

With few pairs and many features plain CCA remembers its pairs, so both covariances get a ridge. The solution is computed
in the principal bases of the centred train features, found from the smaller of each side's two Gram matrices, so wide
views (TF-IDF) cost no more than the number of train pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.experts.base import Expert, ExpertOptions, Inputs, TrainingSet, Vectors, normalised
from cinealign.state import State
from cinealign.views.base import Features


class CcaOptions(ExpertOptions):
    """Options of `cca`."""

    dimensions: int = Field(64, ge=1, le=8192, description="canonical directions kept")
    ridge: float = Field(
        10.0, gt=0, le=1_000_000, description="added to both covariances, in units of their mean variance"
    )


class CcaExpert(Expert):
    """Ridge CCA of the poster views against the intro views; directions weighted by the root of their correlation.

    With X, Y the centred train features, it takes the SVD of (Cxx + aI)^(-1/2) Cxy (Cyy + bI)^(-1/2) = A S B' and maps
    x -> x (Cxx + aI)^(-1/2) A S^(1/2), y likewise, so that the inner product of the two weighs each direction by its
    regularised correlation. Source: Hardoon, Szedmak and Shawe-Taylor 2004 (regularised CCA).
    """

    Options = CcaOptions
    options: CcaOptions

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Closed form: the seed plays no part."""
        self._poster = Inputs.fit(self.options.poster, training.poster)
        self._intro = Inputs.fit(self.options.intro, training.intro)
        self._map_poster, self._map_intro = canonical_maps(
            self._poster(_features(training.poster)),
            self._intro(_features(training.intro)),
            self.options.dimensions,
            self.options.ridge,
        )
        return self

    def encode_poster(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions) unit rows."""
        return normalised(self._poster(features) @ self._map_poster)

    def encode_intro(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions) unit rows."""
        return normalised(self._intro(features) @ self._map_intro)

    def state(self) -> State:
        """Means, scales and the two maps."""
        poster, intro = self._poster.state("poster"), self._intro.state("intro")
        maps = {"poster.map": self._map_poster, "intro.map": self._map_intro}
        return State({**poster.arrays, **intro.arrays, **maps}, {**poster.values, **intro.values})

    def load_state(self, state: State) -> Self:
        """Take over means, scales and maps."""
        self._poster = Inputs.from_state(self.options.poster, state, "poster")
        self._intro = Inputs.from_state(self.options.intro, state, "intro")
        self._map_poster, self._map_intro = state.arrays["poster.map"], state.arrays["intro.map"]
        return self


def canonical_maps(
    posters: NDArray[np.float32], intros: NDArray[np.float32], dimensions: int, ridge: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The two maps of `CcaExpert`, (F, d) and (G, d) with d <= `dimensions`, from centred rows (N, F) and (N, G)."""
    x, map_x = _whitened(posters, ridge)
    y, map_y = _whitened(intros, ridge)
    shared = x.T @ y / len(x)
    if shared.size:
        left, correlations, right = np.linalg.svd(shared, full_matrices=False)
    else:  # one side is the same for every train movie: there is no direction to keep, and nothing to judge by
        left, correlations, right = np.zeros((len(shared), 0)), np.zeros(0), np.zeros((0, shared.shape[1]))
    kept = min(dimensions, len(correlations))
    root = np.sqrt(correlations[:kept])
    return (map_x @ left[:, :kept] * root).astype(np.float32), (map_y @ right[:kept].T * root).astype(np.float32)


def _features(side: Mapping[str, object]) -> Mapping[str, Features]:
    return {name: np.asarray(rows) for name, rows in side.items()}


def _whitened(rows: NDArray[np.float32], ridge: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ridge-whitened rows in their principal basis (N, R), and the map (F, R) that leads there."""
    exact = rows.astype(np.float64)
    count, width = exact.shape
    # The smaller of the two Gram matrices has the same spectrum; its eigenvectors give the basis several times faster
    # than a singular value decomposition of the rows.
    wide = width > count
    variances, vectors = np.linalg.eigh((exact @ exact.T if wide else exact.T @ exact) / count)
    alpha = ridge * variances.sum() / width
    real = variances > 1e-12 * max(float(variances.max()), 1e-30)
    variances, vectors = variances[real], vectors[:, real]
    basis = exact.T @ vectors / np.sqrt(count * variances) if wide else vectors  # (F, R)
    leads = basis / np.sqrt(variances + alpha)
    return exact @ leads, leads
