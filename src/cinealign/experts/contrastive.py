"""Towers trained with a contrastive loss: on cached features of frozen views, a projection head a side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from cinealign.errors import ConfigError
from cinealign.experts.base import Expert, ExpertOptions, Inputs, TrainingSet, Vectors, normalised, seen
from cinealign.experts.losses import InfoNce
from cinealign.experts.training import TrainingSettings, train
from cinealign.networks.heads import HeadKind, build_head, drift
from cinealign.state import State
from cinealign.views.base import Features


class ContrastiveOptions(ExpertOptions):
    """Options of `contrastive`."""

    head: HeadKind = "linear"
    dimensions: int = Field(128, ge=1, description="of the shared space; a residual head keeps its features' width")
    hidden: int = Field(512, ge=1, description="of the mlp head")
    dropout: float = Field(0.2, ge=0, lt=1)
    drift_penalty: float = Field(0.1, ge=0, description="how strongly a residual head is held near the identity")
    temperature: float = Field(0.07, gt=0, description="at the start")
    learn_temperature: bool = True
    training: TrainingSettings = TrainingSettings()


class ContrastiveExpert(Expert):
    """A head for each side, trained so that partners are nearest in their batch (InfoNCE)."""

    Options = ContrastiveOptions
    options: ContrastiveOptions

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Train both heads. Raises ConfigError where a residual head gets sides of different width, or under two pairs."""
        if training.size < 2:
            raise ConfigError(f"contrastive needs at least 2 train pairs for a negative, got {training.size}")
        self._poster = Inputs.fit(self.options.poster, training.poster)
        self._intro = Inputs.fit(self.options.intro, training.intro)
        poster = self._rows(self._poster, {name: np.asarray(rows) for name, rows in training.poster.items()})
        intro = self._rows(self._intro, {name: np.asarray(rows) for name, rows in training.intro.items()})
        with torch.random.fork_rng(devices=[]):  # the global generator feeds initial weights and dropout
            torch.manual_seed(seed)
            self._build(poster.shape[1], intro.shape[1])
            loss = InfoNce(self.options.temperature, self.options.learn_temperature)

            def step_loss(rows: Tensor) -> Tensor:
                contrast: Tensor = loss(
                    self._vectors(self._head_poster, poster[rows]), self._vectors(self._head_intro, intro[rows])
                )
                return contrast + self.options.drift_penalty * drift(self._head_poster, self._head_intro)

            generator = torch.Generator().manual_seed(seed)
            modules = nn.ModuleList([self._head_poster, self._head_intro, loss])
            self.history = train(modules, training.size, step_loss, self.options.training, generator)
        self.history[-1]["temperature"] = float(1.0 / loss.logit_scale.detach())
        return self

    def encode_poster(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions) unit rows; zero where no view saw anything."""
        return self._encode(self._head_poster, self._rows(self._poster, features))

    def encode_intro(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions) unit rows; zero where no view saw anything."""
        return self._encode(self._head_intro, self._rows(self._intro, features))

    def state(self) -> State:
        """Means, scales and the weights of both heads."""
        parts = [self._poster.state("poster"), self._intro.state("intro")]
        arrays = {name: array for part in parts for name, array in part.arrays.items()}
        values: dict[str, Any] = {name: value for part in parts for name, value in part.values.items()}
        for side, head in (("poster", self._head_poster), ("intro", self._head_intro)):
            arrays |= {f"{side}.head.{name}": weight.numpy() for name, weight in head.state_dict().items()}
        widths = [sum(len(centre.mean) for centre in inputs.centring) for inputs in (self._poster, self._intro)]
        return State(arrays, {**values, "widths": widths, "history": self.history})

    def load_state(self, state: State) -> Self:
        """Take over means, scales and weights."""
        self._poster = Inputs.from_state(self.options.poster, state, "poster")
        self._intro = Inputs.from_state(self.options.intro, state, "intro")
        self._build(*state.values["widths"])
        self.history = state.values["history"]
        for side, head in (("poster", self._head_poster), ("intro", self._head_intro)):
            prefix = f"{side}.head."
            head.load_state_dict(
                {
                    name.removeprefix(prefix): torch.from_numpy(array.copy())
                    for name, array in state.arrays.items()
                    if name.startswith(prefix)
                }
            )
            head.eval()
        return self

    def _build(self, poster_width: int, intro_width: int) -> None:
        if self.options.head == "residual" and poster_width != intro_width:
            raise ConfigError(
                f"contrastive: a residual head needs both sides of one width, got {poster_width} poster and "
                f"{intro_width} intro features; use head: linear or mlp"
            )
        o = self.options
        self._head_poster = build_head(o.head, poster_width, o.dimensions, o.hidden, o.dropout)
        self._head_intro = build_head(o.head, intro_width, o.dimensions, o.hidden, o.dropout)

    def _rows(self, inputs: Inputs, features: Mapping[str, Features]) -> Tensor:
        rows = inputs(features)
        # A residual head starts as the zero-shot cosine, which looks at directions; other heads get to see lengths.
        return torch.from_numpy(normalised(rows) if self.options.head == "residual" else rows)

    @staticmethod
    def _vectors(head: nn.Module, rows: Tensor) -> Tensor:
        return F.normalize(head(rows), dim=1)

    def _encode(self, head: nn.Module, rows: Tensor) -> Vectors:
        with torch.inference_mode():
            vectors: Vectors = self._vectors(head, rows).numpy()
        return vectors * seen(rows.numpy())[:, None]
