"""Distances learned from out-of-fold train pairs: a bilinear form, and a Mahalanobis length of the difference."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cinealign.distance.base import Coordinates, Distance, Euclidean
from cinealign.distance.options import BilinearOptions, DistanceOptions, MahalanobisOptions
from cinealign.experts.out_of_fold import TrainVectors
from cinealign.state import State


class Bilinear(Distance):
    """D = 1 - p' (I + U V') q with U, V of low rank, learned by symmetric InfoNCE among the pairs of each fold.

    It begins as the inner product (U = 0). The coordinates of a poster are p + (p U) V', those of an intro its vector.

    Source: the bilinear similarity of Chechik et al. 2010 (OASIS), with InfoNCE (arXiv 1807.03748) in place of the hinge.
    """

    Options = BilinearOptions
    fitted: ClassVar[bool] = True
    options: BilinearOptions

    def fit(self, pairs: TrainVectors, *, seed: int) -> Self:
        """Learn U and V; `seed` draws the first V."""
        o, width = self.options, pairs.poster.shape[1]
        drawn = torch.randn(width, o.rank, generator=torch.Generator().manual_seed(seed)) / width**0.5
        left, right = torch.zeros(width, o.rank, requires_grad=True), drawn.requires_grad_()
        folds = [pairs.take(pairs.fold == fold) for fold in np.unique(pairs.fold)]
        sides = [(torch.from_numpy(fold.poster), torch.from_numpy(fold.intro)) for fold in folds]
        optimiser = torch.optim.AdamW([left, right], lr=o.learning_rate, weight_decay=0.0)
        for _ in range(o.steps):
            losses = [_info_nce((p @ q.T + (p @ left) @ (q @ right).T) / o.temperature) for p, q in sides]
            loss = torch.stack(losses).mean() + o.penalty * (left.square().sum() + right.square().sum()) / o.rank
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        self._left, self._right = left.detach().numpy(), right.detach().numpy()
        return self

    def poster(self, vectors: Coordinates) -> Coordinates:
        """(N, D)."""
        coordinates: Coordinates = (vectors + (vectors @ self._left) @ self._right.T).astype(np.float32)
        return coordinates

    def longest(self) -> float:
        """1 and the largest stretch of U V'."""
        return 1.0 + float(np.linalg.norm(self._left, 2) * np.linalg.norm(self._right, 2))

    def state(self) -> State:
        """U and V."""
        return State({"left": self._left, "right": self._right})

    def load_state(self, state: State) -> Self:
        """Take over U and V."""
        self._left, self._right = state.arrays["left"], state.arrays["right"]
        return self


class Mahalanobis(Distance):
    """D = |A (p - q)| with A = (C / c + ridge I)^(-1/2), C the second moment of p - q over train pairs, c = trace(C) / D.

    Directions in which partners differ count less. It is the Euclidean length after A, so it is an inner product with two
    more coordinates, as `euclidean`.

    Source: Bar-Hillel et al. 2005, relevant component analysis (JMLR 6), with a ridge.
    """

    Options = MahalanobisOptions
    fitted: ClassVar[bool] = True
    options: MahalanobisOptions

    def fit(self, pairs: TrainVectors, *, seed: int) -> Self:
        """Closed form: the seed plays no part."""
        differences = (pairs.poster - pairs.intro).astype(np.float64)
        moment = differences.T @ differences / len(differences)
        mean = np.trace(moment) / len(moment)
        values, directions = np.linalg.eigh(moment / mean if mean > 0 else moment)
        root = 1.0 / np.sqrt(np.maximum(values, 0.0) + self.options.ridge)
        self._map: NDArray[np.float32] = ((directions * root) @ directions.T).astype(np.float32)
        return self

    def poster(self, vectors: Coordinates) -> Coordinates:
        """(N, D + 2)."""
        return _EUCLIDEAN.poster(vectors @ self._map)

    def intro(self, vectors: Coordinates) -> Coordinates:
        """(N, D + 2)."""
        return _EUCLIDEAN.intro(vectors @ self._map)

    def longest(self) -> float:
        """As of `euclidean`, for vectors as long as A can make them."""
        squared = float(np.linalg.norm(self._map, 2)) ** 2
        return float(np.sqrt(squared + squared**2 / 4 + 1))

    def from_products(self, products: Tensor) -> Tensor:
        """sqrt(-2 product)."""
        return _EUCLIDEAN.from_products(products)

    def state(self) -> State:
        """A."""
        return State({"map": self._map})

    def load_state(self, state: State) -> Self:
        """Take over A."""
        self._map = state.arrays["map"]
        return self


_EUCLIDEAN = Euclidean(DistanceOptions())


def _info_nce(logits: Tensor) -> Tensor:
    partner = torch.arange(len(logits))
    return (F.cross_entropy(logits, partner) + F.cross_entropy(logits.T, partner)) / 2
