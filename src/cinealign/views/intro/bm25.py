"""BM25 weights: like TF-IDF, but repeating a term counts less and less, and less in a long text."""

from __future__ import annotations

from typing import Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.state import State
from cinealign.views.base import Extracted
from cinealign.views.intro.tfidf import TfidfOptions, TfidfView


class Bm25Options(TfidfOptions):
    """Options of `Bm25View`."""

    sublinear_tf: bool = True
    """No effect here: k1 sets how repeated terms count."""
    k1: float = Field(default=1.2, ge=0, le=100)
    """How much repeating a term adds; at 0 only its presence counts."""
    b: float = Field(default=0.75, ge=0, le=1)
    """How strongly terms of texts longer than the train mean are lowered."""


class Bm25View(TfidfView):
    """Dense float32 (N, V) BM25 features with L2-normalised rows; vocabulary, idf and mean length of train texts only.

    weight = idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)), idf = ln(1 + (n - df + 0.5) / (df +
    0.5)), which is positive for every term.

    Source: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009; the idf is Lucene's.
    """

    Options = Bm25Options
    options: Bm25Options

    def __init__(self, options: Bm25Options) -> None:
        super().__init__(options)
        self._mean_length = 1.0

    def fit(self, extracted: Extracted) -> Self:
        """Vocabulary, idf and mean length of the train texts."""
        documents = cast(list[list[str]], extracted)
        self._mean_length = max(1.0, sum(map(len, documents)) / max(1, len(documents)))
        return super().fit(extracted)

    def state(self) -> State:
        """What TF-IDF keeps, and the mean length."""
        state = super().state()
        return State(state.arrays, {**state.values, "mean_length": self._mean_length})

    def load_state(self, state: State) -> Self:
        """Take over what an equal view has learned."""
        self._mean_length = state.values["mean_length"]
        return super().load_state(state)

    def _rarity(self, frequency: NDArray[np.float64], documents: int) -> NDArray[np.float64]:
        rarity: NDArray[np.float64] = np.log1p((documents - frequency + 0.5) / (frequency + 0.5))
        return rarity

    def _term_weights(self, counts: NDArray[np.float64], length: int) -> NDArray[np.float64]:
        k1, b = self.options.k1, self.options.b
        slowed: NDArray[np.float64] = counts * (k1 + 1) / (counts + k1 * (1 - b + b * length / self._mean_length))
        return slowed
