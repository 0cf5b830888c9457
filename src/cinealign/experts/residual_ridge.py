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
from pydantic import Field, field_validator

from cinealign.errors import ConfigError
from cinealign.experts.base import Centring, Expert, ExpertOptions, TrainingSet, Vectors, normalised, seen
from cinealign.state import State
from cinealign.views.base import Features


class ResidualRidgeOptions(ExpertOptions):
    """Options of `residual_ridge`."""

    ridge: float = Field(10.0, gt=0, description="pull towards the identity, in train pairs of unit length")

    @field_validator("poster", "intro")
    @classmethod
    def _one_view(cls, names: list[str]) -> list[str]:
        if len(names) != 1:
            raise ValueError(f"residual_ridge compares one view of each side, got {len(names)}; use one expert a pair")
        return names


class ResidualRidgeExpert(Expert):
    """Cosine of q with p (A + B' + I), for centred unit rows p of posters and q of intros.

    A = argmin |P A - Q|^2 + ridge |A - I|^2 over the train pairs, B the same from Q to P. The bilinear form p (A + B' + I) q'
    is the sum of three products: poster mapped to intro, intro mapped to poster, and both as they are.

    Source: ridge regression (Hoerl and Kennard 1970) around a map that is given.
    """

    Options = ResidualRidgeOptions
    options: ResidualRidgeOptions

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Closed form: the seed plays no part. Raises ConfigError where the two views have different widths."""
        poster = np.asarray(training.poster[self.options.poster[0]], dtype=np.float32)
        intro = np.asarray(training.intro[self.options.intro[0]], dtype=np.float32)
        if poster.shape[1] != intro.shape[1]:
            raise ConfigError(
                f"residual_ridge: view {self.options.poster[0]!r} has {poster.shape[1]} features and view "
                f"{self.options.intro[0]!r} has {intro.shape[1]}; both must come from one model (or use cca)"
            )
        self._poster, self._intro = Centring.fit(poster), Centring.fit(intro)
        both = seen(poster) & seen(intro)
        p = normalised(self._poster(poster[both])).astype(np.float64)
        q = normalised(self._intro(intro[both])).astype(np.float64)
        there, back = _near_identity(p, q, self.options.ridge), _near_identity(q, p, self.options.ridge)
        self._map: NDArray[np.float32] = (there + back.T + np.eye(p.shape[1])).astype(np.float32)
        return self

    def encode_poster(self, features: Mapping[str, Features]) -> Vectors:
        """(N, F) unit rows; zero where the view saw nothing."""
        return normalised(normalised(self._poster(features[self.options.poster[0]])) @ self._map)

    def encode_intro(self, features: Mapping[str, Features]) -> Vectors:
        """(N, F) unit rows; zero where the view saw nothing."""
        return normalised(self._intro(features[self.options.intro[0]]))

    def state(self) -> State:
        """Both means and the map."""
        return State({"poster.mean": self._poster.mean, "intro.mean": self._intro.mean, "map": self._map})

    def load_state(self, state: State) -> Self:
        """Take over both means and the map."""
        self._poster, self._intro = Centring(state.arrays["poster.mean"]), Centring(state.arrays["intro.mean"])
        self._map = state.arrays["map"]
        return self


def _near_identity(inputs: NDArray[np.float64], targets: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """(F, F) map of `inputs` (N, F) to `targets` by least squares, shrunk towards the identity."""
    held = ridge * np.eye(inputs.shape[1])
    return np.asarray(np.linalg.solve(inputs.T @ inputs + held, inputs.T @ targets + held), dtype=np.float64)
