"""Projection heads: the last map of a side into the shared space."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cinealign.training.networks.options import HeadKind


class MlpHead(nn.Module):
    """Two linear layers with GELU and dropout between: (B, F) -> (B, D)."""

    def __init__(self, features: int, dimensions: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(features, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, dimensions),
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Not normalised; the expert does that."""
        out: Tensor = self.layers(rows)
        return out


class LinearHead(nn.Module):
    """Dropout on the features, then one linear layer: (B, F) -> (B, D)."""

    def __init__(self, features: int, dimensions: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, dimensions))

    def forward(self, rows: Tensor) -> Tensor:
        """Not normalised; the expert does that."""
        out: Tensor = self.layers(rows)
        return out


class ResidualHead(nn.Module):
    """x -> x + xW with W starting at zero: (B, F) -> (B, F).

    For two sides that already share a space: training starts at the zero-shot alignment, and the penalty on W (`drift`)
    says how far it may leave it.
    """

    def __init__(self, features: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.change = nn.Linear(features, features, bias=False)
        nn.init.zeros_(self.change.weight)

    def forward(self, rows: Tensor) -> Tensor:
        """Not normalised; the expert does that."""
        rows = self.dropout(rows)
        out: Tensor = rows + self.change(rows)
        return out

    def drift(self) -> Tensor:
        """Squared Frobenius norm of W: how far the map has left the identity."""
        return self.change.weight.square().sum()


def build_head(kind: HeadKind, features: int, dimensions: int, hidden: int, dropout: float) -> nn.Module:
    """The head of that kind; `residual` keeps the width of its features and ignores `dimensions` and `hidden`."""
    if kind == "linear":
        return LinearHead(features, dimensions, dropout)
    if kind == "mlp":
        return MlpHead(features, dimensions, hidden, dropout)
    return ResidualHead(features, dropout)


def drift(*heads: nn.Module) -> Tensor:
    """Sum of the drifts of residual heads; 0 for the other kinds."""
    return sum((head.drift() for head in heads if isinstance(head, ResidualHead)), torch.zeros(()))
