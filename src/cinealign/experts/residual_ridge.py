"""A closed-form correction of a shared space: ridge regression from each side to the other, shrunk towards the identity.

Lettering and intro lie in one language model's space, but a title is no summary: what it says of a plot lies off its own
direction. A map learned from train pairs turns the one towards the other. With few pairs an unrestrained map forgets what
the language model knows, so the ridge pulls it towards the identity, not towards zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinealign.experts.base import TrainingSet, Vectors, normalised, seen
from cinealign.experts.shared_space import SharedSpaceExpert, SharedSpaceOptions
from cinealign.state import State
from cinealign.views.base import Features


class ResidualRidgeOptions(SharedSpaceOptions):
    """Options of `residual_ridge`."""

    ridge: float = Field(
        10.0, gt=0, le=1_000_000, description="pull towards the identity, in train pairs of unit length"
    )


class ResidualRidgeExpert(SharedSpaceExpert):
    """Cosine of q with p (A + B' + I), for centred unit rows p of posters and q of intros.

    A = argmin |P A - Q|^2 + ridge |A - I|^2 over the train pairs, B the same from Q to P. The bilinear form p (A + B' + I) q'
    is the sum of three products: poster mapped to intro, intro mapped to poster, and both as they are.

    Source: ridge regression (Hoerl and Kennard 1970) around a map that is given.
    """

    Options = ResidualRidgeOptions
    options: ResidualRidgeOptions

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Closed form: the seed plays no part. Raises ConfigError where the two views have different widths."""
        super().fit(training, seed=seed)
        poster = super().encode_poster({name: np.asarray(rows) for name, rows in training.poster.items()})
        intro = super().encode_intro({name: np.asarray(rows) for name, rows in training.intro.items()})
        both = seen(poster) & seen(intro)
        self._map = residual_map(poster[both], intro[both], self.options.ridge)
        return self

    def encode_poster(self, features: Mapping[str, Features]) -> Vectors:
        """(N, F) unit rows; zero where the view saw nothing."""
        return normalised(super().encode_poster(features) @ self._map)

    def state(self) -> State:
        """Both means and the map."""
        return State({**super().state().arrays, "map": self._map})

    def load_state(self, state: State) -> Self:
        """Take over both means and the map."""
        self._map = state.arrays["map"]
        return super().load_state(state)


def residual_map(posters: Vectors, intros: Vectors, ridge: float) -> NDArray[np.float32]:
    """(F, F) map A + B' + I of `ResidualRidgeExpert` for centred unit rows (N, F) of both sides."""
    p, q = posters.astype(np.float64), intros.astype(np.float64)
    there, back = _near_identity(p, q, ridge), _near_identity(q, p, ridge)
    mapped: NDArray[np.float32] = (there + back.T + np.eye(p.shape[1])).astype(np.float32)
    return mapped


def _near_identity(inputs: NDArray[np.float64], targets: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """(F, F) map of `inputs` (N, F) to `targets` by least squares, shrunk towards the identity."""
    held = ridge * np.eye(inputs.shape[1])
    return np.asarray(np.linalg.solve(inputs.T @ inputs + held, inputs.T @ targets + held), dtype=np.float64)
