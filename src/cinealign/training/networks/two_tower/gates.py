"""How much each part of a poster counts, by what there is of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

SPEED = 10.0
"""A step moves the log of a gate so many times as far as another weight: a handful of numbers can learn fast."""


class Gates(nn.Module):
    """(N, P) which parts are there -> (N, P) weights: exp(SPEED (base + there W)), 0 for a part that is not there.

    `base` starts at the out-of-fold fusion weights and W at zero, so every poster begins with the same weights; W then
    learns what a missing part means for the others (a poster without lettering is judged by its picture).
    """

    def __init__(self, parts: Sequence[str]) -> None:
        super().__init__()
        self.parts = list(parts)
        self.base = nn.Parameter(torch.zeros(len(parts)))
        self.given_others = nn.Parameter(torch.zeros(len(parts), len(parts)))

    @torch.no_grad()
    def start(self, weights: Sequence[float]) -> None:
        """Begin at these positive weights."""
        self.base.copy_(torch.tensor(weights).clamp(min=1e-3).log() / SPEED)

    def forward(self, there: Tensor) -> Tensor:
        """(N, P) from (N, P) zeros and ones; a part counts relative to a poster on which all are there."""
        missing = there - 1.0
        return there * (SPEED * (self.base + missing @ self.given_others)).exp()

    def values(self) -> dict[str, float]:
        """The weight of every part on a poster that has them all."""
        return {part: float(value) for part, value in zip(self.parts, (SPEED * self.base).exp().tolist(), strict=True)}
