"""Latent mixup: pairs between pairs, for any loss (FuseMix)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixture:
    """How the pairs of one batch are mixed: x_i -> share * x_i + (1 - share) * x_partner(i), both sides alike.

    The mixture of two posters and the same mixture of their intros make a pair, so the loss does not change. One share is
    drawn a batch from Beta(alpha, alpha). Features of frozen views are mixed before the heads; a tower on pixels or words
    has none, so its outputs are.

    Source: Vouitsis et al. 2023, FuseMix (arXiv 2312.10144), section 4.
    """

    partner: Tensor  # (B,) int64 places in the batch
    share: float

    @classmethod
    def draw(cls, size: int, alpha: float, generator: np.random.Generator) -> Mixture:
        """Partners (a permutation; a row can meet itself) and a share for a batch of `size` pairs."""
        share = float(generator.beta(alpha, alpha))
        return cls(torch.from_numpy(generator.permutation(size)), share)

    def __call__(self, values: Tensor) -> Tensor:
        """(B, ...) floats -> (B, ...) mixed."""
        return self.share * values + (1.0 - self.share) * values[self.partner]
