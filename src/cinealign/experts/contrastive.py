"""Two sides trained with a contrastive loss: projection heads on cached features of frozen views, or whole towers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor, nn

from cinealign.errors import ConfigError
from cinealign.experts.base import Expert, ExpertOptions, TrainingSet, Vectors
from cinealign.experts.losses import InfoNce
from cinealign.experts.sides import HeadSide, Side, TowerSide
from cinealign.experts.training import TrainingSettings, train
from cinealign.networks.heads import HeadKind, drift
from cinealign.networks.towers import resolve_tower
from cinealign.state import State
from cinealign.views.base import Features


class ContrastiveOptions(ExpertOptions):
    """Options of `contrastive`."""

    poster_tower: dict[str, Any] | None = Field(
        None, description="a network trained on the one poster view; else a head"
    )
    intro_tower: dict[str, Any] | None = Field(None, description="a network trained on the one intro view; else a head")
    head: HeadKind = Field("linear", description="of a side without a tower")
    dimensions: int = Field(128, ge=1, description="of the shared space; a residual head keeps its features' width")
    hidden: int = Field(512, ge=1, description="of the mlp head")
    dropout: float = Field(0.2, ge=0, lt=1)
    drift_penalty: float = Field(0.1, ge=0, description="how strongly a residual head is held near the identity")
    temperature: float = Field(0.07, gt=0, description="at the start")
    learn_temperature: bool = True
    training: TrainingSettings = TrainingSettings()

    @field_validator("poster_tower", "intro_tower")
    @classmethod
    def _known_tower(cls, tower: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            return None if tower is None else resolve_tower(tower)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _one_view_a_tower(self) -> Self:
        for side in ("poster", "intro"):
            names = getattr(self, side)
            if getattr(self, f"{side}_tower") is not None and len(names) != 1:
                raise ValueError(f"{side}_tower reads one view, got {len(names)} in {side}: {', '.join(names)}")
        return self


class ContrastiveExpert(Expert):
    """A head or a tower for each side, trained so that partners are nearest in their batch (InfoNCE)."""

    Options = ContrastiveOptions
    options: ContrastiveOptions

    def fit(self, training: TrainingSet, *, seed: int) -> Self:
        """Train both sides. Raises ConfigError where a residual head gets sides of different width, or under two pairs."""
        if training.size < 2:
            raise ConfigError(f"contrastive needs at least 2 train pairs for a negative, got {training.size}")
        self._make_sides()
        poster = self._poster.learn(training.poster, training.words)
        intro = self._intro.learn(training.intro, training.words)
        with torch.random.fork_rng(devices=[]):  # the global generator feeds initial weights, dropout, augmentation
            torch.manual_seed(seed)
            self._build()
            loss = InfoNce(self.options.temperature, self.options.learn_temperature)

            def step_loss(rows: Tensor) -> Tensor:
                contrast: Tensor = loss(self._poster.vectors(poster[rows]), self._intro.vectors(intro[rows]))
                return contrast + self.options.drift_penalty * drift(self._poster.network, self._intro.network)

            generator = torch.Generator().manual_seed(seed)
            modules = nn.ModuleList([self._poster.network, self._intro.network, loss])
            self.history = train(modules, training.size, step_loss, self.options.training, generator)
        self.history[-1]["temperature"] = float(1.0 / loss.logit_scale.detach())
        return self

    def encode_poster(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions) unit rows; zero where no view saw anything."""
        return self._poster.encode(self._poster.rows(features))

    def encode_intro(self, features: Mapping[str, Features]) -> Vectors:
        """(N, dimensions) unit rows; zero where no view saw anything."""
        return self._intro.encode(self._intro.rows(features))

    def state(self) -> State:
        """What both sides have learned."""
        poster, intro = self._poster.state("poster"), self._intro.state("intro")
        return State({**poster.arrays, **intro.arrays}, {**poster.values, **intro.values, "history": self.history})

    def load_state(self, state: State) -> Self:
        """Take over what both sides have learned."""
        self._make_sides()
        self._poster.load(state, "poster")
        self._intro.load(state, "intro")
        self.history = state.values["history"]
        return self

    def _make_sides(self) -> None:
        self._poster = self._side(self.options.poster, self.options.poster_tower)
        self._intro = self._side(self.options.intro, self.options.intro_tower)

    def _side(self, names: list[str], tower: dict[str, Any] | None) -> Side:
        o = self.options
        if tower is not None:
            return TowerSide(names[0], tower, o.dimensions)
        return HeadSide(names, o.head, o.dimensions, o.hidden, o.dropout)

    def _build(self) -> None:
        if self.options.head == "residual" and self._poster.width != self._intro.width:
            raise ConfigError(
                f"contrastive: a residual head needs both sides of one width, got {self._poster.width} poster and "
                f"{self._intro.width} intro features; use head: linear or mlp"
            )
        self._poster.build()
        self._intro.build()
