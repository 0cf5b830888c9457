"""Remembers the train pairs, and says nothing about anything else.

The assignment tests on all movies, 60 % of which are train movies. Any expert that fits its train pairs perfectly carries
that knowledge in weights that also disturb the others; this one carries it alone. Each train movie has a code, a fixed
random direction; a poster (or intro) is mapped to the codes of train posters (intros) it equals or nearly equals, weighted
by exp((cosine - 1) / bandwidth). A train pair thus meets in its own code, and an item unlike every train item gets almost
a zero vector: its ranking is left to the other experts. Held-out accuracy neither gains nor loses by it.
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


class MemoryOptions(ExpertOptions):
    """Options of `memory`; its weight is given, as out-of-fold pairs can say nothing about what is only remembered."""

    weight: float | None = Field(
        0.3, ge=0, le=1_000_000, description="fixed: folds cannot judge what is only remembered"
    )
    dimensions: int = Field(256, ge=8, le=8192, description="length of a train item's code")
    bandwidth: float = Field(
        0.02,
        gt=0,
        le=100,
        description="width of the kernel in cosine: how different a train item may be and still be recalled",
    )


class MemoryExpert(Expert):
    """A kernel memory of train pairs; see the module's text."""

    Options = MemoryOptions
    options: MemoryOptions

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Store the train items of both sides and draw their codes."""
        self._poster = Inputs.fit(self.options.poster, training.poster)
        self._intro = Inputs.fit(self.options.intro, training.intro)
        self._posters = normalised(self._poster({name: np.asarray(rows) for name, rows in training.poster.items()}))
        self._intros = normalised(self._intro({name: np.asarray(rows) for name, rows in training.intro.items()}))
        shape = (training.size, self.options.dimensions)
        self._codes = normalised(np.random.default_rng(seed).standard_normal(shape))
        return self

    def encode_poster(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions) rows of length at most 1: near 1 for what is remembered, near 0 for what is new."""
        return self._recall(normalised(self._poster(features)), self._posters)

    def encode_intro(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions) rows of length at most 1."""
        return self._recall(normalised(self._intro(features)), self._intros)

    def _recall(self, items: Vectors, remembered: Vectors) -> Vectors:
        kernel = np.exp((items @ remembered.T - 1.0) / self.options.bandwidth)  # (N, T)
        codes = kernel @ self._codes
        lengths = np.linalg.norm(codes, axis=1, keepdims=True)
        capped: NDArray[np.float32] = (codes / np.maximum(lengths, 1.0)).astype(np.float32)
        return capped

    def state(self) -> State:
        """The remembered items, their codes, means and scales."""
        poster, intro = self._poster.state("poster"), self._intro.state("intro")
        arrays = {"posters": self._posters, "intros": self._intros, "codes": self._codes}
        return State({**poster.arrays, **intro.arrays, **arrays}, {**poster.values, **intro.values})

    def load_state(self, state: State) -> Self:
        """Take over what is remembered."""
        self._poster = Inputs.from_state(self.options.poster, state, "poster")
        self._intro = Inputs.from_state(self.options.intro, state, "intro")
        self._posters, self._intros = state.arrays["posters"], state.arrays["intros"]
        self._codes = state.arrays["codes"]
        return self
