"""The sum of a main loss and auxiliary ones, by weight: what a contrastive expert minimises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from cinealign.losses.base import Batch, Known, Loss
from cinealign.losses.registry import build_loss, loss_options


class Objective(nn.Module):
    """Weighted sum of losses over one batch. Losses compute in float32, whatever the towers computed in."""

    def __init__(self, specs: Sequence[Mapping[str, Any]], known: Known) -> None:
        """Args:
        specs: of the losses, as in a recipe: the main one, then the auxiliary ones.
        known: of all train pairs.

        Raises:
            ConfigError: a loss lacks something that it needs.
        """
        super().__init__()
        self.known = known
        self.losses = nn.ModuleList(build_loss(spec) for spec in specs)
        self.weights = [loss_options(spec).weight for spec in specs]
        for loss in self.losses:
            cast(Loss, loss).prepare(known)

    def forward(self, batch: Batch) -> Tensor:
        """The sum, a scalar."""
        return torch.stack([weight * loss(batch) for weight, loss in zip(self.weights, self.losses, strict=True)]).sum()

    def report(self) -> dict[str, float]:
        """What the losses report, the main one's values first and kept where names meet."""
        lines = [cast(Loss, loss).report() for loss in self.losses]
        return {name: value for line in reversed(lines) for name, value in line.items()}
