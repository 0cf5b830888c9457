"""Hub corrections from a bank of train queries: an item that is near everything is moved away from everything.

Both are a bias per item, b(g) from the inner products of g with the bank's queries of the other side, and
s'(p, q) = p . q - b(p) - b(q). For a given query its own bias is the same for every item and changes nothing, so one
inner product of two more coordinates serves both directions: (p, 1, -b(p)) . (q, -b(q), 1). An item needs nothing but
itself and the bank: inductive.

The bank holds out-of-fold vectors (`experts.out_of_fold`). Vectors of pairs that the experts have memorised would be another
population than the queries to come: a train item would meet its own partner in the bank at a similarity that no new query
reaches, and be taken for a hub. Even out of fold an item of the train set meets its partner; it is one of the bank's
queries, as it will be of the real ones.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cinealign.distance.base import Coordinates, Distance
from cinealign.distance.options import BankOptions, NeighbourBiasOptions, QbNormOptions
from cinealign.state import State

if TYPE_CHECKING:
    from cinealign.experts.out_of_fold import TrainVectors

STRENGTHS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
"""Those tried where the recipe names none."""
CHUNK = 1024


class BankBias(Distance):
    """A distance with a bias per item; subclasses say how it comes from the similarities to the bank."""

    fitted: ClassVar[bool] = True
    options: BankOptions
    strength: float

    def fit(self, pairs: TrainVectors, *, seed: int) -> Self:
        """Keep the bank; choose the strength on each fold with the other folds as its bank, where it is not given."""
        given = self.options.strength
        self.strength = self._chosen(pairs) if given is None else given
        self._posters, self._intros = pairs.poster, pairs.intro
        return self

    def poster(self, vectors: Coordinates) -> Coordinates:
        """(N, D + 2)."""
        bias = self.strength * self._bias(vectors, self._intros)
        return np.concatenate([vectors, np.ones_like(bias), -bias], axis=1).astype(np.float32)

    def intro(self, vectors: Coordinates) -> Coordinates:
        """(N, D + 2)."""
        bias = self.strength * self._bias(vectors, self._posters)
        return np.concatenate([vectors, -bias, np.ones_like(bias)], axis=1).astype(np.float32)

    def longest(self) -> float:
        """Of (p, 1, -b) with a bias of at most the strength, as it is a mean of cosines."""
        return float(np.sqrt(2 + self.strength**2))

    def state(self) -> State:
        """The bank and the strength."""
        return State({"posters": self._posters, "intros": self._intros}, {"strength": self.strength})

    def load_state(self, state: State) -> Self:
        """Take over bank and strength."""
        self._posters, self._intros = state.arrays["posters"], state.arrays["intros"]
        self.strength = state.values["strength"]
        return self

    @abstractmethod
    def _of(self, similarities: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B,) biases from (B, T) similarities of items to the bank."""

    def _bias(self, items: Coordinates, bank: Coordinates) -> NDArray[np.float32]:
        parts = [self._of(items[start : start + CHUNK] @ bank.T) for start in range(0, len(items), CHUNK)]
        return np.concatenate([np.zeros(0, dtype=np.float32), *parts])[:, None].astype(np.float32)

    def _chosen(self, pairs: TrainVectors) -> float:
        """The strength of the lowest mean log rank of both directions; of equal ones the smallest.

        Ranks rather than top-5 % accuracy: accuracy in a fold of a few hundred is a step that one item moves, flat about
        its top, and the strengths it chooses differ from seed to seed.
        """
        logs = np.zeros(len(STRENGTHS))
        for fold in np.unique(pairs.fold):
            items, bank = pairs.take(pairs.fold == fold), pairs.take(pairs.fold != fold)
            if not len(bank.fold):
                return 0.0
            bias_poster, bias_intro = self._bias(items.poster, bank.intro), self._bias(items.intro, bank.poster)
            for s, strength in enumerate(STRENGTHS):
                similarities = items.poster @ items.intro.T - strength * (bias_poster + bias_intro.T)
                logs[s] += mean_log_rank(similarities) * len(similarities)
        return STRENGTHS[int(logs.argmin())]


class NeighbourBias(BankBias):
    """b(g) = strength * mean of the k highest similarities of g to the bank's queries.

    Source: Chowdhury et al. 2024, nearest neighbor normalization (arXiv 2410.24114), equation 2.
    """

    Options = NeighbourBiasOptions
    options: NeighbourBiasOptions

    def _of(self, similarities: NDArray[np.float32]) -> NDArray[np.float32]:
        k = min(self.options.k, similarities.shape[1])
        nearest = np.partition(similarities, -k, axis=1)[:, -k:]
        mean: NDArray[np.float32] = nearest.mean(axis=1)
        return mean


class QbNorm(BankBias):
    """b(g) = strength * t log mean_b exp(b . g / t) over the bank's queries b: at strength 1 the inverted softmax.

    exp((q . g - b(g)) / t) is exp(q . g / t) over its mean for the bank's queries. The paper applies it only to queries
    whose nearest item is also some bank query's nearest; that looks at the other items of the gallery, so it is left out.

    Source: Bogolin et al. 2022, QB-Norm (arXiv 2112.12777), equation 3; inverted softmax: Smith et al. 2017
    (arXiv 1702.03859).
    """

    Options = QbNormOptions
    options: QbNormOptions

    def _of(self, similarities: NDArray[np.float32]) -> NDArray[np.float32]:
        scaled = similarities.astype(np.float64) / self.options.temperature
        highest = scaled.max(axis=1, keepdims=True)
        bias = self.options.temperature * (np.log(np.exp(scaled - highest).mean(axis=1)) + highest[:, 0])
        rounded: NDArray[np.float32] = bias.astype(np.float32)
        return rounded


def mean_log_rank(similarities: NDArray[np.float32]) -> float:
    """Mean over both directions of log(rank of the partner) in a square block; ties count against it."""
    own = similarities.diagonal()
    ranks = ((similarities >= own[:, None]).sum(axis=1), (similarities >= own).sum(axis=0))
    return float(np.mean(np.log(ranks)))
