"""Decoupled contrastive loss: InfoNCE without the partner in the denominator."""

from __future__ import annotations

import torch
from torch import Tensor

from cinealign.training.losses.base import Batch, LogitScale, Loss
from cinealign.training.losses.options import DecoupledOptions


class Decoupled(Loss):
    """loss = mean over both directions of -s p_i . q_i + log sum_(j != i) exp(s p_i . q_j), s = 1 / temperature.

    InfoNCE's gradient shrinks once the partner is found; this one's does not, which helps small batches. With equal
    similarities it is log(B - 1); it has no lower bound of 0. A batch needs two pairs.

    Source: Yeh et al. 2022 (arXiv 2110.06848), equation 5, in both directions.
    """

    Options = DecoupledOptions

    def __init__(self, options: DecoupledOptions) -> None:
        super().__init__(options)
        self.scale = LogitScale(options.temperature, options.learn_temperature)

    def forward(self, batch: Batch) -> Tensor:
        """Mean over pairs and directions."""
        logits = self.scale() * batch.poster @ batch.intro.T  # (B, B)
        own = logits.diagonal()
        itself = torch.eye(len(own), dtype=torch.bool, device=own.device)
        others = logits.masked_fill(itself, -torch.inf)
        loss: Tensor = ((others.logsumexp(dim=1) + others.logsumexp(dim=0)) / 2 - own).mean()
        return loss

    def report(self) -> dict[str, float]:
        """The temperature."""
        return {"temperature": self.scale.temperature}
