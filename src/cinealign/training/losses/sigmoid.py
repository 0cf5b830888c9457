"""The sigmoid loss of SigLIP: every poster and intro of the batch is a yes or no of its own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cinealign.training.losses.base import Batch, LogitScale, Loss
from cinealign.training.losses.options import SigmoidOptions


class Sigmoid(Loss):
    """loss = -1/B sum_ij log sigmoid(z_ij (s p_i . q_j + b)), with z_ij = 1 for partners and -1 for all others.

    No softmax over the batch, so it does not change its meaning with the batch size. With equal similarities 0 and b = 0
    it is B log 2.

    Source: Zhai et al. 2023 (arXiv 2303.15343), equation 1 and algorithm 1 (scale 10 and b = -10 at the start).
    """

    Options = SigmoidOptions

    def __init__(self, options: SigmoidOptions) -> None:
        super().__init__(options)
        self.scale = LogitScale(options.temperature, options.learn_temperature)
        self.bias = nn.Parameter(torch.tensor(options.bias))

    def forward(self, batch: Batch) -> Tensor:
        """Sum over all pairs of the batch, divided by B."""
        logits = self.scale() * batch.poster @ batch.intro.T + self.bias  # (B, B)
        signs = 2 * torch.eye(len(logits), dtype=logits.dtype, device=logits.device) - 1
        return -F.logsigmoid(signs * logits).sum() / len(logits)

    def report(self) -> dict[str, float]:
        """Temperature and bias."""
        return {"temperature": self.scale.temperature, "bias": float(self.bias.detach())}
