"""Triplet losses with a margin: all negatives of the batch, or only the hardest."""

from __future__ import annotations

import torch
from torch import Tensor

from cinealign.training.losses.base import Batch, Loss
from cinealign.training.losses.options import TripletOptions


class Triplet(Loss):
    """With h_ij = [margin + p_i . q_j - p_i . q_i]+ and i != j, the mean over pairs of both directions' hinges.

    `sum` adds up all negatives of a query, `max` takes the hardest one. With equal similarities `max` is 2 margin and
    `sum` is 2 (B - 1) margin. Partners alone (B = 1) give 0.

    Source: Faghri et al. 2018, VSE++ (arXiv 1707.05612), equations 4 (SH) and 6 (MH); the mean over the batch is ours.
    """

    Options = TripletOptions

    def __init__(self, options: TripletOptions) -> None:
        super().__init__(options)
        self.options = options

    def forward(self, batch: Batch) -> Tensor:
        """Mean over the B pairs of the batch."""
        similarities = batch.poster @ batch.intro.T  # (B, B)
        own = similarities.diagonal()
        itself = torch.eye(len(own), dtype=torch.bool, device=own.device)
        to_intro = (self.options.margin + similarities - own[:, None]).clamp(min=0).masked_fill(itself, 0.0)
        to_poster = (self.options.margin + similarities - own).clamp(min=0).masked_fill(itself, 0.0)
        if self.options.hinges == "sum":
            return (to_intro.sum() + to_poster.sum()) / len(own)
        return to_intro.amax(dim=1).mean() + to_poster.amax(dim=0).mean()
