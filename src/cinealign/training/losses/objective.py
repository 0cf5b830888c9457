"""The sum of a main loss and auxiliary ones, by weight: what a contrastive expert minimises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from cinealign.training.losses.base import Batch, Known, Loss
from cinealign.training.losses.options import LossOptions
from cinealign.training.losses.registry import LOSSES


class Objective(nn.Module):
    """Weighted sum of losses over one batch. Losses compute in float32, whatever the towers computed in."""

    def __init__(self, options: Sequence[LossOptions], known: Known) -> None:
        """Args:
        options: of the losses: the main one, then the auxiliary ones.
        known: of all train pairs.

        Raises:
            ConfigError: a loss lacks something that it needs.
        """
        super().__init__()
        self.known = known
        self.losses = nn.ModuleList(LOSSES.make(one) for one in options)
        self.names = _told_apart([one.loss for one in options])
        self._sums: Tensor | None = None
        self._pairs = 0
        self.weights = [one.weight for one in options]
        for loss in self.losses:
            cast(Loss, loss).prepare(known)

    def forward(self, batch: Batch) -> Tensor:
        """The sum, a scalar."""
        parts = torch.stack([loss(batch) for loss in self.losses])
        if self.training:
            sums = parts.detach() * len(batch.poster)
            self._sums = sums if self._sums is None else self._sums + sums
            self._pairs += len(batch.poster)
        return (parts * parts.new_tensor(self.weights)).sum()

    def report(self) -> dict[str, float]:
        """What the losses report, the main one's values first and kept where names meet; where there are several, also
        the mean of each, unweighted, over the pairs since the last report, as `loss_NAME`.
        """
        lines = [cast(Loss, loss).report() for loss in self.losses]
        if len(self.losses) > 1 and self._sums is not None:
            means = (self._sums / self._pairs).tolist()
            lines.append({f"loss_{name}": mean for name, mean in zip(self.names, means, strict=True)})
        self._sums, self._pairs = None, 0
        return {name: value for line in reversed(lines) for name, value in line.items()}


def _told_apart(names: Sequence[str]) -> list[str]:
    """Names of which the second and later of one kind have their number."""
    seen: list[str] = []
    for at, name in enumerate(names):
        count = names[: at + 1].count(name)
        seen.append(name if count == 1 else f"{name}_{count}")
    return seen
