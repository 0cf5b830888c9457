"""Two sides trained with a contrastive loss: projection heads on cached features of frozen views, or whole towers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Self

import numpy as np

from cinealign.epochs import epochs, training_part
from cinealign.errors import ConfigError
from cinealign.experts.base import Expert, TrainingSet, Vectors
from cinealign.experts.fusion import fold_numbers
from cinealign.state import State
from cinealign.training.experts.contrastive_options import ContrastiveOptions
from cinealign.training.experts.contrastive_pair import Pair
from cinealign.training.experts.contrastive_sides import HeadSide, Side, TowerSide
from cinealign.training.loop.settings import EarlyStopping, TrainingSettings
from cinealign.training.loop.train import best_epoch
from cinealign.training.networks.options import TowerOptions
from cinealign.views.base import Features

MEMBER_STRIDE = 10_007
"""Between the seeds of two members, so that neighbouring recipe seeds share no member."""


class ContrastiveExpert(Expert):
    """A head or a tower for each side, trained so that partners are nearest in their batch.

    With `seeds` above 1 several members are trained, and a vector is their unit vectors side by side, divided by the root
    of their number: its cosine is the mean of the members' cosines.
    """

    Options = ContrastiveOptions
    options: ContrastiveOptions

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Train both sides of every member; the number of epochs is looked for before, where early stopping is on.

        Raises:
            ConfigError: under two pairs, sides that do not fit each other, or a loss that lacks something.
        """
        if training.size < 2:
            raise ConfigError(f"contrastive needs at least 2 train pairs for a negative, got {training.size}")
        settings = self.options.training
        self.history = [] if settings.early_stopping is None else self._search(training, seed)
        last_epoch = best_epoch(self.history) if self.history else None
        self._members = []
        several = self.options.seeds > 1
        with epochs(last_epoch or settings.epochs, times=self.options.seeds):
            for member in range(self.options.seeds):
                pair = self._pair()
                with training_part(f"member {member + 1} of {self.options.seeds}") if several else nullcontext():
                    history = pair.run(training, settings, seed + MEMBER_STRIDE * member, last_epoch=last_epoch)
                self._members.append(pair)
                self.history += [{**({"member": member} if several else {}), **entry} for entry in history]
        return self

    def validate(self, training: TrainingSet, *, seed: int) -> list[dict[str, Any]]:
        """Of the first member, on the first of five folds; none where early stopping has judged a fold, or on a handful."""
        settings, folds = self.options.training, EarlyStopping().folds
        if not self.options.validation or settings.early_stopping is not None or training.size < 4 * folds:
            return []
        every_epoch = settings.model_copy(update={"early_stopping": EarlyStopping(patience=settings.epochs)})
        return self._without_a_fold(training, every_epoch, seed, "validation")

    def encode_poster(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions * seeds) unit rows; zero where no view saw anything."""
        return _averaged([pair.poster.encode(pair.poster.rows(features)) for pair in self._members])

    def encode_intro(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions * seeds) unit rows; zero where no view saw anything."""
        return _averaged([pair.intro.encode(pair.intro.rows(features)) for pair in self._members])

    def state(self) -> State:
        """What the sides of all members have learned."""
        states = [pair.state(f"{member}.") for member, pair in enumerate(self._members)]
        arrays = {name: array for state in states for name, array in state.arrays.items()}
        values: dict[str, Any] = {name: value for state in states for name, value in state.values.items()}
        return State(arrays, {**values, "history": self.history})

    def load_state(self, state: State) -> Self:
        """Take over what the sides of all members have learned."""
        self._members = [self._pair().load(state, f"{member}.") for member in range(self.options.seeds)]
        self.history = state.values["history"]
        return self

    def _search(self, training: TrainingSet, seed: int) -> list[dict[str, Any]]:
        """The history of one training on all but an inner fold, judged on that fold; its weights are thrown away."""
        stopping = self.options.training.early_stopping
        assert stopping is not None
        if training.size < 2 * stopping.folds:
            raise ConfigError(
                f"training.early_stopping.folds is {stopping.folds} and there are {training.size} train pairs; an inner "
                "fold needs 2 at least"
            )
        return self._without_a_fold(training, self.options.training, seed, "search")

    def _without_a_fold(
        self, training: TrainingSet, settings: TrainingSettings, seed: int, phase: str
    ) -> list[dict[str, Any]]:
        assert settings.early_stopping is not None
        fold = fold_numbers(training.size, settings.early_stopping.folds, seed)
        inside, outside = training.take(np.flatnonzero(fold != 0)), training.take(np.flatnonzero(fold == 0))
        with training_part(phase):
            history = self._pair().run(inside, settings, seed, judged_on=outside)
        return [{"phase": phase, **entry} for entry in history]

    def _pair(self) -> Pair:
        o = self.options
        poster = self._side(o.poster, o.poster_tower)
        if o.shared:
            assert isinstance(poster, TowerSide) and o.poster_tower is not None
            intro: Side = TowerSide(o.intro[0], o.poster_tower, o.dimensions, owner=poster)
        else:
            intro = self._side(o.intro, o.intro_tower)
        return Pair(poster, intro, [o.loss, *o.also], o.mixup, o.drift_penalty)

    def _side(self, names: list[str], tower: TowerOptions | None) -> Side:
        o = self.options
        if tower is not None:
            return TowerSide(names[0], tower, o.dimensions)
        return HeadSide(names, o.head, o.dimensions, o.hidden, o.dropout)


def _averaged(members: list[Vectors]) -> Vectors:
    if len(members) == 1:
        return members[0]
    return np.concatenate(members, axis=1) / np.float32(np.sqrt(len(members)))
