"""What a loss is, and what it may look at: the vectors of one batch and what is known of its train pairs."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cinealign.training.losses.mixup import Mixture
from cinealign.training.losses.options import MAX_LOGIT_SCALE, MIN_LOGIT_SCALE, LossOptions


@dataclass(frozen=True)
class Teacher:
    """Train pairs as another expert sees them, each row encoded by a copy of it that was fitted without that row.

    Every fold has a copy and so a space of its own: products of rows of different folds mean nothing.
    """

    poster: Tensor  # (N, Dt)
    intro: Tensor  # (N, Dt)
    fold: Tensor  # (N,) int64


@dataclass(frozen=True)
class Batch:
    """One batch of pairs: row i of everything is the same pair. With mixup a row is a mixture of two pairs.

    Attributes:
        poster, intro: (B, D), L2-normalised.
        rows: (B, 1) int64, numbers of the train pairs; (B, 2) with mixup.
        intro_features: (B, F) L2-normalised features of the intros before their head, where there are any.
        labels: name -> (B, G) float32 in [0, 1].
        teachers: position of an earlier expert in the recipe -> what it says of these pairs.
    """

    poster: Tensor
    intro: Tensor
    rows: Tensor
    intro_features: Tensor | None = None
    labels: Mapping[str, Tensor] = field(default_factory=dict)
    teachers: Mapping[int, Teacher] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What is known of all N train pairs before training begins; fields as in `Batch`."""

    size: int
    dimensions: int
    intro_features: Tensor | None = None
    labels: Mapping[str, Tensor] = field(default_factory=dict)
    teachers: Mapping[int, Teacher] = field(default_factory=dict)

    def batch(self, poster: Tensor, intro: Tensor, rows: Tensor, mixture: Mixture | None = None) -> Batch:
        """The batch of the pairs `rows` (B,), whose vectors are given; labels and features are mixed like the pairs."""

        def mixed(values: Tensor) -> Tensor:
            return values[rows] if mixture is None else mixture(values[rows])

        return Batch(
            poster,
            intro,
            rows[:, None] if mixture is None else torch.stack([rows, rows[mixture.partner]], dim=1),
            None if self.intro_features is None else nn.functional.normalize(mixed(self.intro_features), dim=1),
            {name: mixed(values) for name, values in self.labels.items()},
            {
                position: Teacher(teacher.poster[rows], teacher.intro[rows], teacher.fold[rows])
                for position, teacher in self.teachers.items()
            },
        )


class Loss(nn.Module, ABC):
    """A scalar over a batch; its own parameters are trained along. Registered in `training.losses.registry`."""

    Options: ClassVar[type[LossOptions]] = LossOptions

    def __init__(self, options: Any) -> None:
        super().__init__()

    def prepare(self, known: Known) -> None:
        """Once before training: check that everything needed is there, make parameters whose size depends on it.

        Raises:
            ConfigError: the recipe or the data lacks something that this loss needs.
        """

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """The loss of a batch, a scalar."""

    def report(self) -> dict[str, float]:
        """What is worth a line in the history after an epoch: the temperature, say."""
        return {}


class LogitScale(nn.Module):
    """A learned or fixed factor of similarities: exp(log_logit_scale), capped at 100, where the gradient is cut.

    Source: Radford et al. 2021 (arXiv 2103.00020), section 2.5.
    """

    def __init__(self, temperature: float, learned: bool) -> None:
        """Args:
        temperature: 1 / scale at the start.
        learned: whether training may change it.
        """
        super().__init__()
        self.log_logit_scale = nn.Parameter(torch.tensor(math.log(1.0 / temperature)), requires_grad=learned)

    def forward(self) -> Tensor:
        """The factor, a scalar in [0.001, 100]."""
        return self.log_logit_scale.exp().clamp(MIN_LOGIT_SCALE, MAX_LOGIT_SCALE)

    @property
    def temperature(self) -> float:
        """1 / factor, for reports."""
        return float(1.0 / self().detach())
