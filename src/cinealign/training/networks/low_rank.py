"""Low-rank adapters: a frozen linear map learns a small correction and keeps its weights."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn


class LowRank(nn.Module):
    """x -> W x + (scale / rank) B A x with W frozen, A (rank, in) random and B (out, rank) zero at the start.

    Source: Hu et al., LoRA, arXiv 2106.09685, equation 3.
    """

    def __init__(self, linear: nn.Linear, rank: int, scale: float) -> None:
        super().__init__()
        self.linear, self.share = linear, scale / rank
        self.down = nn.Parameter(torch.empty(rank, linear.in_features))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, rows: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        return cast(Tensor, self.linear(rows)) + self.share * (rows @ self.down.T @ self.up.T)


def adapt(layers: nn.Module, rank: int, scale: float) -> None:
    """Freeze all of `layers` and give every linear map in it an adapter; in place."""
    for weight in layers.parameters():
        weight.requires_grad = False
    for module in list(layers.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, LowRank(child, rank, scale))
