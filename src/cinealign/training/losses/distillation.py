"""Distillation: say about a batch what a better expert says about it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cinealign.errors import ConfigError
from cinealign.training.losses.base import Batch, Known, LogitScale, Loss
from cinealign.training.losses.options import DistillationOptions


class Distillation(Loss):
    """Mean over both directions of KL(softmax(t S) || softmax(s P Q')), S the teacher's cosines of the batch.

    A fitted teacher has memorised its own train pairs, so S comes from copies of it fitted on inner folds, each asked only
    about the pairs it was not fitted on. Copies live in different spaces: a query is compared with the pairs of its own
    fold only, on both sides of the divergence. It is 0 where teacher and student agree; a query alone in its fold adds 0.

    Source: Hinton et al. 2015 (arXiv 1503.02531); of a batch's similarities: Fang et al. 2021, SEED (arXiv 2101.04731).
    """

    Options = DistillationOptions

    def __init__(self, options: DistillationOptions) -> None:
        super().__init__(options)
        self.options = options
        self.scale = LogitScale(options.temperature, options.learn_temperature)

    def prepare(self, known: Known) -> None:
        """Raises ConfigError where the teacher was not given."""
        if self.options.teacher not in known.teachers:
            raise ConfigError(
                f"distillation: there is no teacher at align[{self.options.teacher}]; name an earlier expert"
            )

    def forward(self, batch: Batch) -> Tensor:
        """Mean over queries and directions."""
        assert batch.rows.shape[1] == 1, "mixtures have no teacher; a recipe that asks for both is refused before"
        teacher = batch.teachers[self.options.teacher]
        comparable = teacher.fold[:, None] == teacher.fold
        told = (teacher.poster @ teacher.intro.T).to(batch.poster.dtype) / self.options.teacher_temperature
        said = self.scale() * batch.poster @ batch.intro.T
        return (_divergence(told, said, comparable) + _divergence(told.T, said.T, comparable)) / 2

    def report(self) -> dict[str, float]:
        """The temperature of the student's side."""
        return {"distillation_temperature": self.scale.temperature}


def _divergence(told: Tensor, said: Tensor, comparable: Tensor) -> Tensor:
    lowest = torch.finfo(said.dtype).min  # finite: 0 * -inf would be NaN in the divergence
    told, said = told.masked_fill(~comparable, lowest), said.masked_fill(~comparable, lowest)
    return F.kl_div(said.log_softmax(dim=1), told.log_softmax(dim=1), log_target=True, reduction="batchmean")
