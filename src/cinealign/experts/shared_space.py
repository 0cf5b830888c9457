"""Both sides already live in one space: words read on the poster and the intro through one language model, or CLIP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field

from cinealign.errors import ConfigError
from cinealign.experts.base import Centring, Expert, OneViewOptions, TrainingSet, Vectors, feature_rows, normalised
from cinealign.state import State
from cinealign.views.base import Features


class SharedSpaceOptions(OneViewOptions):
    """Options of `shared_space`."""

    center: bool = Field(True, description="subtract each side's train mean before the cosine")


class SharedSpaceExpert(Expert):
    """Cosine of two views of one space; all it learns is each side's mean over the train rows."""

    Options = SharedSpaceOptions
    options: SharedSpaceOptions

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Learn the means: the seed plays no part. Raises ConfigError where the views have no features or two widths."""
        poster = feature_rows(training.poster, self.options.poster[0])
        intro = feature_rows(training.intro, self.options.intro[0])
        if poster.shape[1] != intro.shape[1]:
            raise ConfigError(
                f"view {self.options.poster[0]!r} has {poster.shape[1]} features and view {self.options.intro[0]!r} has "
                f"{intro.shape[1]}; both must come from one model to share a space (or use cca)"
            )
        self._poster, self._intro = Centring.fit(poster), Centring.fit(intro)
        if not self.options.center:
            self._poster.mean[:] = 0
            self._intro.mean[:] = 0
        return self

    def encode_poster(self, features: Mapping[str, Features]) -> Vectors:
        """(N, F) unit rows; zero where the view saw nothing."""
        return normalised(self._poster(features[self.options.poster[0]]))

    def encode_intro(self, features: Mapping[str, Features]) -> Vectors:
        """(N, F) unit rows; zero where the view saw nothing."""
        return normalised(self._intro(features[self.options.intro[0]]))

    def state(self) -> State:
        """The two means."""
        return State({"poster.mean": self._poster.mean, "intro.mean": self._intro.mean})

    def load_state(self, state: State) -> Self:
        """Take over the two means."""
        self._poster, self._intro = Centring(state.arrays["poster.mean"]), Centring(state.arrays["intro.mean"])
        return self
