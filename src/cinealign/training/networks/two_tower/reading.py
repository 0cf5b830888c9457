"""One text through one language model: its main directions, a closed form to begin with, and what training adds."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def unit(rows: Tensor) -> Tensor:
    """Rows of length 1; a row of zeros stays zero."""
    return F.normalize(rows, dim=1, eps=1e-6)


class Directions(nn.Module):
    """(N, W) embeddings of a language model -> (N, R) unit rows: centred, in the R main directions of the train texts.

    A text that is not there (a row of zeros) stays a row of zeros.
    """

    mean: Tensor
    basis: Tensor

    def __init__(self, width: int, kept: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("basis", torch.zeros(width, kept))

    def forward(self, rows: Tensor) -> Tensor:
        """(N, R)."""
        there = (rows != 0).any(dim=1, keepdim=True)
        return unit(torch.where(there, rows - self.mean, 0.0) @ self.basis)


class Adapter(nn.Module):
    """x -> dropout(x) down up, a correction of low rank that begins at zero: (N, R) -> (N, R).

    Source: Houlsby et al. 2019 (arXiv 1902.00751), without the nonlinearity: with 1,762 pairs a straight line is enough.
    """

    def __init__(self, width: int, rank: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.down = nn.Parameter(torch.randn(width, rank) / math.sqrt(width))
        self.up = nn.Parameter(torch.zeros(rank, width))

    def forward(self, rows: Tensor) -> Tensor:
        """(N, R), zero at the start of training."""
        changed: Tensor = self.dropout(rows) @ self.down @ self.up
        return changed
